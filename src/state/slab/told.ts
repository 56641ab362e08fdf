import { type Actor, NO_RECORD, valueAt } from "./actor.ts";
import { KIND, ROW } from "./layout.ts";
import { digestOf, rowWord } from "./slab.ts";
import { findRow, FULL } from "./table.ts";

/** Percents are below it. */
const PERCENTS = 2 ** 7;

/**
 * How much of something somebody was told of last, and in which period: so that of all processes
 * one tells, and once, also over restarts. Where the table is full, each process keeps its own.
 */
export class Told {
  readonly #actor: Actor;
  readonly #word: number | undefined;
  #own = 0;

  constructor(actor: Actor, name: string) {
    this.#actor = actor;
    const row = findRow(actor.slab, digestOf(actor.slab, `told ${name}`), KIND.told);
    this.#word = row === FULL ? undefined : rowWord(actor.slab, row) + ROW.value;
  }

  /** What was told of `period` before, when `percent` is more and this process is to tell. */
  raise(period: number, percent: number): number | undefined {
    for (;;) {
      const seen = this.#word === undefined ? this.#own : valueAt(this.#actor.slab, this.#word);
      const known = Math.floor(seen / PERCENTS);
      const before = known === period ? seen % PERCENTS : 0;
      if (known > period || percent <= before) return undefined;
      if (this.#replace(seen, period * PERCENTS + percent)) return before;
    }
  }

  #replace(from: number, to: number): boolean {
    if (this.#word === undefined) {
      this.#own = to;
      return true;
    }
    this.#actor.record = NO_RECORD;
    return this.#actor.replace(this.#word, from, to);
  }
}
