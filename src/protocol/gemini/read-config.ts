import type { Effort } from "../../core/effort.ts";
import { Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { IrRequest, OutputFormat, ReasoningAsk } from "../ir/request.ts";

/** What of a request stands in its `generationConfig`. */
export type ReadConfig = Pick<
  IrRequest,
  | "sampling"
  | "maxOutputTokens"
  | "stop"
  | "candidates"
  | "seed"
  | "logprobs"
  | "reasoning"
  | "output"
  | "modalities"
>;

/** The modelled settings; what is none of them stays in `fields`. */
export function readConfig(fields: Fields): ReadConfig {
  return {
    sampling: {
      temperature: fields.number("temperature"),
      topP: fields.number("topP"),
      topK: fields.number("topK"),
      frequencyPenalty: fields.number("frequencyPenalty"),
      presencePenalty: fields.number("presencePenalty"),
    },
    maxOutputTokens: fields.number("maxOutputTokens"),
    stop: readTexts(fields, "stopSequences", isText),
    candidates: fields.number("candidateCount"),
    seed: fields.number("seed"),
    logprobs: readLogprobsAsk(fields),
    reasoning: readReasoning(fields),
    output: readOutput(fields),
    modalities: readTexts(fields, "responseModalities", isCapitals)?.map(lowered),
  };
}

function readTexts(
  fields: Fields,
  name: string,
  fits: (value: Json) => value is string,
): readonly string[] | undefined {
  const list = fields.peek(name);
  if (!isList(list) || !list.every(fits)) return undefined;
  fields.skip(name);
  return list;
}

function readLogprobsAsk(fields: Fields): IrRequest["logprobs"] {
  const enabled = fields.flag("responseLogprobs");
  return enabled === undefined ? undefined : { enabled, top: fields.number("logprobs") };
}

const EFFORTS: ReadonlyMap<string, Effort> = new Map([
  ["MINIMAL", "minimal"],
  ["LOW", "low"],
  ["MEDIUM", "medium"],
  ["HIGH", "high"],
]);

/** protocols.md 3.8: a budget of 0 is off, one of -1 is as the model sees fit. */
function readReasoning(fields: Fields): ReasoningAsk | undefined {
  const config = fields.peek("thinkingConfig");
  const asked = isObject(config) ? readAsk(config) : undefined;
  if (asked !== undefined) fields.skip("thinkingConfig");
  return asked;
}

function readAsk(said: JsonObject): ReasoningAsk | undefined {
  const config = new Fields(said);
  const budgetTokens = config.number("thinkingBudget");
  const level = config.peek("thinkingLevel");
  const effort = typeof level === "string" ? EFFORTS.get(level) : undefined;
  if (effort !== undefined) config.skip("thinkingLevel");
  const shown = config.flag("includeThoughts");
  if (budgetTokens === undefined && effort === undefined && shown === undefined) return undefined;
  const isOpen = effort === undefined && (budgetTokens === undefined || budgetTokens < 0);
  return {
    mode: budgetTokens === 0 ? "off" : isOpen ? "adaptive" : "on",
    effort,
    budgetTokens,
    show: shown === undefined ? undefined : shown ? "summary" : "omit",
    at: "generationConfig.thinkingConfig",
    ext: config.ext("gemini"),
  };
}

/** A schema counts only beside the type of JSON; any other type stays as it is. */
function readOutput(fields: Fields): OutputFormat | undefined {
  const mime = fields.peek("responseMimeType");
  const at = "generationConfig";
  if (mime === "text/plain") {
    fields.skip("responseMimeType");
    return { kind: "text", at };
  }
  if (mime !== "application/json") return undefined;
  fields.skip("responseMimeType");
  const json = fields.object("responseJsonSchema");
  if (json !== undefined) {
    return { kind: "schema", schema: json, schemaDialect: "json-schema", at };
  }
  const schema: JsonObject | undefined = fields.object("responseSchema");
  if (schema === undefined) return { kind: "json", at };
  return { kind: "schema", schema, schemaDialect: "openapi", at };
}

function isText(value: Json): value is string {
  return typeof value === "string";
}
function isCapitals(value: Json): value is string {
  return typeof value === "string" && value === value.toLowerCase().toUpperCase();
}
function lowered(text: string): string {
  return text.toLowerCase();
}
