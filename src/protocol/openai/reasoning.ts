import type { ReasoningBlock } from "../ir/block.ts";
import type { JsonObject } from "../ir/json.ts";
import { writeDetails } from "./reasoning-details.ts";

/** What keeps apart what were several pieces of reasoning, in the one text there is for them. */
export const REASONING_GAP = "\n\n";

/**
 * The reasoning of another protocol in a message: as text for whoever shows it, and with its proofs
 * in `reasoning_details`, which clients send back with the message (protocols.md 3.9).
 */
export class Reasoning {
  readonly #blocks: ReasoningBlock[] = [];

  add(block: ReasoningBlock): void {
    this.#blocks.push(block);
  }

  get text(): string | undefined {
    const texts = this.#blocks.map(textOf).filter((text) => text !== "");
    return texts.length === 0 ? undefined : texts.join(REASONING_GAP);
  }

  /** Undefined where nothing has to come back: text alone proves nothing. */
  get details(): readonly JsonObject[] | undefined {
    const hasProof = this.#blocks.some(({ signature, sealed }) => signature ?? sealed);
    if (!hasProof) return undefined;
    return this.#blocks.flatMap((block, index) => writeDetails(block, index));
  }
}

function textOf({ text = "", summary = [] }: ReasoningBlock): string {
  return text === "" ? summary.join(REASONING_GAP) : text;
}
