import { compact } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { IrRequest, ReasoningAsk } from "../ir/request.ts";
import { capabilities } from "./capabilities.ts";
import { innerObject } from "./own-fields.ts";
import { spellingOf } from "./spelling.ts";

/** How the answer is thought out and in what form it comes. */
export function writeOutput(request: IrRequest): { readonly [name: string]: Json | undefined } {
  const { reasoning, output } = request;
  const own = request.ext?.anthropic;
  const format = writeFormat(request);
  const slot = output && spellingOf(output).slot;
  const config = { effort: effortOf(reasoning), format: slot === undefined ? format : undefined };
  return {
    thinking: writeThinking(reasoning),
    output_config: innerObject(config, { own, name: "output_config" }),
    output_format: slot === undefined ? undefined : format,
  };
}

function writeThinking(reasoning: ReasoningAsk | undefined): JsonObject | undefined {
  if (reasoning === undefined || spellingOf(reasoning).without === "thinking") return undefined;
  const { mode, budgetTokens, show, ext } = reasoning;
  const own = ext?.anthropic;
  const type = own?.["type"] === undefined ? typeOf(reasoning) : undefined;
  const display = show && (show === "omit" ? "omitted" : "summarized");
  const budget_tokens = type === "enabled" || own !== undefined ? budgetTokens : undefined;
  return compact({ type, budget_tokens, display: mode === "off" ? undefined : display }, own);
}

/** A budget says how much; without one the model sees for itself. */
function typeOf({ mode, budgetTokens }: ReasoningAsk): string {
  if (mode === "off") return "disabled";
  return budgetTokens !== undefined && budgetTokens > 0 ? "enabled" : "adaptive";
}

function effortOf(reasoning: ReasoningAsk | undefined): string | undefined {
  const effort = reasoning?.effort;
  return effort !== undefined && capabilities.efforts.includes(effort) ? effort : undefined;
}

function writeFormat({ output }: IrRequest): JsonObject | undefined {
  if (output?.kind !== "schema") return undefined;
  return compact({ type: "json_schema", schema: output.schema }, output.ext?.anthropic);
}
