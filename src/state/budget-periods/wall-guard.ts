import type { Ms } from "../../core/units.ts";

/** More than any correction that NTP makes by slewing; reliability.md §3.5. */
export const STEP_MAX_MS: Ms = 5000;

/** Both clocks at one moment. */
export interface Clocks {
  readonly wall: Ms;
  /** Monotonic. */
  readonly now: Ms;
}

export interface GuardedWall {
  /** What periods are counted by. */
  readonly wall: Ms;
  /** The wall clock has jumped, and periods go on without it. */
  readonly frozen: boolean;
}

/**
 * The wall clock for budget periods. When it jumps against the monotonic one, time goes on as if it
 * had not, so that no budget starts anew early or twice, until the clock comes back or an operator
 * accepts it.
 */
export class WallGuard {
  #anchor: Clocks;
  #frozen = false;

  constructor(start: Clocks) {
    this.#anchor = start;
  }

  read(clocks: Clocks): GuardedWall {
    const expected = this.#anchor.wall + (clocks.now - this.#anchor.now);
    this.#frozen = Math.abs(clocks.wall - expected) > STEP_MAX_MS;
    if (this.#frozen) return { wall: expected, frozen: true };
    // Small corrections are taken: they would add up to a jump otherwise. Never backwards.
    const wall = Math.max(clocks.wall, this.#anchor.wall);
    this.#anchor = { wall, now: clocks.now };
    return { wall, frozen: false };
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  /** An operator says that the wall clock is right. */
  accept(clocks: Clocks): void {
    this.#anchor = clocks;
    this.#frozen = false;
  }
}
