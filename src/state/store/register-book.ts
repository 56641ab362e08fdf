import { type HybridClock, momentOf } from "./hlc.ts";
import { type Changes, type RegisterEntry, Registers, wins } from "./registers.ts";
import type { Store } from "./store.ts";

const PAGE = 1000;

/** What others said, and what became of it. */
export interface Merged {
  /** How much was news here. */
  readonly news: number;
  /** Entries that no clock can have stamped yet: they are asked for again. */
  readonly refused: number;
}

/** Is given what is news, and reads registers as they will be. */
export type Apply = (
  news: readonly RegisterEntry[],
  read: (name: string) => string | undefined,
) => void | Promise<void>;

/**
 * One node's registers: in memory for who asks, and in its store. An entry is in the store before
 * anybody is told of it.
 */
export class RegisterBook {
  readonly #store: Pick<Store, "mergeRegisters">;
  readonly #clock: HybridClock;
  readonly #registers = new Registers();

  private constructor(store: Pick<Store, "mergeRegisters">, clock: HybridClock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** @throws StoreError */
  static async open(
    store: Pick<Store, "mergeRegisters" | "registersAfter">,
    clock: HybridClock,
  ): Promise<RegisterBook> {
    const book = new RegisterBook(store, clock);
    for (let after = 0; ;) {
      const { entries, cursor } = await store.registersAfter(after, PAGE);
      book.#registers.merge(entries);
      for (const { stamp } of entries) {
        const moment = momentOf(stamp);
        if (moment !== undefined) clock.remember(moment);
      }
      if (entries.length < PAGE) return book;
      after = cursor;
    }
  }

  get(name: string): string | undefined {
    return this.#registers.get(name);
  }
  get size(): number {
    return this.#registers.state.size;
  }

  /** Sets registers here, or takes them away where there is no value. @throws StoreError */
  async set(changes: Iterable<readonly [name: string, value: string | undefined]>): Promise<void> {
    const entries = [...changes].map(([key, value]): RegisterEntry => {
      return { key, value, stamp: this.#clock.next() };
    });
    if (entries.length === 0) return;
    await this.#store.mergeRegisters(entries);
    this.#registers.merge(entries);
  }

  /**
   * Takes what others said. `apply` makes it true here before it is kept: what a kill leaves undone
   * is said again. @throws StoreError
   */
  async merge(entries: readonly RegisterEntry[], apply: Apply): Promise<Merged> {
    const credible = entries.filter(({ stamp }) => this.#clock.see(stamp));
    const newer = new Registers();
    newer.merge(credible);
    const news = [...newer.state.values()].filter((entry) => {
      const held = this.#registers.state.get(entry.key);
      return held === undefined || wins(entry, held);
    });
    if (news.length > 0) {
      const said = new Map(news.map(({ key, value }) => [key, value]));
      await apply(news, (name) => (said.has(name) ? said.get(name) : this.get(name)));
      await this.#store.mergeRegisters(news);
      this.#registers.merge(news);
    }
    return { news: news.length, refused: entries.length - credible.length };
  }

  /** Every name there is. */
  names(): Iterable<string> {
    return this.#registers.state.keys();
  }

  /** What changed here after `cursor`, in the order in which it did. */
  since(cursor: number, limit: number): Changes {
    return this.#registers.since(cursor, limit);
  }
}
