import { HEADER, STATE, STATE_BITS, STATE_MASK } from "./layout.ts";
import { type Slab, stateWord } from "./slab.ts";

/** The answer when every record is taken. */
export const NONE_FREE = -1;

/** How long nobody looks through a full journal again: that takes a good part of a millisecond. */
const FULL_PAUSE_TICKS = 10e6 / 16;

/** One process's way to free records: those it gave back before others, the newest first. */
export class Journal {
  readonly #slab: Slab;
  readonly #mark: number;
  readonly #kept: number[] = [];
  #next: number;
  #fullUntil = -Infinity;

  constructor(slab: Slab, station: number) {
    this.#slab = slab;
    this.#mark = station << STATE_BITS;
    const { records, stations } = slab.layout.sizes;
    this.#next = Math.floor((records / stations) * station);
  }

  /** A record that is ours and `claimed`, or NONE_FREE. `now` in ticks. */
  claim(now: number): number {
    for (let kept = this.#kept.pop(); kept !== undefined; kept = this.#kept.pop()) {
      if (this.#take(kept)) return kept;
    }
    const { records } = this.#slab.layout.sizes;
    if (now >= this.#fullUntil) {
      for (let probe = 0; probe < records; probe++) {
        const record = this.#next;
        this.#next = record + 1 === records ? 0 : record + 1;
        if (this.#take(record)) return record;
      }
      this.#fullUntil = now + FULL_PAUSE_TICKS;
    }
    Atomics.add(this.#slab.i32, HEADER.recordsFull, 1);
    return NONE_FREE;
  }

  /** Moves a record of ours on to another state. */
  mark(record: number, state: number): void {
    Atomics.store(this.#slab.i32, stateWord(this.#slab, record), this.#mark | state);
  }

  /** Whether a record is ours and in this state. */
  holds(record: number, state: number): boolean {
    return Atomics.load(this.#slab.i32, stateWord(this.#slab, record)) === (this.#mark | state);
  }

  /** Gives a record back. */
  free(record: number): void {
    Atomics.store(this.#slab.i32, stateWord(this.#slab, record), STATE.free);
    this.#kept.push(record);
  }

  #take(record: number): boolean {
    const { i32 } = this.#slab;
    const word = stateWord(this.#slab, record);
    if (Atomics.load(i32, word) !== STATE.free) return false;
    const claimed = this.#mark | STATE.claimed;
    return Atomics.compareExchange(i32, word, STATE.free, claimed) === STATE.free;
  }
}

/** Which state a record is in. */
export function stateOf(slab: Slab, record: number): number {
  return Atomics.load(slab.i32, stateWord(slab, record)) & STATE_MASK;
}

/** Whose record it is. */
export function stationOf(slab: Slab, record: number): number {
  return Atomics.load(slab.i32, stateWord(slab, record)) >>> STATE_BITS;
}

/** How many records are not free, for tests and the admin listener. */
export function recordsTaken(slab: Slab): number {
  let taken = 0;
  for (let record = 0; record < slab.layout.sizes.records; record++) {
    if (stateOf(slab, record) !== STATE.free) taken++;
  }
  return taken;
}
