import type { LedgerFailure } from "../config/config.ts";
import type { KeyId } from "../core/ids.ts";
import type { Nano } from "../core/units.ts";
import { Standing } from "../state/ledger/standing.ts";
import { LEDGER } from "../state/slab/layout.ts";
import type { LimitBook } from "./limit-book.ts";

/** A request that is about to start. */
export interface Starting {
  /** Undefined where nobody is billed. */
  readonly key: KeyId | undefined;
  /** The most it can come to; asked for only when it matters, undefined when nobody knows. */
  readonly nano: () => Nano | undefined;
  readonly nowNs: bigint;
}

/** Whether the facts of requests that start now will be written down. */
export class LedgerGate {
  readonly #book: LimitBook;
  readonly #standing: Standing;

  constructor(book: LimitBook, failure: LedgerFailure) {
    this.#book = book;
    this.#standing = new Standing(failure);
  }

  get state(): LimitBook["ledger"] {
    return this.#book.shared ? this.#book.ledger : LEDGER.io;
  }

  /**
   * `kept`: its fact is. `unkept`: it may start without one. `refused`: it has to have one, and
   * cannot.
   */
  judge({ key, nano, nowNs }: Starting): "kept" | "unkept" | "refused" {
    const book = this.#book;
    if (!book.shared) return key === undefined ? "unkept" : "refused";
    if (book.ledger === LEDGER.healthy) return "kept";
    const { hasFactRoom: hasRoom, ledgerSince: sinceNs } = book;
    if (key !== undefined) {
      const trouble = { sinceNs, nowNs, hasRoom };
      return this.#standing.admits({ key, nano }, trouble) ? "kept" : "refused";
    }
    if (hasRoom) return "kept";
    book.skipFact();
    return "unkept";
  }
}
