import type { Block, ReasoningBlock, Signed } from "../ir/block.ts";
import { isList } from "../ir/fields.ts";
import type { Json } from "../ir/json.ts";
import { REASONING_SLOTS } from "./read-assistant.ts";
import { REASONING_GAP } from "./reasoning.ts";
import { writeDetails } from "./reasoning-details.ts";
import { spellingOf } from "./spelling.ts";
import { lost, type PartContext } from "./write-parts.ts";

/** Reasoning of a history: where it stood, or where the target's models take that of others. */
export function writeReasoning(
  blocks: readonly Block[],
  context: PartContext,
): Record<string, Json> {
  const said = new Said(context);
  for (const [index, block] of blocks.entries()) said.add(block, index);
  return said.members;
}

class Said {
  readonly #context: PartContext;
  readonly #members: Record<string, Json> = {};
  readonly #details: Json[] = [];

  constructor(context: PartContext) {
    this.#context = context;
  }

  get members(): Record<string, Json> {
    const details = this.#details;
    return details.length === 0 ? this.#members : { ...this.#members, reasoning_details: details };
  }

  add(block: Block, index: number): void {
    const { slot, raw } = spellingOf(block);
    if (block.type === "opaque" && slot === "reasoning_details") this.#details.push(block.raw);
    if (block.type === "tool_call" || block.type === "text") this.#addProof(block, index);
    if (block.type !== "reasoning" || slot === "part") return;
    if (slot === "reasoning_details" && isList(raw)) {
      this.#details.push(...raw);
    } else if (REASONING_SLOTS.some((name) => name === slot)) {
      this.#members[slot!] = block.text ?? "";
    } else {
      this.#addForeign(block, index);
    }
  }

  /** Behind the hosts that have details, Gemini finds the proof of a call by the call's id. */
  #addProof(block: Extract<Block, { readonly proof?: Signed | undefined }>, index: number): void {
    const { isOwn, capabilities } = this.#context;
    if (isOwn || block.proof === undefined || capabilities.proofSlot !== "details") return;
    const call = block.type === "tool_call";
    const callId = block.type === "tool_call" ? block.callId : undefined;
    const carries = { proofOf: call ? "call" : "text", callId } as const;
    const carrier: ReasoningBlock = { type: "reasoning", signature: block.proof, carries };
    this.#details.push(...writeDetails(carrier, index));
  }

  /** OpenAI's own chat has no place for reasoning, and refuses members it does not know. */
  #addForeign(block: ReasoningBlock, index: number): void {
    const { family } = this.#context.capabilities;
    const text = block.text ?? "";
    if (family === "anthropic" || family === "google") {
      this.#details.push(...writeDetails(block, index));
    } else if (family === "other" && text !== "") {
      const before = this.#members["reasoning_content"];
      const said = typeof before === "string" ? before + REASONING_GAP + text : text;
      this.#members["reasoning_content"] = said;
    } else {
      lost(block, "L-REASONING-FOREIGN", this.#context);
    }
  }
}
