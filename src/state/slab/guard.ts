import { hash } from "bun";
import { GUARD_EPOCHS, GUARD_ROWS, HEADER } from "./layout.ts";
import type { Slab } from "./slab.ts";

const at = new Int32Array(GUARD_ROWS);
const added = new Int32Array(GUARD_ROWS);

/**
 * Rates of anybody, before a credential is looked at: a count-min sketch in fixed memory, which no
 * flood of new names makes grow. It may count somebody too high when many names come, never too
 * low but for what two processes add in the same instant at the start of an epoch. Each epoch
 * keeps the one before it, whose counts fade as it goes on.
 */
export class Guard {
  readonly #slab: Slab;
  readonly #epochNs: number;
  readonly #width: number;

  /** All processes give the same `epochNs`, over which limits count. */
  constructor(slab: Slab, epochNs: number) {
    this.#slab = slab;
    this.#epochNs = epochNs;
    this.#width = slab.layout.sizes.guardWidth;
  }

  /** Whether `who`, an address or a raw credential, may try once more. A refusal is not counted. */
  allows(who: string, limit: number, nowNs: bigint): boolean {
    const { i32 } = this.#slab;
    const time = Number(nowNs) / this.#epochNs;
    const epoch = this.#enter(Math.floor(time) & 0x7fff_ffff);
    const now = this.#base(epoch);
    const before = this.#base(epoch - 1);
    this.#find(who);
    let least = Infinity;
    let leastBefore = Infinity;
    for (let row = 0; row < GUARD_ROWS; row++) {
      least = Math.min(least, i32[now + at[row]!]!);
      leastBefore = Math.min(leastBefore, i32[before + at[row]!]!);
    }
    const fade = 1 - (time - Math.floor(time));
    if (least + leastBefore * fade + 1 > limit) return false;
    this.#count(now, least);
    return true;
  }

  /** Only the lowest of somebody's counters go up: the others count somebody else as well. */
  #count(now: number, least: number): void {
    const { i32 } = this.#slab;
    let target = 0;
    for (let row = 0; row < GUARD_ROWS; row++) {
      const low = i32[now + at[row]!]! <= least;
      added[row] = low ? Atomics.add(i32, now + at[row]!, 1) + 1 : 0;
      target = Math.max(target, added[row]!);
    }
    if (target <= least + 1) return;
    // Another process counted between our look and our adding: the rest follow.
    for (let row = 0; row < GUARD_ROWS; row++) raise(i32, now + at[row]!, target);
  }

  /** Where in its row each of somebody's counters is. */
  #find(who: string): void {
    const first = hash.xxHash32(who, Number(this.#slab.seed & 0xffff_ffffn));
    const step = hash.murmur32v3(who, first) | 1;
    for (let row = 0; row < GUARD_ROWS; row++) {
      at[row] = row * this.#width + ((first + Math.imul(row, step)) & (this.#width - 1));
    }
  }

  /** The epoch that counts; whoever comes first in a new one makes room for the next. */
  #enter(epoch: number): number {
    const { i32 } = this.#slab;
    const known = Atomics.load(i32, HEADER.guardEpoch);
    if (epoch <= known) return known;
    if (Atomics.compareExchange(i32, HEADER.guardEpoch, known, epoch) !== known) return epoch;
    this.#clear(epoch + 1);
    if (epoch > known + 1) this.#clear(epoch);
    if (epoch > known + 2) this.#clear(epoch - 1);
    return epoch;
  }
  #clear(epoch: number): void {
    const base = this.#base(epoch);
    this.#slab.i32.fill(0, base, base + GUARD_ROWS * this.#width);
  }
  #base(epoch: number): number {
    const turn = ((epoch % GUARD_EPOCHS) + GUARD_EPOCHS) % GUARD_EPOCHS;
    return this.#slab.layout.guard + turn * GUARD_ROWS * this.#width;
  }
}

function raise(i32: Int32Array, word: number, to: number): void {
  for (;;) {
    const value = Atomics.load(i32, word);
    if (value >= to || Atomics.compareExchange(i32, word, value, to) === value) return;
  }
}
