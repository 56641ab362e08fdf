import type { Ms } from "../../core/units.ts";

const HAIR = 1e-6;

/** Times of some requests, in any order. */
export class Times {
  readonly #times: Ms[] = [];
  #sorted = true;

  add(time: Ms): void {
    this.#times.push(time);
    this.#sorted = false;
  }

  /** The least time that `percent` of all stay within (nearest rank); undefined of none. */
  at(percent: number): Ms | undefined {
    if (!this.#sorted) this.#times.sort((a, b) => a - b);
    this.#sorted = true;
    // 99.9 % of 1,000 is 999, and a hair more in binary fractions.
    const rank = Math.ceil((percent * this.#times.length) / 100 - HAIR);
    return this.#times[Math.max(0, rank - 1)];
  }

  get mean(): Ms | undefined {
    if (this.#times.length === 0) return undefined;
    return this.#times.reduce((sum, time) => sum + time, 0) / this.#times.length;
  }
  get count(): number {
    return this.#times.length;
  }
}
