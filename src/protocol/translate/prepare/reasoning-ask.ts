import type { Effort } from "../../../core/effort.ts";
import type { IrRequest, ReasoningAsk } from "../../ir/request.ts";
import { BUDGET_OF, effortOf, nearestEffort } from "./effort-budgets.ts";
import type { Fit } from "./fit.ts";
import { dropExt } from "./own-words.ts";

/** What "as it sees fit" comes to where a word or a number has to be said: protocols.md §3.8. */
const DYNAMIC_EFFORT: Effort = "medium";
/** Gemini's own number for it. */
const DYNAMIC_BUDGET = -1;
/** Two wires have an object for the ask that need not ask for any thinking. */
const MAY_SAY_NOTHING: ReadonlySet<string> = new Set(["responses", "gemini"]);
/** Here thinking that was asked for is shown unless the caller says otherwise. */
const SHOWS_UNASKED: ReadonlySet<string> = new Set(["anthropic", "bedrock", "cohere"]);

/** How hard the caller wants the model to think, before the target's way to say it. */
type Wish =
  | { readonly kind: "unsaid" | "off" | "dynamic" }
  | { readonly kind: "word"; readonly effort: Effort }
  | { readonly kind: "budget"; readonly tokens: number };

/**
 * The ask in the target's style; undefined where there is nothing to say. `isSealed`: the history
 * holds reasoning that this target sealed, so its model is one that reasons.
 */
export function fitReasoning(
  request: IrRequest,
  isSealed: boolean,
  fit: Fit,
): ReasoningAsk | undefined {
  const sealed = takesSealed(fit) ? true : undefined;
  const wantsSealed = isSealed || request.reasoning?.wantSealed === true;
  const unasked: ReasoningAsk | undefined =
    sealed && wantsSealed ? { mode: "on", wantSealed: true } : undefined;
  if (request.reasoning === undefined) return unasked;
  const { thinking } = fit.paths;
  const reasoning = dropExt(request.reasoning, { kind: "reasoning", path: thinking, fit });
  const wish = wishOf(reasoning, fit);
  const path = wishPath(reasoning, fit);
  if (fit.capabilities.reasoning === "none") {
    const asks = wish.kind === "unsaid" ? isShown(reasoning) : wish.kind !== "off";
    if (asks) fit.lose("L-REASONING-ASK", path);
    return undefined;
  }
  const show = shown(reasoning, { wish, fit });
  if (wish.kind !== "unsaid") {
    const asked = withSecond(reasoning, said(wish, path, fit), fit);
    return { ...asked, ...show, wantSealed: asked.mode === "off" ? undefined : sealed };
  }
  if (show.show !== undefined) return { mode: "on", ...show, wantSealed: sealed };
  // Without an ask of its own the target does not think, so there is nothing to show.
  if (isShown(reasoning) && !isHidden(fit)) fit.lose("L-REASONING-ASK", fit.paths.show);
  return unasked;
}

/** What the vendor is told not to keep comes back sealed, so that the next turn can go on. */
function takesSealed({ target, capabilities }: Fit): boolean {
  const { reasoning, proofSlot } = capabilities;
  return target === "responses" && reasoning !== "none" && proofSlot !== "none";
}

/** Where the caller gave a word and a number, Claude takes both; elsewhere one counts. */
function withSecond({ effort, budgetTokens }: ReasoningAsk, asked: Said, fit: Fit): Said {
  if (effort === undefined || budgetTokens === undefined || asked.mode === "off") return asked;
  const { family, reasoning, efforts } = fit.capabilities;
  const isBudget = asked.budgetTokens !== undefined;
  if (isBudget && reasoning === "either" && family === "anthropic" && efforts.includes(effort)) {
    return { ...asked, effort };
  }
  fit.lose("L-EFFORT", isBudget ? fit.paths.effort : fit.paths.budget);
  return asked;
}

function wishOf({ mode, effort, budgetTokens, wantSealed }: ReasoningAsk, fit: Fit): Wish {
  if (mode === "off" || effort === "none" || budgetTokens === 0) return { kind: "off" };
  const style = fit.capabilities.reasoning;
  const takesBudgets = style === "budget" || style === "either";
  if (budgetTokens !== undefined && (takesBudgets || effort === undefined)) {
    return budgetTokens < 0 ? { kind: "dynamic" } : { kind: "budget", tokens: budgetTokens };
  }
  if (effort !== undefined) return { kind: "word", effort };
  const isBare = MAY_SAY_NOTHING.has(fit.origin) || (mode === "on" && wantSealed === true);
  return { kind: isBare ? "unsaid" : "dynamic" };
}

function wishPath({ effort, budgetTokens }: ReasoningAsk, { paths }: Fit): string {
  if (effort !== undefined) return paths.effort;
  return budgetTokens === undefined ? paths.thinking : paths.budget;
}

type Said = Pick<ReasoningAsk, "mode" | "effort" | "budgetTokens">;

function said(wish: Wish, path: string, fit: Fit): Said {
  switch (fit.capabilities.reasoning) {
    case "none":
      return { mode: "off" };
    case "effort":
      return word(wish, path, fit);
    case "budget":
      return budget(wish, path, fit);
    case "either":
      if (wish.kind === "budget") return budget(wish, path, fit);
      if (fit.capabilities.family === "anthropic") return adaptive(wish, path, fit);
      return wish.kind === "dynamic" ? budget(wish, path, fit) : word(wish, path, fit);
    case "adaptive":
      return adaptive(wish, path, fit);
  }
}

/** Anthropic's words go with thinking that finds its own measure. */
function adaptive(wish: Wish, path: string, fit: Fit): Said {
  // Gemini's own number for that has no other counterpart, so an effort stands for it.
  if (wish.kind === "dynamic" && !MAY_SAY_NOTHING.has(fit.origin)) return { mode: "adaptive" };
  const asked = word(wish, path, fit);
  return asked.mode === "on" ? { ...asked, mode: "adaptive" } : asked;
}

function word(wish: Wish, path: string, fit: Fit): Said {
  const { efforts, reasoning } = fit.capabilities;
  if (wish.kind === "off") {
    if (efforts.includes("none")) return { mode: "off", effort: "none" };
    if (reasoning !== "effort") return { mode: "off" };
  }
  const wanted = effortOfWish(wish);
  const effort = nearestEffort(wanted, efforts);
  const isExact = wish.kind !== "budget" || BUDGET_OF[wanted] === wish.tokens;
  if (effort !== wanted || !isExact) fit.lose("L-EFFORT", path, { action: "approximated" });
  return { mode: "on", effort };
}

function effortOfWish(wish: Wish): Effort {
  switch (wish.kind) {
    case "word":
      return wish.effort;
    case "budget":
      return effortOf(wish.tokens);
    case "off":
      return "none";
    case "dynamic":
    case "unsaid":
      return DYNAMIC_EFFORT;
  }
}

function budget(wish: Wish, path: string, fit: Fit): Said {
  switch (wish.kind) {
    case "off":
      return { mode: "off" };
    case "budget":
      return { mode: "on", budgetTokens: wish.tokens };
    case "word":
      if (wish.effort === "max") fit.lose("L-EFFORT", path, { action: "approximated" });
      return { mode: "on", budgetTokens: BUDGET_OF[wish.effort] };
    case "dynamic":
    case "unsaid":
      if (fit.target === "gemini") return { mode: "adaptive", budgetTokens: DYNAMIC_BUDGET };
      return { mode: "on", budgetTokens: BUDGET_OF[DYNAMIC_EFFORT] };
  }
}

function isShown({ show }: ReasoningAsk): boolean {
  return show === "full" || show === "summary";
}

/** Whether the thoughts come along, in the target's words for it. */
function shown(
  ask: ReasoningAsk,
  { wish, fit }: { readonly wish: Wish; readonly fit: Fit },
): Pick<ReasoningAsk, "show" | "summary"> {
  const { target, capabilities, origin } = fit;
  const isOff = wish.kind === "off";
  // Where a little thinking stands for none, at least nobody sees it.
  if (isOff && target === "gemini" && capabilities.reasoning === "effort") return { show: "omit" };
  if (isOff || (ask.show === undefined && !SHOWS_UNASKED.has(origin))) return {};
  if (target === "responses") {
    if (!isShown(ask)) return {};
    return { show: "summary", summary: ask.summary ?? "auto" };
  }
  if (target === "gemini") return { show: ask.show === "omit" ? "omit" : "summary" };
  if (capabilities.reasoning === "adaptive" && ask.show !== undefined) {
    return { show: ask.show === "omit" ? "omit" : "summary" };
  }
  if (ask.show === "omit" && capabilities.family === "anthropic") return { show: "omit" };
  if (isHidden(fit) && isShown(ask)) fit.lose("L-REASONING-ASK", fit.paths.show);
  return {};
}

/** OpenAI's own chat never shows a thought. */
function isHidden({ target, capabilities }: Fit): boolean {
  return (
    target === "openai" && (capabilities.proofSlot === "none" || capabilities.family === "openai")
  );
}
