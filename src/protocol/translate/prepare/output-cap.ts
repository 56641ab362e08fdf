import type { IrRequest, ReasoningAsk, Sampling } from "../../ir/request.ts";
import type { Fit } from "./fit.ts";

/** Anthropic's least budget of thinking: protocols.md §3.8. */
const BUDGET_MIN = 1024;
/** Thinking leaves top-p alone from here on: Anthropic's documentation of extended thinking. */
const THINKING_TOP_P_MIN = 0.95;

/** The cap on output tokens, filled in where the target demands one. */
export function fitOutputCap({ maxOutputTokens: asked }: IrRequest, fit: Fit): number | undefined {
  const { outputCapRequired, outputCapDefault, outputCapMax } = fit.capabilities;
  const path = fit.paths.maxOutputTokens;
  if (asked === undefined) {
    if (!outputCapRequired) return undefined;
    fit.lose("L-MAXTOK-DEFAULT", path, { action: "defaulted" });
    return Math.min(outputCapDefault, outputCapMax ?? outputCapDefault);
  }
  if (outputCapMax === undefined || asked <= outputCapMax) return asked;
  fit.lose("L-RANGE", path, { action: "approximated" });
  return outputCapMax;
}

export interface ThinkingKnobs {
  readonly reasoning: ReasoningAsk | undefined;
  readonly maxOutputTokens: number | undefined;
  readonly sampling: Sampling;
}

/** Where thinking bars other knobs, they give way, and the cap makes room for its budget. */
export function fitThinking(knobs: ThinkingKnobs, fit: Fit): ThinkingKnobs {
  if (!barsKnobs(knobs.reasoning, fit)) return knobs;
  return { ...fitBudget(knobs, fit), sampling: withoutSampling(knobs.sampling, fit) };
}

/** Whether this request will think, at a target where that bars sampling and a forced tool. */
export function barsKnobs(reasoning: ReasoningAsk | undefined, { capabilities }: Fit): boolean {
  return capabilities.thinkingBarsKnobs && reasoning !== undefined && reasoning.mode !== "off";
}

function withoutSampling(sampling: Sampling, fit: Fit): Sampling {
  const { temperature, topP, topK } = sampling;
  const dropsTemperature = temperature !== undefined && temperature !== 1;
  const dropsTopP = topP !== undefined && topP < THINKING_TOP_P_MIN;
  if (dropsTemperature) fit.lose("L-THINK-ADJUST", fit.paths.temperature);
  if (dropsTopP) fit.lose("L-THINK-ADJUST", fit.paths.topP);
  if (topK !== undefined) fit.lose("L-THINK-ADJUST", fit.paths.topK);
  return {
    ...sampling,
    temperature: dropsTemperature ? undefined : temperature,
    topP: dropsTopP ? undefined : topP,
    topK: undefined,
  };
}

/** The budget is at least what the vendor wants and below the cap: protocols.md §3.8, b-R60. */
function fitBudget(knobs: ThinkingKnobs, fit: Fit): Omit<ThinkingKnobs, "sampling"> {
  const { reasoning, maxOutputTokens: cap } = knobs;
  const asked = reasoning?.budgetTokens;
  if (reasoning === undefined || asked === undefined || asked < 0) return knobs;
  const most = fit.capabilities.outputCapMax ?? Number.POSITIVE_INFINITY;
  let budgetTokens = Math.max(asked, BUDGET_MIN);
  let maxOutputTokens = cap;
  if (cap !== undefined && budgetTokens >= cap) {
    maxOutputTokens = Math.min(cap + budgetTokens, most);
    fit.lose("L-THINK-ADJUST", fit.paths.maxOutputTokens, { action: "approximated" });
  }
  const room = (maxOutputTokens ?? most) - 1;
  budgetTokens = Math.min(budgetTokens, room);
  if (budgetTokens !== asked) {
    fit.lose("L-THINK-ADJUST", fit.paths.budget, { action: "approximated" });
  }
  if (budgetTokens < BUDGET_MIN) return { reasoning: { mode: "off" }, maxOutputTokens };
  return { reasoning: { ...reasoning, budgetTokens }, maxOutputTokens };
}
