import type { Ms } from "../../core/units.ts";
import { HEADER } from "./layout.ts";
import type { Slab } from "./slab.ts";

/** More than any correction that NTP makes by slewing; reliability.md §3.5. */
export const STEP_MAX_MS: Ms = 5000;
/** How long a clock that is wrong is not looked at again. */
const LOOK_MS: Ms = 1000;

/** What tells one hour from another. */
export interface GuardClocks {
  readonly wall: () => Ms;
  /** Monotonic, of this process. */
  readonly now: () => Ms;
  /**
   * Since the machine started, the time it slept included: the same in every process. Undefined
   * where nothing says it: then each process guards its own time.
   */
  readonly boot: () => Ms | undefined;
}

/**
 * The wall clock for periods and for ends of keys. When it jumps against the machine's own, time
 * goes on as if it had not, in every process and over restarts, so that no budget starts anew
 * early or twice: until the clock comes back, or somebody accepts it. Time that the machine slept
 * is no jump. How far ahead it is stands in the slab; another boot begins with what its clock says.
 */
export class WallGuard {
  readonly #slab: Slab;
  readonly #clocks: GuardClocks;
  readonly #onChange: (jumpMs: Ms | undefined) => void;
  /** By how much the wall clock is ahead of this process's own. */
  #ahead: Ms;
  /** The same where no other process can know of it. */
  #own: Ms | undefined;
  #isFrozen = false;
  #lookAt: Ms = -Infinity;

  /** `onChange` hears of a jump by its length, and of its end by undefined. */
  constructor(slab: Slab, clocks: GuardClocks, onChange: (jumpMs: Ms | undefined) => void) {
    this.#slab = slab;
    this.#clocks = clocks;
    this.#onChange = onChange;
    const wall = clocks.wall();
    this.#ahead = wall - clocks.now();
    const boot = clocks.boot();
    if (boot === undefined) this.#own = this.#ahead;
    else beginShared(slab, wall - boot);
    this.#judge(wall);
  }

  /** The time. Two clocks are read and compared, no more, as long as nothing jumps. */
  read(): Ms {
    const wall = this.#clocks.wall();
    const now = this.#clocks.now();
    if (!this.#isFrozen && Math.abs(wall - now - this.#ahead) <= STEP_MAX_MS) return wall;
    if (this.#isFrozen && now < this.#lookAt) return now + this.#ahead;
    return this.#judge(wall);
  }

  /** To be called now and then: follows the small corrections, which add up. */
  look(): void {
    const wall = this.#clocks.wall();
    this.#judge(wall);
    if (!this.#isFrozen) this.#follow(wall);
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  /** The wall clock is right: from now on it counts. */
  accept(): void {
    this.#follow(this.#clocks.wall());
    this.look();
  }

  #follow(wall: Ms): void {
    if (this.#own !== undefined) this.#own = wall - this.#clocks.now();
    else writeShared(this.#slab, wall - (this.#clocks.boot() ?? 0));
  }

  #judge(wall: Ms): Ms {
    const now = this.#clocks.now();
    const expected =
      this.#own === undefined
        ? (this.#clocks.boot() ?? 0) + readShared(this.#slab)
        : now + this.#own;
    const jump = wall - expected;
    const was = this.#isFrozen;
    this.#isFrozen = Math.abs(jump) > STEP_MAX_MS;
    const time = this.#isFrozen ? expected : wall;
    this.#ahead = time - now;
    this.#lookAt = now + LOOK_MS;
    if (was !== this.#isFrozen) this.#onChange(this.#isFrozen ? jump : undefined);
    return time;
  }
}

/** By how much the wall clock is ahead of the machine's, for all processes. */
function readShared({ b64 }: Slab): Ms {
  return Number(Atomics.load(b64, HEADER.wallAhead / 2));
}

function writeShared({ b64 }: Slab, ahead: Ms): void {
  Atomics.store(b64, HEADER.wallAhead / 2, BigInt(Math.round(ahead)));
}

function beginShared({ b64 }: Slab, ahead: Ms): void {
  Atomics.compareExchange(b64, HEADER.wallAhead / 2, 0n, BigInt(Math.round(ahead)));
}
