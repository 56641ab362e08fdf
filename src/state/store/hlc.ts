import type { Ms } from "../../core/units.ts";

/**
 * A moment of a hybrid logical clock, as text that sorts as the moments do: 48 bits of milliseconds
 * and 16 of a counter in hex, then the node. (Kulkarni et al. 2014; reliability.md §3.6.)
 */
export type Stamp = string;

const MS_DIGITS = 12;
const COUNTER_DIGITS = 4;
const COUNTER_MAX = 0xffff;
const MS_MAX = 2 ** 48 - 1;
const STAMP = /^[0-9a-f]{12}[0-9a-f]{4}-[\w.-]{1,64}$/;

/** A stamp from further ahead than this is refused: one node's bad clock would win for ever. */
export const AHEAD_MAX_MS: Ms = 500;

export interface Moment {
  readonly ms: Ms;
  readonly counter: number;
  readonly node: string;
}

export function stampOf({ ms, counter, node }: Moment): Stamp {
  const time = ms.toString(16).padStart(MS_DIGITS, "0");
  return `${time}${counter.toString(16).padStart(COUNTER_DIGITS, "0")}-${node}`;
}

/** Undefined when it is no stamp: it came from another node. */
export function momentOf(stamp: Stamp): Moment | undefined {
  if (!STAMP.test(stamp)) return undefined;
  return {
    ms: Number.parseInt(stamp.slice(0, MS_DIGITS), 16),
    counter: Number.parseInt(stamp.slice(MS_DIGITS, MS_DIGITS + COUNTER_DIGITS), 16),
    node: stamp.slice(MS_DIGITS + COUNTER_DIGITS + 1),
  };
}

/** Gives stamps that only ever rise, whatever the wall clock does. */
export class HybridClock {
  readonly #node: string;
  readonly #wall: () => Ms;
  #ms: Ms = 0;
  #counter = 0;

  /** @throws when the node's name cannot stand in a stamp. */
  constructor(node: string, wall: () => Ms) {
    if (!/^[\w.-]{1,64}$/.test(node)) throw new Error(`${node} cannot name a node`);
    this.#node = node;
    this.#wall = wall;
  }

  /** A stamp later than every one given or seen before. */
  next(): Stamp {
    this.#advance(this.#wallMs());
    return stampOf({ ms: this.#ms, counter: this.#counter, node: this.#node });
  }

  /** Learns of another node's stamp; false when it is none or too far ahead to be believed. */
  see(stamp: Stamp): boolean {
    const moment = momentOf(stamp);
    if (moment === undefined || moment.ms > this.#wallMs() + AHEAD_MAX_MS) return false;
    this.remember(moment);
    return true;
  }

  /** Goes on after what this node itself stored, even where its wall clock has gone back since. */
  remember({ ms, counter }: Pick<Moment, "ms" | "counter">): void {
    if (ms < this.#ms || (ms === this.#ms && counter <= this.#counter)) return;
    this.#ms = ms;
    this.#counter = counter;
  }

  #wallMs(): Ms {
    return Math.min(MS_MAX, Math.max(0, Math.floor(this.#wall())));
  }

  #advance(wall: Ms): void {
    if (wall > this.#ms) {
      this.#ms = wall;
      this.#counter = 0;
    } else if (this.#counter < COUNTER_MAX) {
      this.#counter++;
    } else {
      this.#ms++;
      this.#counter = 0;
    }
  }
}
