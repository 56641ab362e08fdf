import type { ToolCallBlock } from "../../ir/block.ts";
import type { JsonObject } from "../../ir/json.ts";
import type { FreeformTool, FunctionTool } from "../../ir/request.ts";
import type { Fit } from "./fit.ts";

/** The one property of a function that stands for a freeform tool: it holds the tool's text. */
export const FREEFORM_PROPERTY = "input";

const PARAMETERS: JsonObject = {
  type: "object",
  properties: { [FREEFORM_PROPERTY]: { type: "string" } },
  required: [FREEFORM_PROPERTY],
  additionalProperties: false,
};

/** A freeform tool as a function; its grammar has no place there: protocols.md §3.5. */
export function asFunction(tool: FreeformTool, name: string, fit: Fit): FunctionTool {
  const { description, format, cache, at } = tool;
  const hasGrammar = format !== undefined && format["type"] !== "text";
  fit.lose("L-FREEFORM", at ?? fit.paths.tools, {
    action: "emulated",
    severity: hasGrammar ? undefined : "cosmetic",
  });
  return {
    kind: "function",
    name,
    description,
    parameters: PARAMETERS,
    schemaDialect: "json-schema",
    cache,
    at,
  };
}

/** A freeform call of the history, as a call of that function. */
export function asFunctionCall(call: ToolCallBlock): ToolCallBlock {
  const argsValue = { [FREEFORM_PROPERTY]: call.args ?? "" };
  return { ...call, args: undefined, argsValue, freeform: undefined };
}
