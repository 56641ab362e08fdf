import { bytesOf, type Entry } from "./facts.ts";

/** Entries on their way to the disk: in order, and bounded by the memory they take. */
export class EntryQueue {
  readonly #bytesMax: number;
  #entries: Entry[] = [];
  /** How many at the front are gone already: taking from the front would move all of them. */
  #taken = 0;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** False when there is no room. */
  push(entry: Entry): boolean {
    const bytes = bytesOf(entry);
    if (this.#bytes + bytes > this.#bytesMax) return false;
    this.#bytes += bytes;
    this.#entries.push(entry);
    return true;
  }

  /** The next `count`, which stay until they are dropped. */
  peek(count: number): readonly Entry[] {
    return this.#entries.slice(this.#taken, this.#taken + count);
  }

  drop(count: number): void {
    for (const entry of this.peek(count)) this.#bytes -= bytesOf(entry);
    this.#taken += count;
    if (this.#taken < COMPACT_AT && this.#taken < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#taken);
    this.#taken = 0;
  }

  get size(): number {
    return this.#entries.length - this.#taken;
  }
  get bytes(): number {
    return this.#bytes;
  }
}

const COMPACT_AT = 4096;
