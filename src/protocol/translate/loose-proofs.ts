import type { Block, Signed } from "../ir/block.ts";
import type { Proof } from "./proofs.ts";

/** A proof that stands beside the block it belongs on. */
export interface LooseProof {
  readonly kind: "call" | "text";
  readonly signed: Signed;
  readonly callId?: string | undefined;
  readonly place?: Proof["place"];
  /** How many of the blocks around it stand before it. */
  readonly index: number;
  /** Where its carrier stood, for a report. */
  readonly at: string;
}

/** A message whose proofs stand where they belong. */
export interface Attached {
  readonly blocks: readonly Block[];
  /** Those whose call is not there. */
  readonly lost: readonly LooseProof[];
}

/** Puts each loose proof on the call or the text it belongs on. They come in the order of index. */
export function attachProofs(blocks: readonly Block[], loose: readonly LooseProof[]): Attached {
  if (loose.length === 0) return { blocks, lost: [] };
  const calls = new Places(blocks, "tool_call");
  const texts = new Places(blocks, "text");
  const proven: Block[] = [...blocks];
  const alone: LooseProof[] = [];
  const lost: LooseProof[] = [];
  for (const proof of loose) {
    const at = proof.kind === "call" ? calls.ofCall(proof) : texts.ofText(proof);
    const block = at === undefined ? undefined : proven[at];
    if (at !== undefined && (block?.type === "tool_call" || block?.type === "text")) {
      proven[at] = { ...block, proof: proof.signed };
    } else {
      (proof.kind === "text" ? alone : lost).push(proof);
    }
  }
  return { blocks: withTexts(proven, alone), lost };
}

/** The blocks of one type that have no proof yet, found in constant time from both sides. */
class Places {
  readonly #free = new Set<number>();
  readonly #byCallId = new Map<string, number>();
  readonly #all: number[] = [];
  /** Places before the proof at hand, the nearest last. */
  readonly #behind: number[] = [];
  #seen = 0;
  #ahead = 0;

  constructor(blocks: readonly Block[], type: "tool_call" | "text") {
    for (const [index, block] of blocks.entries()) {
      if (block.type !== type || ("proof" in block && block.proof !== undefined)) continue;
      this.#free.add(index);
      this.#all.push(index);
      if (block.type === "tool_call" && block.callId !== undefined) {
        this.#byCallId.set(block.callId, index);
      }
    }
  }

  /** By its id; without one, the next call that has no proof. */
  ofCall({ callId, index }: LooseProof): number | undefined {
    if (callId === undefined) return this.#next(index);
    const found = this.#byCallId.get(callId);
    return found !== undefined && this.#free.delete(found) ? found : undefined;
  }

  /** The text on the side it was taken from, else on the other. */
  ofText({ place, index }: LooseProof): number | undefined {
    if (place === "alone") return undefined;
    return place === "after"
      ? (this.#last(index) ?? this.#next(index))
      : (this.#next(index) ?? this.#last(index));
  }

  #next(index: number): number | undefined {
    for (; this.#ahead < this.#all.length; this.#ahead++) {
      const at = this.#all[this.#ahead]!;
      if (at >= index && this.#free.delete(at)) return at;
    }
    return undefined;
  }

  #last(index: number): number | undefined {
    for (; (this.#all[this.#seen] ?? index) < index; this.#seen++) {
      this.#behind.push(this.#all[this.#seen]!);
    }
    for (let at = this.#behind.pop(); at !== undefined; at = this.#behind.pop()) {
      if (this.#free.delete(at)) return at;
    }
    return undefined;
  }
}

/** Gemini itself puts a proof on an empty text where there is nothing to put it on. */
function withTexts(blocks: readonly Block[], alone: readonly LooseProof[]): readonly Block[] {
  if (alone.length === 0) return blocks;
  const all: Block[] = [];
  let at = 0;
  for (const { index, signed } of alone) {
    while (at < index && at < blocks.length) all.push(blocks[at++]!);
    all.push({ type: "text", text: "", proof: signed });
  }
  all.push(...blocks.slice(at));
  return all;
}
