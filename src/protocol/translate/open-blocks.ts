import type { Block, Signed } from "../ir/block.ts";
import type { IrEvent } from "../ir/event.ts";
import type { PlacedProof } from "./proof-slots.ts";

type At<T extends IrEvent["t"]> = Extract<IrEvent, { t: T }>;
/** How a block begins. */
export type Start = At<"block_start">;
/** How it grows. */
export type Grow = At<"delta">;
/** How it ends. */
export type Stopped = At<"block_stop">;

/** One open block of the source. `out` is its number for the client once it was started. */
export interface Open {
  readonly start: Start;
  readonly path: string;
  readonly how: "as-is" | "reasoning" | "carrier" | "text" | "held";
  out: number | undefined;
  proof: Signed | undefined;
  isLost: boolean;
  readonly held: Grow[];
}

/** A carrier's proof on its way to a part that has not begun. */
export interface Waiting {
  readonly proofOf: "call" | "text";
  readonly callId: string | undefined;
  readonly signed: Signed;
  readonly path: string;
}

/** One candidate on its way; `next` is the number of its next block for the client. */
export interface Going {
  readonly c: number;
  readonly open: Map<number, Open>;
  readonly waiting: Waiting[];
  next: number;
}

/** A skeleton without its proofs: they follow as deltas. */
export function bareBlock(block: Block): Block {
  if (block.type === "reasoning") return { ...block, signature: undefined, sealed: undefined };
  return "proof" in block ? { ...block, proof: undefined } : block;
}

/** The proof of a block, wherever it has one. */
export function proofIn(block: Block): Signed | undefined {
  if (block.type === "reasoning") return block.sealed ?? block.signature;
  return "proof" in block ? block.proof : undefined;
}

/** The block's start, unless it was sent before. */
export function begun(going: Going, open: Open, block: Block): readonly IrEvent[] {
  if (open.out !== undefined) return [];
  open.out = going.next++;
  return [{ ...open.start, b: open.out, block }];
}

/** An event of a block, behind the block's start where that was still due. */
export function begunWith(going: Going, open: Open, event: Grow): readonly IrEvent[] {
  const first = begun(going, open, bareBlock(open.start.block));
  return [...first, { ...event, b: open.out! }];
}

/** The end of a block that was started. */
export function ended(open: Open, event: Stopped): readonly IrEvent[] {
  return open.out === undefined ? [] : [{ ...event, b: open.out }];
}

/** Empty words do not begin a block that may turn out to hold nothing but a proof. */
export function saysNothing({ d }: Grow): boolean {
  return (d.k === "text" || d.k === "reasoning" || d.k === "summary") && d.text === "";
}

/** A block that is all there at once. */
export function wholeBlock(going: Going, block: Block): readonly IrEvent[] {
  const { c } = going;
  const b = going.next++;
  return [
    { t: "block_start", c, b, block },
    { t: "block_stop", c, b },
  ];
}

/** A proof for a block of reasoning that has begun. */
export function proofDelta(
  c: number,
  b: number,
  { slot, signed }: Omit<PlacedProof, "isWrapped">,
): IrEvent {
  return { t: "delta", c, b, d: { k: slot, signed } };
}
