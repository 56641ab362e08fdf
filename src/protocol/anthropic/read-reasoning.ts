import type { Effort } from "../../core/effort.ts";
import { isObject } from "../ir/fields.ts";
import type { OutputFormat, ReasoningAsk } from "../ir/request.ts";
import { capabilities } from "./capabilities.ts";
import { OwnFields } from "./own-fields.ts";
import { spelled } from "./spelling.ts";

const MODES: ReadonlyMap<string, ReasoningAsk["mode"]> = new Map([
  ["enabled", "on"],
  ["adaptive", "adaptive"],
  ["disabled", "off"],
  ["between_tools", "adaptive"],
]);
const SHOWN: ReadonlyMap<string, ReasoningAsk["show"]> = new Map([
  ["summarized", "summary"],
  ["omitted", "omit"],
]);

export interface OutputRead {
  readonly reasoning?: ReasoningAsk | undefined;
  readonly output?: OutputFormat | undefined;
}

/** `thinking` and `output_config`, which says how hard to think and in what form to answer. */
export function readOutput(fields: OwnFields): OutputRead {
  const thinking = readThinking(fields);
  const config = fields.inner("output_config", (inner) => ({
    effort: readEffort(inner),
    output: readFormat(inner, "format"),
  }));
  // Where clients of the older beta put the same.
  const beta = config?.output === undefined ? readFormat(fields, "output_format") : undefined;
  const output = config?.output ?? (beta && spelled(beta, { slot: "output_format" }));
  const effort = config?.effort;
  if (thinking !== undefined) return { reasoning: { ...thinking, effort }, output };
  if (effort === undefined) return { output };
  // Nothing was said of thinking itself: whether the model does is its own default.
  const ask: ReasoningAsk = { mode: "adaptive", effort };
  return { reasoning: spelled(ask, { without: "thinking" }), output };
}

function readThinking(fields: OwnFields): ReasoningAsk | undefined {
  const object = fields.peek("thinking");
  const type = isObject(object) ? object["type"] : undefined;
  const mode = typeof type === "string" ? MODES.get(type) : undefined;
  if (!isObject(object) || mode === undefined) return undefined;
  const inner = new OwnFields(object);
  fields.skip("thinking");
  // The one type without a mode of its own stays written out.
  if (type !== "between_tools") inner.skip("type");
  const budgetTokens = inner.number("budget_tokens");
  const display = inner.peek("display");
  const show = typeof display === "string" ? SHOWN.get(display) : undefined;
  if (show !== undefined) inner.skip("display");
  return { mode, budgetTokens, show, ext: inner.own() };
}

function readEffort(fields: OwnFields): Effort | undefined {
  const word = fields.peek("effort");
  const effort = capabilities.efforts.find((known) => known === word);
  if (effort !== undefined) fields.skip("effort");
  return effort;
}

function readFormat(fields: OwnFields, name: string): OutputFormat | undefined {
  const object = fields.peek(name);
  if (!isObject(object) || object["type"] !== "json_schema") return undefined;
  const inner = new OwnFields(object);
  inner.skip("type");
  const schema = inner.any("schema");
  if (schema === undefined) return undefined;
  fields.skip(name);
  return { kind: "schema", schema, schemaDialect: "json-schema", ext: inner.own() };
}
