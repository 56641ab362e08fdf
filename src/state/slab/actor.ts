import { DEAD, INTENT, RECORD, STATION, STATION_WORDS } from "./layout.ts";
import { recordWord, type Slab, stationWord } from "./slab.ts";

const cell = new BigInt64Array(1);
const halves = new Int32Array(cell.buffer);

/** Stands for no record: a step that no journal speaks of. */
export const NO_RECORD = -1;
/** The most a cell holds. Sums of money stay below 2 ** 53, so that doubles are exact. */
const VALUE_MAX = 2 ** 62;
const HIGH = 2 ** 32;
const STEP_MASK = 0x3fff_ffff;
/** Looks at one cell in one step. More than any contention makes: the file is damaged. */
const LOOKS_MAX = 1_000_000;

/**
 * A process at work on the slab. Its only way to change a shared cell is a step that anybody can
 * tell done from not done afterwards, wherever a kill falls. A cell holds a value, or, with its top
 * bit set, the name of the step that is changing it: station and step number, never used twice.
 *
 * 1. Write cell, new value, record and next cursor beside our intent; then the intent: pending.
 * 2. Exchange the value that was read for the step's name. From here on the step is done.
 * 3. The intent: applied. Only then exchange the name for the new value.
 * 4. Write the record's cursor; then the intent: idle.
 *
 * Who finds a name in a cell does 3 for its owner, who may be dead or asleep; as the name is there
 * once, a helper that comes late fails. So a step is done exactly when its name is in its cell or
 * its intent says applied, and no process ever waits for another.
 */
export class Actor {
  readonly slab: Slab;
  readonly station: number;
  /** What the next step is of: its record, and the record's cursor once it is done. */
  record = NO_RECORD;
  after = 0;
  /** The tick at which it is taken or settled. */
  now = 0;
  /** A step makes a cell's value `max(value, floor) + delta`, unless that exceeds `ceiling`. */
  floor = 0;
  delta = 0;
  ceiling = Infinity;
  /** By how much the last refused step would have exceeded its ceiling. */
  excess = 0;
  readonly #base: number;
  readonly #nameHigh: number;
  #step: number;
  #announced = false;

  constructor(slab: Slab, station: number) {
    this.slab = slab;
    this.station = station;
    this.#base = stationWord(slab, station);
    this.#nameHigh = nameHigh(station);
    this.#step = Atomics.load(slab.i32, this.#base + STATION.intent) >>> 2;
  }

  /** Moves the cell at an even `word`. False when that would exceed the ceiling. */
  move(word: number): boolean {
    for (let looks = 0; looks < LOOKS_MAX; looks++) {
      const seen = Atomics.load(this.slab.b64, word / 2);
      cell[0] = seen;
      const high = halves[1]!;
      if (high < 0) {
        complete(this.slab, word, seen);
        continue;
      }
      const value = Math.max(high * HIGH + (halves[0]! >>> 0), this.floor) + this.delta;
      const next = Math.min(Math.max(value, 0), VALUE_MAX);
      if (next > this.ceiling) {
        this.excess = next - this.ceiling;
        return this.#refuse();
      }
      if (this.#exchange(word, seen, next)) return true;
    }
    throw new Error(DAMAGED);
  }

  /** Makes the cell at an even `word` `to` when it is `from`. True for the one process that did. */
  replace(word: number, from: number, to: number): boolean {
    for (let looks = 0; looks < LOOKS_MAX; looks++) {
      const seen = Atomics.load(this.slab.b64, word / 2);
      cell[0] = seen;
      const high = halves[1]!;
      if (high < 0) {
        complete(this.slab, word, seen);
        continue;
      }
      if (high * HIGH + (halves[0]! >>> 0) !== from) return this.#refuse();
      if (this.#exchange(word, seen, to)) return true;
    }
    throw new Error(DAMAGED);
  }

  /** The process ends; whoever sweeps settles what it may have left and frees its station. */
  leave(): void {
    Atomics.store(this.slab.i32, this.#base + STATION.owner, DEAD);
  }

  #exchange(word: number, seen: bigint, next: number): boolean {
    const { b64, i32 } = this.slab;
    const base = this.#base;
    const high = Math.floor(next / HIGH);
    const low = (next - high * HIGH) | 0;
    i32[base + STATION.newLow] = low;
    i32[base + STATION.newHigh] = high;
    if (!this.#announced) this.#announce(word);
    halves[1] = this.#nameHigh;
    halves[0] = this.#step;
    const name = cell[0]!;
    if (Atomics.compareExchange(b64, word / 2, seen, name) !== seen) return false;
    Atomics.store(i32, base + STATION.intent, (this.#step << 2) | INTENT.applied);
    halves[1] = high;
    halves[0] = low;
    // When this fails somebody has helped.
    Atomics.compareExchange(b64, word / 2, name, cell[0]!);
    if (this.record !== NO_RECORD) {
      Atomics.store(i32, recordWord(this.slab, this.record) + RECORD.cursor, this.after);
    }
    this.#idle();
    return true;
  }
  #announce(word: number): void {
    const { i32 } = this.slab;
    const base = this.#base;
    this.#step = (this.#step + 1) & STEP_MASK;
    i32[base + STATION.word] = word;
    i32[base + STATION.record] = this.record;
    i32[base + STATION.after] = this.after;
    Atomics.store(i32, base + STATION.intent, (this.#step << 2) | INTENT.pending);
    this.#announced = true;
  }
  #refuse(): false {
    if (this.#announced) this.#idle();
    return false;
  }
  #idle(): void {
    Atomics.store(this.slab.i32, this.#base + STATION.intent, (this.#step << 2) | INTENT.idle);
    this.#announced = false;
  }
}

const DAMAGED = "a cell of the slab names a step that nobody is at";

/** The upper half of the name of a station's steps: the top bit, and the station. */
function nameHigh(station: number): number {
  return (1 << 31) | (station << 24);
}

/** Does for its owner what is left of the step whose `name` is in a cell. */
function complete({ b64, i32, layout }: Slab, word: number, name: bigint): void {
  cell[0] = name;
  const station = (halves[1]! >>> 24) & 0x7f;
  if (station >= layout.sizes.stations) return;
  const step = halves[0]!;
  const base = layout.stations + station * STATION_WORDS;
  const intent = Atomics.load(i32, base + STATION.intent);
  // Otherwise the step is over and its name gone: whoever called looks at the cell again.
  if (intent >>> 2 !== step || i32[base + STATION.word] !== word) return;
  halves[0] = i32[base + STATION.newLow]!;
  halves[1] = i32[base + STATION.newHigh]!;
  const next = cell[0]!;
  if ((intent & 3) === INTENT.pending) {
    const applied = (step << 2) | INTENT.applied;
    Atomics.compareExchange(i32, base + STATION.intent, intent, applied);
  }
  Atomics.compareExchange(b64, word / 2, name, next);
}

/**
 * Finishes the step a dead process had in hand: the cursor of its record says afterwards what was
 * really done, and no cell names the step. May itself be cut short and done again.
 */
export function recoverIntent(slab: Slab, station: number): void {
  const { b64, i32 } = slab;
  const base = stationWord(slab, station);
  const intent = Atomics.load(i32, base + STATION.intent);
  if ((intent & 3) === INTENT.idle) return;
  const word = i32[base + STATION.word]!;
  halves[1] = nameHigh(station);
  halves[0] = intent >>> 2;
  const name = cell[0]!;
  if (Atomics.load(b64, word / 2) === name) complete(slab, word, name);
  // Read after the cell: whoever took the name out of it had said so before.
  const known = Atomics.load(i32, base + STATION.intent);
  const record = i32[base + STATION.record]!;
  if ((known & 3) === INTENT.applied && record !== NO_RECORD) {
    const after = i32[base + STATION.after]!;
    Atomics.store(i32, recordWord(slab, record) + RECORD.cursor, after);
  }
  Atomics.store(i32, base + STATION.intent, (intent & ~3) | INTENT.idle);
}

/** The value of the cell at an even `word`. */
export function valueAt(slab: Slab, word: number): number {
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    const seen = Atomics.load(slab.b64, word / 2);
    cell[0] = seen;
    const high = halves[1]!;
    if (high >= 0) return high * HIGH + (halves[0]! >>> 0);
    complete(slab, word, seen);
  }
  throw new Error(DAMAGED);
}
