import type { Effort } from "../../core/effort.ts";
import { Fields, isObject } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { IrRequest, ReasoningAsk } from "../ir/request.ts";
import { readEffort } from "./read-output.ts";
import { leftOf } from "./rest.ts";

/** What of `additionalModelRequestFields` has a meaning beyond its model's own host. */
export interface ModelFields {
  readonly reasoning?: ReasoningAsk | undefined;
  readonly topK?: IrRequest["sampling"]["topK"];
  readonly left?: JsonObject | undefined;
}

/**
 * Reads what Claude and Nova take there. A place that is one of two stays as an object, even when
 * it is empty, so that its writer knows it again: `output_config` and `inferenceConfig`.
 */
export function readModelFields(
  wire: JsonObject | undefined,
  effort: Effort | undefined,
): ModelFields {
  if (wire === undefined) return { reasoning: reasoningOf(undefined, effort) };
  const fields = new Fields(wire);
  const thinking = readThinking(fields);
  const config = fields.object(EFFORT_PLACE);
  const configFields = config && new Fields(config);
  const inner = configFields && readEffort(configFields);
  const nova = fields.object("inferenceConfig");
  const novaFields = nova && new Fields(nova);
  const topK = novaFields === undefined ? fields.number("top_k") : novaFields.number("topK");
  const left = leftOf(wire, fields, {
    [EFFORT_PLACE]: config && configFields && (leftOf(config, configFields) ?? {}),
    inferenceConfig: nova && novaFields && (leftOf(nova, novaFields) ?? {}),
  });
  return { reasoning: reasoningOf(thinking, effort ?? inner), topK, left };
}

/** Where Claude's own host has the effort; a request that has this place is read there only. */
export const EFFORT_PLACE = "output_config";

/** Claude's `thinking`, if it holds nothing unknown; else it is left where it stands. */
function readThinking(fields: Fields): ReasoningAsk | undefined {
  const wire = fields.peek("thinking");
  if (!isObject(wire)) return undefined;
  const inner = new Fields(wire);
  const type = inner.text("type");
  const budgetTokens = inner.number("budget_tokens");
  const display = inner.text("display");
  const show = display === undefined ? undefined : SHOWN.get(display);
  const isKnown =
    inner.ext("bedrock") === undefined && (show !== undefined || display === undefined);
  const mode = type === undefined ? undefined : MODES.get(type);
  // Thinking of a budget has one, and none else has: only then is it written as it was read.
  if (!isKnown || mode === undefined || (mode === "on") !== (budgetTokens !== undefined)) {
    return undefined;
  }
  fields.skip("thinking");
  return { mode, budgetTokens, show };
}

const MODES: ReadonlyMap<string, ReasoningAsk["mode"]> = new Map<string, ReasoningAsk["mode"]>([
  ["enabled", "on"],
  ["adaptive", "adaptive"],
  ["disabled", "off"],
]);
const SHOWN: ReadonlyMap<string, "summary" | "omit"> = new Map<string, "summary" | "omit">([
  ["summarized", "summary"],
  ["omitted", "omit"],
]);

function reasoningOf(
  thinking: ReasoningAsk | undefined,
  effort: Effort | undefined,
): ReasoningAsk | undefined {
  if (thinking !== undefined) return { ...thinking, effort };
  return effort === undefined ? undefined : { mode: "on", effort };
}
