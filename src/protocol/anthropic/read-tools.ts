import type { JsonObject } from "../ir/json.ts";
import type { Tool, ToolChoice } from "../ir/request.ts";
import { readCacheMark } from "./cache-mark.ts";
import { OwnFields } from "./own-fields.ts";
import { spelled } from "./spelling.ts";

/** A tool of the list: the caller's own, or one that Anthropic runs or defines. */
export function readTool(raw: JsonObject, at: string): Tool {
  const fields = new OwnFields(raw);
  const type = fields.peek("type");
  const name = fields.text("name");
  const isFunction = type === undefined || type === null || type === "custom";
  if (!isFunction || name === undefined) {
    const hosted = typeof type === "string" ? type : "";
    return { kind: "hosted", vendor: "anthropic", type: hosted, name, raw, at };
  }
  if (type === "custom") fields.skip("type");
  const tool: Tool = {
    kind: "function",
    name,
    description: fields.text("description"),
    parameters: fields.any("input_schema"),
    schemaDialect: "json-schema",
    strict: fields.flag("strict"),
    cache: readCacheMark(fields),
    ext: fields.own(),
    at,
  };
  return type === "custom" ? spelled(tool, { beside: { type } }) : tool;
}

export interface ChoiceRead {
  readonly toolChoice?: ToolChoice | undefined;
  readonly parallelToolCalls?: boolean | undefined;
}

/** `tool_choice`, which on this wire also says whether calls may be parallel. */
export function readToolChoice(fields: OwnFields): ChoiceRead {
  const known = KINDS.get(typeOf(fields) ?? "");
  if (known === undefined) return {};
  const read = fields.inner("tool_choice", (inner): ChoiceRead => {
    inner.skip("type");
    // `none` has no such member: one that stands there is nobody's.
    const isSerial = known === "none" ? undefined : inner.flag("disable_parallel_tool_use");
    const parallelToolCalls = isSerial === undefined ? undefined : !isSerial;
    if (known !== "tool") return { toolChoice: { kind: known }, parallelToolCalls };
    const name = inner.text("name") ?? "";
    return { toolChoice: { kind: "tool", name }, parallelToolCalls };
  });
  return read ?? {};
}

const KINDS: ReadonlyMap<string, "auto" | "required" | "tool" | "none"> = new Map([
  ["auto", "auto"],
  ["any", "required"],
  ["tool", "tool"],
  ["none", "none"],
]);

function typeOf(fields: OwnFields): string | undefined {
  const choice = fields.peek("tool_choice");
  if (typeof choice !== "object" || choice === null || Array.isArray(choice)) return undefined;
  const type = (choice as JsonObject)["type"];
  return typeof type === "string" ? type : undefined;
}
