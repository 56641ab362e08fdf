import type { Ms } from "../../core/units.ts";

/** Deaths are remembered this long. */
const MEMORY_MS: Ms = 60_000;
/** So many within the memory, in one place, are a loop. */
export const DEATHS_MAX = 10;
const FIRST_DELAY_MS: Ms = 100;
const DELAY_MAX_MS: Ms = 5000;
const LOOP_DELAY_MS: Ms = 30_000;

/** What follows a death. */
export interface Consequence {
  /** How long to wait before the place is filled again. */
  readonly delayMs: Ms;
  /** Whether this one keeps dying. */
  readonly isLoop: boolean;
}

/** Remembers when the worker in one place died. The first death costs no time, a loop 30 s each. */
export class Deaths {
  #at: Ms[] = [];

  note(now: Ms): Consequence {
    this.#at = [...this.#at.filter((at) => now - at < MEMORY_MS), now];
    const count = this.#at.length;
    if (count >= DEATHS_MAX) return { delayMs: LOOP_DELAY_MS, isLoop: true };
    const doubled = FIRST_DELAY_MS * 2 ** (count - 2);
    return { delayMs: count === 1 ? 0 : Math.min(DELAY_MAX_MS, doubled), isLoop: false };
  }
}
