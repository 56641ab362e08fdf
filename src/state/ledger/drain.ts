import type { Ms } from "../../core/units.ts";
import type { Clock } from "../../runtime/runtime.ts";
import type { Actor } from "../slab/actor.ts";
import { type FactsRead, readFacts, releaseFacts } from "../slab/facts.ts";
import { LEDGER } from "../slab/layout.ts";
import { countFacts, tellLedger } from "../slab/ledger-desk.ts";
import type { Entry } from "./facts.ts";
import type { LedgerSink, SinkFailure } from "./sink.ts";
import { decodeEntry } from "./wire.ts";

/** How a turn went. */
export type Turn =
  | { readonly kind: "empty" }
  /** `more`: it took all that one turn takes. */
  | { readonly kind: "written"; readonly facts: number; readonly more: boolean }
  | { readonly kind: "failed"; readonly why: SinkFailure; readonly message: string };

export interface RingDrainOptions {
  readonly actor: Actor;
  readonly clock: Clock;
  readonly sink: LedgerSink;
  /** A fact that will never be in the ledger. */
  readonly onLost: (why: string) => void;
}

/** Facts of one transaction: some ten milliseconds of writing. */
const GROUP_MAX = 1000;
/** A file that another process holds for longer counts as failing. */
export const BUSY_MAX_MS: Ms = 2000;

/**
 * Brings facts from the rings to the ledger. What is read keeps its room in the ring until it is on
 * disk; a process killed in between reads it again, and a fact's id keeps it from counting twice.
 */
export class RingDrain {
  readonly #options: RingDrainOptions;
  #first = 0;
  #busySince: Ms | undefined;

  constructor(options: RingDrainOptions) {
    this.#options = options;
  }

  /** Writes one group of what waits. Called again only when it has answered. */
  async turn(): Promise<Turn> {
    const { reads, entries, unreadable } = this.#read();
    if (reads.length === 0) return { kind: "empty" };
    const failure = await this.#write(entries);
    if (failure !== undefined) return failure;
    const { slab } = this.#options.actor;
    for (let each = 0; each < unreadable; each++) this.#lose("it cannot be read");
    for (const read of reads) releaseFacts(slab, read);
    tellLedger(slab, LEDGER.healthy, this.#options.clock.machine());
    return { kind: "written", facts: entries.length, more: entries.length >= GROUP_MAX };
  }

  /** The oldest facts of every ring, another ring being first each time. */
  #read() {
    const { slab } = this.#options.actor;
    const { stations } = slab.layout.sizes;
    const reads: FactsRead[] = [];
    const entries: Entry[] = [];
    let unreadable = 0;
    this.#first = (this.#first + 1) % stations;
    for (let at = 0; at < stations && entries.length < GROUP_MAX; at++) {
      const station = (this.#first + at) % stations;
      const max = GROUP_MAX - entries.length;
      const read = readFacts(slab, { station, max }, (bytes) => {
        const entry = decodeEntry(bytes);
        if (entry === undefined) unreadable++;
        else entries.push(entry);
      });
      if (read.moved) reads.push(read);
    }
    return { reads, entries, unreadable };
  }

  async #write(entries: readonly Entry[]): Promise<Turn | undefined> {
    if (entries.length === 0) return undefined;
    const written = await this.#options.sink.write(entries);
    switch (written.kind) {
      case "written":
        this.#settle(entries.length, written.duplicates);
        return undefined;
      case "failed":
        return this.#fail(written.why, written.message);
      case "refused":
        return this.#writeSingly(entries);
    }
  }

  /** Finds what the database will never take, so that it does not hold up all that follows. */
  async #writeSingly(entries: readonly Entry[]): Promise<Turn | undefined> {
    for (const entry of entries) {
      const written = await this.#options.sink.write([entry]);
      if (written.kind === "failed") return this.#fail(written.why, written.message);
      if (written.kind === "refused") this.#lose(written.message);
      else this.#settle(1, written.duplicates);
    }
    return undefined;
  }

  #settle(count: number, duplicates: number): void {
    const { slab } = this.#options.actor;
    this.#busySince = undefined;
    countFacts(slab, "Written", count - duplicates);
    countFacts(slab, "Twice", duplicates);
  }

  #fail(why: SinkFailure, message: string): Turn {
    const { actor, clock } = this.#options;
    countFacts(actor.slab, "Failures", 1);
    const now = clock.now();
    if (why === "busy") this.#busySince ??= now;
    const waits = this.#busySince !== undefined && now - this.#busySince < BUSY_MAX_MS;
    if (why !== "busy" || !waits) tellLedger(actor.slab, LEDGER[why], clock.machine());
    return { kind: "failed", why, message };
  }

  #lose(why: string): void {
    countFacts(this.#options.actor.slab, "Lost", 1);
    this.#options.onLost(why);
  }
}
