import type { Block } from "../../ir/block.ts";
import type { DocumentRef, Message } from "../../ir/request.ts";
import type { Fit } from "./fit.ts";
import { asBlocks } from "./search-results.ts";
import { isSystem } from "./system.ts";
import { MINIMAL } from "./turns.ts";

/** These answer after an assistant's last turn; where others do not continue it they refuse it. */
const ANSWERS_AFTER: ReadonlySet<string> = new Set(["openai", "responses", "cohere"]);

/** The first turn is the user's, and so is the last where the target continues no other. */
export function fitEnds(messages: readonly Message[], { isEmpty, fit }: Ends): readonly Message[] {
  return withLast(isEmpty ? messages : withFirst(messages, fit), fit);
}
export interface Ends {
  /** The caller said nothing at all, which is the target's to refuse. */
  readonly isEmpty: boolean;
  readonly fit: Fit;
}

function withFirst(messages: readonly Message[], fit: Fit): readonly Message[] {
  const { system, toolResults } = fit.capabilities;
  const index = messages.findIndex((message) => !isSystem(message));
  const first = messages[index];
  if (first === undefined) {
    return system === "list" ? messages : [...messages, minimalTurn(undefined, fit)];
  }
  if (first.role !== "assistant" || toolResults === "tool") return messages;
  return messages.toSpliced(index, 0, minimalTurn(first.at, fit));
}

function withLast(messages: readonly Message[], fit: Fit): readonly Message[] {
  const last = messages.at(-1);
  if (last?.role !== "assistant" || fit.capabilities.prefill) return messages;
  fit.lose("L-PREFILL", last.at ?? fit.paths.messages, { action: "approximated" });
  if (ANSWERS_AFTER.has(fit.target)) return messages;
  return [...messages, minimalTurn(last.at, fit)];
}

function minimalTurn(at: string | undefined, fit: Fit): Message {
  fit.lose("L-TURN-ADDED", at ?? fit.paths.messages, { action: "defaulted" });
  return { role: "user", blocks: [{ type: "text", text: MINIMAL }] };
}

/** Documents that stood beside the messages, in front of what the user said last. */
export function withDocuments(
  messages: readonly Message[],
  documents: readonly DocumentRef[],
  fit: Fit,
): readonly Message[] {
  if (documents.length === 0) return messages;
  const blocks: readonly Block[] = asBlocks(documents, fit);
  const index = messages.findLastIndex(isSpeech);
  const message = messages[index];
  if (message === undefined) {
    const first = messages.findIndex((each) => !isSystem(each));
    const place = first === -1 ? messages.length : first;
    return messages.toSpliced(place, 0, { role: "user", blocks });
  }
  const said = message.blocks.findIndex(isSaid);
  const at = said === -1 ? message.blocks.length : said;
  return messages.with(index, { ...message, blocks: message.blocks.toSpliced(at, 0, ...blocks) });
}

function isSpeech({ role, blocks }: Message): boolean {
  return role === "user" && (blocks.length === 0 || blocks.some(isSaid));
}

function isSaid({ type }: Block): boolean {
  return type !== "tool_result" && type !== "cache_mark";
}
