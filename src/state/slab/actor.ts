import { DEAD, INTENT, RECORD, STATION, STATION_WORDS, TAG_BITS, TAG_MASK } from "./layout.ts";
import { recordWord, type Slab, stationWord } from "./slab.ts";

const cell = new BigInt64Array(1);
const halves = new Int32Array(cell.buffer);

/** Stands for no record: a step that no journal speaks of. */
export const NO_RECORD = -1;
/** The most a cell of two words counts. Money stays exact: doubles are, up to 2 ** 53. */
export const VALUE_MAX = 2 ** 55;
/** The most a cell of one word counts. */
export const SMALL_MAX = 2 ** 24 - 1;
const HIGH = 2 ** 24;

/**
 * A process at work on the slab. Its only way to change a shared cell is a step that anybody can
 * tell done from not done afterwards, wherever a kill falls:
 *
 * 1. Read the cell. Choose a step number whose last bit is not the cell's tag, if that tag is ours.
 * 2. Write cell, record and next cursor beside our intent, then the intent: step n is pending.
 * 3. Change the cell by compare-and-exchange to (new value, our station, last bit of n). Before
 *    that, when its tag is another's whose pending step is on this cell with this bit, mark that
 *    step applied: its trace is about to go.
 * 4. Write the record's cursor; then the intent is idle.
 *
 * The step is done exactly when the cell carries our tag or our intent was marked: by 1 nothing
 * but step n can have put this tag there, by 3 nobody removes it without the mark. The number in
 * the intent makes a mark that comes too late fail.
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
  #step: number;
  #announced = false;

  constructor(slab: Slab, station: number) {
    this.slab = slab;
    this.station = station;
    this.#base = stationWord(slab, station);
    this.#step = Atomics.load(slab.i32, this.#base + STATION.intent) >>> 2;
  }

  /** Moves a cell of two words at an even `word`. False when that would exceed the ceiling. */
  move(word: number): boolean {
    const { b64 } = this.slab;
    for (;;) {
      const seen = Atomics.load(b64, word / 2);
      cell[0] = seen;
      const low = halves[0]!;
      const next = this.#next((halves[1]! >>> 0) * HIGH + (low >>> TAG_BITS), VALUE_MAX);
      if (next > this.ceiling) return this.#refuse(next);
      const tag = this.#announce(word, low & TAG_MASK);
      const high = Math.floor(next / HIGH);
      halves[1] = high;
      halves[0] = ((next - high * HIGH) << TAG_BITS) | tag;
      if (Atomics.compareExchange(b64, word / 2, seen, cell[0]) === seen) break;
    }
    this.#finish();
    return true;
  }

  /** Moves a cell of one word. False when that would exceed the ceiling. */
  moveSmall(word: number): boolean {
    const { i32 } = this.slab;
    for (;;) {
      const seen = Atomics.load(i32, word);
      const next = this.#next(seen >>> TAG_BITS, SMALL_MAX);
      if (next > this.ceiling) return this.#refuse(next);
      const tag = this.#announce(word, seen & TAG_MASK);
      const write = (next << TAG_BITS) | tag;
      if (Atomics.compareExchange(i32, word, seen, write) === seen) break;
    }
    this.#finish();
    return true;
  }

  /** Makes a cell of one word `to` when it is `from`. True for the one process that did. */
  replace(word: number, from: number, to: number): boolean {
    const { i32 } = this.slab;
    for (;;) {
      const seen = Atomics.load(i32, word);
      if (seen >>> TAG_BITS !== from) return this.#refuse(from);
      const tag = this.#announce(word, seen & TAG_MASK);
      if (Atomics.compareExchange(i32, word, seen, (to << TAG_BITS) | tag) === seen) break;
    }
    this.#finish();
    return true;
  }

  /** The process ends; whoever sweeps settles what it may have left and frees its station. */
  leave(): void {
    Atomics.store(this.slab.i32, this.#base + STATION.owner, DEAD);
  }

  #next(value: number, most: number): number {
    return Math.min(Math.max(Math.max(value, this.floor) + this.delta, 0), most);
  }
  #refuse(next: number): false {
    this.excess = next - this.ceiling;
    if (this.#announced) this.#idle();
    return false;
  }

  /** Says what we are about to do, once for each step, and answers the tag to write. */
  #announce(word: number, tag: number): number {
    const { i32 } = this.slab;
    const base = this.#base;
    if (!this.#announced) {
      this.#step = (this.#step + 1) & 0x3fff_ffff;
      if (tag === this.#tag()) this.#step = (this.#step + 1) & 0x3fff_ffff;
      i32[base + STATION.word] = word;
      i32[base + STATION.record] = this.record;
      i32[base + STATION.after] = this.after;
      Atomics.store(i32, base + STATION.intent, (this.#step << 2) | INTENT.pending);
      this.#announced = true;
    }
    if (tag >>> 1 !== this.station) markApplied(this.slab, word, tag);
    return this.#tag();
  }
  #tag(): number {
    return (this.station << 1) | (this.#step & 1);
  }
  #finish(): void {
    const { slab } = this;
    if (this.record !== NO_RECORD) {
      Atomics.store(slab.i32, recordWord(slab, this.record) + RECORD.cursor, this.after);
    }
    this.#idle();
  }
  #idle(): void {
    Atomics.store(this.slab.i32, this.#base + STATION.intent, (this.#step << 2) | INTENT.idle);
    this.#announced = false;
  }
}

/** Somebody's tag is about to be overwritten: tell them that their step was done. */
function markApplied(slab: Slab, word: number, tag: number): void {
  const { i32, layout } = slab;
  const station = tag >>> 1;
  if (station >= layout.sizes.stations) return; // Only a damaged file has such a tag.
  const at = stationWord(slab, station);
  const intent = Atomics.load(i32, at + STATION.intent);
  if ((intent & 3) !== INTENT.pending || ((intent >>> 2) & 1) !== (tag & 1)) return;
  if (i32[at + STATION.word] !== word) return;
  Atomics.compareExchange(i32, at + STATION.intent, intent, (intent & ~3) | INTENT.applied);
}

/**
 * Finishes the bookkeeping of the step a dead process had in hand: the cursor of its record says
 * afterwards what was really done. May itself be cut short and done again.
 */
export function recoverIntent(slab: Slab, station: number): void {
  const { i32 } = slab;
  const base = stationWord(slab, station);
  const intent = Atomics.load(i32, base + STATION.intent);
  if ((intent & 3) === INTENT.idle) return;
  const record = i32[base + STATION.record]!;
  if (wasApplied(slab, station, intent) && record !== NO_RECORD) {
    const after = i32[base + STATION.after]!;
    Atomics.store(i32, recordWord(slab, record) + RECORD.cursor, after);
  }
  Atomics.store(i32, base + STATION.intent, (intent & ~3) | INTENT.idle);
}

/** The cell first, the mark after it: the mark is made before the tag goes. */
function wasApplied({ i32, layout }: Slab, station: number, intent: number): boolean {
  const base = layout.stations + station * STATION_WORDS;
  const mine = (station << 1) | ((intent >>> 2) & 1);
  const tag = Atomics.load(i32, i32[base + STATION.word]!) & TAG_MASK;
  if (tag === mine) return true;
  return (Atomics.load(i32, base + STATION.intent) & 3) === INTENT.applied;
}

/** The value of a cell of two words. */
export function valueAt({ b64 }: Slab, word: number): number {
  cell[0] = Atomics.load(b64, word / 2);
  return (halves[1]! >>> 0) * HIGH + (halves[0]! >>> TAG_BITS);
}

/** The value of a cell of one word. */
export function smallAt({ i32 }: Slab, word: number): number {
  return Atomics.load(i32, word) >>> TAG_BITS;
}
