import { parseJson, printJson } from "../../wire/exact-json.ts";
import type { ToolCallBlock } from "./block.ts";
import { isObject } from "./fields.ts";
import type { Json, JsonObject } from "./json.ts";
import type { Report } from "./loss.ts";

const encoder = new TextEncoder();

/** A call's arguments as the text that Chat, Responses and Cohere carry; `{}` where it has none. */
export function argsText({ args, argsValue }: ToolCallBlock): string {
  if (args !== undefined) return args === "" ? "{}" : args;
  return printJson(argsValue ?? {});
}

/** A call's arguments as the object that Anthropic, Gemini and Bedrock carry. */
export function argsObject(block: ToolCallBlock, report: Report): JsonObject {
  const value = block.argsValue ?? parsed(block.args ?? "");
  if (isObject(value)) return value;
  report({ code: "L-ARGS-INVALID", path: block.at ?? block.name, action: "approximated" });
  return { _raw: block.args ?? printJson(value) };
}

/** Undefined when the text is no JSON; no text is no arguments. */
function parsed(text: string): Json | undefined {
  return text.trim() === "" ? {} : (parseJson(encoder.encode(text)) as Json | undefined);
}
