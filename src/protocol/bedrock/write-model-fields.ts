import type { ReasoningStyle } from "../../core/capabilities.ts";
import type { RequestContext } from "../codec.ts";
import { compact } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { IrRequest, ReasoningAsk } from "../ir/request.ts";
import { inside, unlessEmpty } from "./rest.ts";

/** What is written for the model's own host, and the effort that stands beside it. */
export interface WrittenModelFields {
  /** `additionalModelRequestFields`. */
  readonly fields: JsonObject | undefined;
  /** `outputConfig.effort`. */
  readonly effort: string | undefined;
}

/** Nova's models, under their own names and those of their inference profiles. */
const NOVA = /(?:^|[./])amazon\.nova/;
/** What "low" stands for: protocols.md §3.8. */
const LOW_BUDGET = 4096;

/**
 * Reasoning and top-k have no place in Converse: each model's host has its own, of which those of
 * Claude and Nova are known. What was read from a place goes back there.
 */
export function writeModelFields(
  { reasoning, sampling, ext, origin }: IrRequest,
  { model, capabilities }: RequestContext,
): WrittenModelFields {
  const left = inside(ext?.bedrock, "additionalModelRequestFields");
  const nova = inside(left, "inferenceConfig");
  const config = inside(left, "output_config");
  const isNova = origin !== "bedrock" && NOVA.test(model);
  const own = origin === "bedrock";
  const { topK } = sampling;
  const effort = reasoning?.effort;
  const style = own ? undefined : capabilities.reasoning;
  const members = {
    thinking: isNova ? undefined : thinkingOf(reasoning, style),
    reasoningConfig: isNova ? reasoningConfigOf(reasoning) : undefined,
    top_k: nova === undefined && !isNova ? topK : undefined,
    inferenceConfig: nova === undefined && !isNova ? undefined : topKInside(topK, nova),
    output_config: config && compact({ effort }, config),
  };
  const fields = unlessEmpty(compact(members, left), left);
  const isElsewhere = config !== undefined || isNova || (!own && reasoning?.mode === "off");
  return { fields, effort: isElsewhere ? undefined : effort };
}

/**
 * Claude's: a budget where there is one, else the model's own measure where it knows that. There is
 * no style of a request that was read from this wire: it is written as it was.
 */
function thinkingOf(
  reasoning: ReasoningAsk | undefined,
  style: ReasoningStyle | undefined,
): JsonObject | undefined {
  if (reasoning === undefined) return undefined;
  const { mode, budgetTokens, show } = reasoning;
  const display = show === undefined ? undefined : DISPLAYS[show];
  if (mode === "off") return style === "none" ? undefined : compact({ type: "disabled", display });
  if (mode === "on" && budgetTokens !== undefined) {
    return compact({ type: "enabled", budget_tokens: budgetTokens, display });
  }
  const isAdaptive = mode === "adaptive" || style === "adaptive";
  return isAdaptive ? compact({ type: "adaptive", display }) : undefined;
}

const DISPLAYS: Readonly<Record<NonNullable<ReasoningAsk["show"]>, string | undefined>> = {
  full: undefined,
  summary: "summarized",
  omit: "omitted",
};

/** Nova 2: AWS's guide to its extended thinking. */
function reasoningConfigOf(reasoning: ReasoningAsk | undefined): JsonObject | undefined {
  if (reasoning === undefined) return undefined;
  if (reasoning.mode === "off") return { type: "disabled" };
  return { type: "enabled", maxReasoningEffort: novaEffort(reasoning) };
}

function novaEffort({ effort, budgetTokens = -1 }: ReasoningAsk): string {
  switch (effort) {
    case "none":
    case "minimal":
    case "low":
      return "low";
    case "medium":
      return "medium";
    case "high":
    case "xhigh":
    case "max":
      return "high";
    case undefined:
      return budgetTokens > 0 && budgetTokens <= LOW_BUDGET ? "low" : "medium";
  }
}

function topKInside(topK: Json | undefined, left: JsonObject | undefined): JsonObject | undefined {
  return unlessEmpty(compact({ topK }, left), left);
}
