import type { IrEvent } from "./event.ts";

/** An event of one block. */
export type BlockEvent = Extract<IrEvent, { readonly b: number }>;
type BlockStart = Extract<IrEvent, { readonly t: "block_start" }>;

/**
 * Puts blocks one after another, for wires that have no two open at a time: what comes of another
 * block than the open one waits until that stops (protocols.md 5.3).
 */
export class BlockOrder {
  readonly #onWait: (start: BlockStart) => void;
  /** What waits of each block that has not been let go, the open one first. */
  readonly #waiting = new Map<number, BlockEvent[]>();

  constructor(onWait: (start: BlockStart) => void) {
    this.#onWait = onWait;
  }

  /** What may be written now; undefined for an event of a block that is not there (any more). */
  take(event: BlockEvent): readonly BlockEvent[] | undefined {
    const { b } = event;
    const waiting = this.#waiting.get(b);
    if (event.t === "block_start") {
      if (waiting !== undefined) return undefined;
      this.#waiting.set(b, this.#open === undefined ? [] : [event]);
      if (this.#open === b) return [event];
      this.#onWait(event);
      return [];
    }
    if (waiting === undefined || waiting.at(-1)?.t === "block_stop") return undefined;
    if (b !== this.#open) {
      waiting.push(event);
      return [];
    }
    return event.t === "block_stop" ? [event, ...this.#next(b)] : [event];
  }

  /** Everything that waits, each block stopped. */
  drain(): readonly BlockEvent[] {
    const drained: BlockEvent[] = [];
    for (const [b, waiting] of this.#waiting) {
      drained.push(...waiting);
      if (waiting.at(-1)?.t !== "block_stop") drained.push({ t: "block_stop", c: 0, b });
    }
    this.#waiting.clear();
    return drained;
  }

  get #open(): number | undefined {
    const [first] = this.#waiting.keys();
    return first;
  }

  /** The block behind `stopped`, and those behind it as far as they have stopped as well. */
  #next(stopped: number): readonly BlockEvent[] {
    const ready: BlockEvent[] = [];
    this.#waiting.delete(stopped);
    for (const [b, waiting] of this.#waiting) {
      for (const event of waiting) ready.push(event);
      if (waiting.at(-1)?.t !== "block_stop") {
        this.#waiting.set(b, []); // Open now: it keeps its place at the head.
        break;
      }
      this.#waiting.delete(b);
    }
    return ready;
  }
}
