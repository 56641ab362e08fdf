import type { Block, ToolCallBlock } from "../ir/block.ts";
import { Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Tool, ToolChoice } from "../ir/request.ts";
import { owned } from "./own.ts";

/** The tools of a request; `strict` holds for all of them, for it stands beside the list. */
export function readTools(list: readonly JsonObject[], strict: boolean | undefined): Tool[] {
  return list.map((raw, index) => readTool(raw, { strict, at: `tools[${index}]` }));
}

/** Whether a list of tools is one of functions only, so that `strict_tools` speaks of each. */
export function areFunctions(list: readonly JsonObject[]): boolean {
  return list.length > 0 && list.every((raw) => functionOf(raw) !== undefined);
}

/** Absent is auto: there is no word for it. */
export function readToolChoice(word: Json | undefined): ToolChoice | undefined {
  switch (word) {
    case "REQUIRED":
      return { kind: "required" };
    case "NONE":
      return { kind: "none" };
  }
  return undefined;
}

/** The calls of a message. A list with one that is none is left where it is. */
export function readCalls(fields: Fields, at: string | undefined): readonly Block[] {
  const list = fields.peek("tool_calls");
  if (!isList(list) || list.length === 0) return [];
  const calls: ToolCallBlock[] = [];
  for (const [index, raw] of list.entries()) {
    const place = at === undefined ? undefined : `${at}.tool_calls[${index}]`;
    const call = isObject(raw) ? readCall(raw, place) : undefined;
    if (call === undefined) return [];
    calls.push(call);
  }
  fields.skip("tool_calls");
  return calls;
}

/** One call; undefined when it has no name. */
export function readCall(raw: JsonObject, at: string | undefined): ToolCallBlock | undefined {
  const called = functionOf(raw);
  if (called === undefined) return undefined;
  const fields = new Fields(raw);
  const inner = new Fields(called);
  fields.skip("type", "function");
  const call: ToolCallBlock = {
    type: "tool_call",
    callId: fields.text("id"),
    name: inner.text("name")!,
    args: inner.text("arguments"),
    at,
  };
  return owned(call, fields, { function: inner });
}

function readTool(
  raw: JsonObject,
  { strict, at }: { readonly strict: boolean | undefined; readonly at: string },
): Tool {
  const told = functionOf(raw);
  if (told === undefined) {
    const type = raw["type"];
    return {
      kind: "hosted",
      vendor: "cohere",
      type: typeof type === "string" ? type : "",
      raw,
      at,
    };
  }
  const fields = new Fields(raw);
  const inner = new Fields(told);
  fields.skip("type", "function");
  const tool: Tool = {
    kind: "function",
    name: inner.text("name")!,
    description: inner.text("description"),
    parameters: inner.object("parameters"),
    schemaDialect: "json-schema",
    strict,
    at,
  };
  return owned(tool, fields, { function: inner });
}

/** The function that an entry of type `function` names. */
function functionOf(raw: JsonObject): JsonObject | undefined {
  const inner = raw["function"];
  const isNamed =
    raw["type"] === "function" && isObject(inner) && typeof inner["name"] === "string";
  return isNamed ? inner : undefined;
}
