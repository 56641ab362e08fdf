import type { Block, ReasoningBlock, Signed } from "../../ir/block.ts";
import type { Message, ReasoningAsk } from "../../ir/request.ts";
import type { Fit } from "./fit.ts";
import { bare, pathOf } from "./text.ts";

/** Where a reasoning block stands, as far as it matters. */
export interface ReasoningPlace {
  /** After the last turn in which the user spoke: the tool loop is still on. */
  readonly isInLoop: boolean;
}

/**
 * A proof goes back only to the family it is of; thoughts without one only to a host that reads
 * them, and only within the loop: protocols.md §3.9 rules 1 to 4.
 */
export function fitReasoningBlock(
  block: ReasoningBlock,
  { isInLoop }: ReasoningPlace,
  fit: Fit,
): ReasoningBlock | undefined {
  const { signature, sealed } = block;
  const proofs = [signature, sealed].filter(isProof);
  const isKept =
    block.carries === undefined &&
    (proofs.length > 0
      ? proofs.every(({ family }) => family === fit.capabilities.family) && hasSlot(fit)
      : isRead(block, { isInLoop }, fit));
  if (isKept) return bare(block, fit);
  if (!isEmpty(block)) fit.lose("L-REASONING-FOREIGN", pathOf(block, fit));
  return undefined;
}

function isProof(signed: Signed | undefined): signed is Signed {
  return signed !== undefined && signed.value !== "";
}

function hasSlot({ capabilities }: Fit): boolean {
  return capabilities.proofSlot !== "none";
}

/** Cohere's plan always goes back; other hosts that read plain thoughts want fresh ones only. */
function isRead(block: ReasoningBlock, { isInLoop }: ReasoningPlace, fit: Fit): boolean {
  const { family, proofSlot } = fit.capabilities;
  if (block.text === undefined || block.text === "") return false;
  if (fit.target === "cohere") return block.planOf === "tool" || isInLoop;
  return isInLoop && fit.target === "openai" && family === "other" && proofSlot === "details";
}

function isEmpty({ text, summary, signature, sealed }: ReasoningBlock): boolean {
  const hasWords = (text ?? "") !== "" || summary?.some((part) => part !== "") === true;
  return !hasWords && !isProof(signature) && !isProof(sealed);
}

/** Index of the first message after the last one in which the user said something. */
export function loopStart(messages: readonly Message[]): number {
  for (let index = messages.length - 1; index >= 0; index--) {
    if (isSpeech(messages[index]!, messages[index - 1])) return index + 1;
  }
  return 0;
}

/** Media right behind results are what a tool showed, where results themselves have no place. */
function isSpeech({ role, blocks }: Message, before: Message | undefined): boolean {
  if (role !== "user") return false;
  const isShown = before !== undefined && before.blocks.some(isResult);
  return blocks.some(
    (block) => !isResult(block) && block.type !== "cache_mark" && !(isShown && isMedia(block)),
  );
}

function isResult({ type }: Block): boolean {
  return type === "tool_result";
}

function isMedia({ type }: Block): boolean {
  return type === "media";
}

/**
 * Thinking of a given budget must have begun every step of a loop; one that another vendor began
 * goes on without: protocols.md §3.9 rule 3. Adaptive thinking asks nothing of earlier turns.
 */
export function withoutForeignLoop(
  ask: ReasoningAsk,
  messages: readonly Message[],
  fit: Fit,
): ReasoningAsk {
  const isManual = fit.capabilities.family === "anthropic" && ask.mode === "on";
  if (!isManual || ask.budgetTokens === undefined) return ask;
  const last = messages.findLastIndex(({ blocks }) => blocks.some(isCall));
  const step = messages[last];
  if (step === undefined || last < loopStart(messages)) return ask;
  if (step.blocks[0]?.type === "reasoning") return ask;
  fit.lose("L-THINK-OFF", fit.paths.thinking);
  return { mode: "off" };
}

function isCall({ type }: Block): boolean {
  return type === "tool_call";
}
