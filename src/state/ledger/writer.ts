import type { KeyId } from "../../core/ids.ts";
import type { Ms } from "../../core/units.ts";
import type { Clock, Timer } from "../../runtime/runtime.ts";
import type { NanoAmount } from "../rate-card/prices.ts";
import { type Entry, flawOf } from "./facts.ts";
import { EntryQueue } from "./queue.ts";
import type { LedgerSink, SinkFailure } from "./sink.ts";
import { type FailureMode, type Health, Standing } from "./standing.ts";

/** A place in the order of appending: 1 for the first entry. */
export type Ticket = number;

export interface LedgerCounts {
  /** Taken into the queue. */
  readonly appended: number;
  /** On disk now; `duplicates` of them were there before and changed nothing. */
  readonly committed: number;
  readonly duplicates: number;
  /** Not taken, or not writable: lost, and each told by `onLost`. Must stay 0. */
  readonly lost: number;
  /** Groups that could not be written when they were tried. */
  readonly failures: number;
  readonly queued: number;
  readonly queuedBytes: number;
}

export interface LedgerWriterOptions {
  readonly sink: LedgerSink;
  readonly clock: Clock;
  readonly failure?: FailureMode | undefined;
  /** The most memory that waiting entries may take. */
  readonly queueBytesMax?: number | undefined;
  /** How long an entry may wait for others to be written with. */
  readonly gatherMs?: Ms | undefined;
  /** Called whenever entries have reached the disk, with the last ticket that has. */
  readonly onCommitted?: ((through: Ticket) => void) | undefined;
  /** Called when the health's state changes. */
  readonly onHealth?: ((health: Health) => void) | undefined;
  readonly onLost?: ((entry: Entry, why: string) => void) | undefined;
}

const QUEUE_BYTES_MAX = 64 * 1024 * 1024;
const GATHER_MS: Ms = 10;
/** Entries of one transaction: about two milliseconds of writing. */
const GROUP_MAX = 250;
const RETRY_FIRST_MS: Ms = 50;
const RETRY_MAX_MS: Ms = 1000;
/** A file that another process holds for longer counts as failing. */
const BUSY_MAX_MS: Ms = 2000;

/**
 * Takes facts without ever blocking, and writes them in groups. The only writer of the ledger;
 * it belongs in a process or thread that answers no requests.
 */
export class LedgerWriter {
  readonly #options: LedgerWriterOptions;
  readonly #clock: Clock;
  readonly #queue: EntryQueue;
  readonly #standing: Standing;
  #timer: Timer | undefined;
  #retryMs: Ms = RETRY_FIRST_MS;
  #busySince: Ms | undefined;
  #state: Health["state"] = "healthy";
  #closed = false;
  #appended = 0;
  #committed = 0;
  #duplicates = 0;
  #lost = 0;
  #failures = 0;

  constructor(options: LedgerWriterOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#queue = new EntryQueue(options.queueBytesMax ?? QUEUE_BYTES_MAX);
    this.#standing = new Standing(options.failure ?? { mode: "strict" });
  }

  /**
   * Takes an entry; undefined when it cannot, which is counted and told as a loss. Whoever still
   * holds the entry elsewhere lets go of it once `onCommitted` has passed its ticket.
   *
   * @throws when the entry is no fact, or after `close`: both are bugs of the caller.
   */
  append(entry: Entry): Ticket | undefined {
    if (this.#closed) throw new Error("the ledger is closed");
    const flaw = flawOf(entry);
    if (flaw !== undefined) throw new Error(`fact ${entry.fact.id}: ${flaw}`);
    if (!this.#queue.push(entry)) {
      this.#lose(entry, "the queue is full");
      this.#standing.failed("overflow", this.#clock.now());
      this.#tell();
      return undefined;
    }
    this.#appended++;
    if (this.#timer === undefined) this.#wakeAfter(this.#options.gatherMs ?? GATHER_MS);
    return this.#appended;
  }

  /** Whether a managed key may start a request: always while facts reach the disk. */
  admits(key: KeyId, nano: NanoAmount): boolean {
    const admitted = this.#standing.admits(key, nano, this.#clock.now());
    this.#tell();
    return admitted;
  }

  /** Writes all that waits, now; false when some of it still waits. */
  flush(): boolean {
    this.#timer?.cancel();
    this.#timer = undefined;
    while (this.#queue.size > 0) {
      if (!this.#writeGroup()) {
        if (!this.#closed) this.#wakeAfter(this.#nextRetry());
        return false;
      }
    }
    return true;
  }

  /** Writes all that waits and ends. False when some of it could not be: that is lost, and told. */
  close(): boolean {
    this.#closed = true;
    const whole = this.flush();
    for (const entry of this.#queue.peek(this.#queue.size)) {
      this.#lose(entry, "the ledger closed while it could not be written");
    }
    this.#options.sink.close();
    return whole;
  }

  get health(): Health {
    return this.#standing.at(this.#clock.now());
  }
  /** Whether the gateway may say that it is ready. */
  get ready(): boolean {
    return this.health.state === "healthy";
  }
  /** The last ticket on disk. */
  get committed(): Ticket {
    return this.#committed;
  }
  get counts(): LedgerCounts {
    return {
      ...{ appended: this.#appended, committed: this.#committed, duplicates: this.#duplicates },
      ...{ lost: this.#lost, failures: this.#failures },
      ...{ queued: this.#queue.size, queuedBytes: this.#queue.bytes },
    };
  }

  #wakeAfter(delay: Ms): void {
    this.#timer = this.#clock.after(delay, () => {
      this.#timer = undefined;
      const done = this.#writeGroup();
      // One group a turn: whatever else this thread does is not kept waiting by a long queue.
      if (this.#queue.size > 0) this.#wakeAfter(done ? 0 : this.#nextRetry());
    });
  }

  #nextRetry(): Ms {
    const delay = this.#retryMs;
    this.#retryMs = Math.min(RETRY_MAX_MS, delay * 2);
    return delay;
  }

  /** Whether the group at the front is settled: written, or told as lost. */
  #writeGroup(): boolean {
    const group = this.#queue.peek(GROUP_MAX);
    if (group.length === 0) return true;
    const written = this.#options.sink.write(group);
    switch (written.kind) {
      case "written":
        this.#settle(group.length, written.duplicates);
        return true;
      case "failed":
        this.#fail(written.why);
        return false;
      case "refused":
        return this.#writeSingly(group);
    }
  }

  /** Finds what the database will never take, so that it does not hold up all that follows. */
  #writeSingly(group: readonly Entry[]): boolean {
    for (const entry of group) {
      const written = this.#options.sink.write([entry]);
      if (written.kind === "failed") {
        this.#fail(written.why);
        return false;
      }
      if (written.kind === "refused") this.#lose(entry, written.message);
      this.#settle(1, written.kind === "written" ? written.duplicates : 0);
    }
    return true;
  }

  #settle(count: number, duplicates: number): void {
    this.#queue.drop(count);
    this.#committed += count;
    this.#duplicates += duplicates;
    this.#retryMs = RETRY_FIRST_MS;
    this.#busySince = undefined;
    this.#standing.succeeded();
    this.#tell();
    this.#options.onCommitted?.(this.#committed);
  }

  #fail(why: SinkFailure): void {
    this.#failures++;
    const now = this.#clock.now();
    if (why === "busy") {
      this.#busySince ??= now;
      if (now - this.#busySince < BUSY_MAX_MS) return;
    }
    this.#standing.failed(why, now);
    this.#tell();
  }

  #lose(entry: Entry, why: string): void {
    this.#lost++;
    this.#options.onLost?.(entry, why);
  }

  #tell(): void {
    const { health } = this;
    if (health.state === this.#state) return;
    this.#state = health.state;
    this.#options.onHealth?.(health);
  }
}
