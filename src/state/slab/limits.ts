import type { Ms, Nano } from "../../core/units.ts";
import { type Actor, NO_RECORD } from "./actor.ts";
import { bucketOf, type BudgetLimit } from "./budget.ts";
import { isRolling, periodIn } from "./calendar.ts";
import { checkFact, type Fact, publishFact } from "./facts.ts";
import {
  type Cost,
  holdDetail,
  holdOn,
  type Limit,
  settleHolds,
  takeHold,
  undoHolds,
} from "./holds.ts";
import { Journal, NONE_FREE } from "./journal.ts";
import { FLAG, HOLDS_MAX, KIND, RECORD, RECORD_NUMBERS, STATE, TAG_BYTES } from "./layout.ts";
import { appendTag, writeTag, writeTruth } from "./record.ts";
import { tickOf, waitNs } from "./rate.ts";
import { rollBudget } from "./roll.ts";
import { recordWord, type Slab } from "./slab.ts";

/** What a request wants to start with. */
export interface Ask extends Cost {
  /** At most twelve, asked in this order; the first that refuses is named. */
  readonly limits: readonly Limit[];
  /** The most it can come to: input by estimate and all the output it may have. */
  readonly tokens: number;
  readonly nano: Nano;
  /** What is owed once anything is delivered, and for a million output tokens after that. */
  readonly inputTokens: number;
  readonly inputNano: Nano;
  readonly outputNanoPerMillion: Nano;
  /** Which version of which price; kept for whoever settles this after a kill. */
  readonly priceKey: number;
  /** Up to 256 bytes that say whose request it is, for the same reader. */
  readonly tag: Uint8Array;
  /** It is more for a request that is admitted already, so it is given back after that settles. */
  readonly isExtra?: boolean | undefined;
  /** The machine's monotonic clock, the same in all processes. */
  readonly nowNs: bigint;
  readonly wall: Ms;
}

/** A request that may run. Settled exactly once. */
export interface Admitted {
  readonly kind: "admitted";
  readonly record: number;
  /** Set by `settle`. */
  settled: boolean;
}

/** A request that may not, and nothing of it is left anywhere. */
export interface Refused {
  readonly kind: "refused";
  /** The limit that refused; or every record is taken, by requests or by facts nobody reads. */
  readonly by: Limit | "in_flight";
  /** When it may be worth asking again; undefined when a limit says never, or its period does. */
  readonly retryAfterNs: number | undefined;
}

/** What a request came to. */
export interface Truth extends Cost {
  readonly estimated: boolean;
  readonly nowNs: bigint;
  /** The usage fact for the ledger. Without one, nobody hears of this request. */
  readonly fact: Uint8Array | undefined;
}

/** How long a budget between two periods is looked at again before its refusal is believed. */
const ROLLING_LOOKS = 64;
/** How soon a sweep will have finished what a dead process left in the middle. */
const ROLLING_RETRY_NS = 1e9;
/** How soon to come back when it is the machine that is full. */
const FULL_RETRY_NS = 2e9;

/** One process's way through the limits. Synchronous; allocates what it answers. */
export class Limits {
  readonly #actor: Actor;
  readonly #slab: Slab;
  readonly #journal: Journal;
  /** Facts that found no room in the ring; each keeps its record until it is in. */
  readonly #waiting: Fact[] = [];
  /** How many of those are in by now. */
  #published = 0;
  #inFlight = 0;

  constructor(actor: Actor) {
    this.#actor = actor;
    this.#slab = actor.slab;
    this.#journal = new Journal(actor.slab, actor.station);
  }

  /** Takes all the limits of a request, or none. */
  admit(ask: Ask): Admitted | Refused {
    checkAsk(ask);
    const actor = this.#actor;
    actor.now = tickOf(ask.nowNs);
    this.flush();
    const stuck = this.#rollBudgets(ask);
    if (stuck !== undefined) {
      return { kind: "refused", by: stuck, retryAfterNs: ROLLING_RETRY_NS };
    }
    const record = this.#journal.claim(actor.now);
    if (record === NONE_FREE) {
      return { kind: "refused", by: "in_flight", retryAfterNs: FULL_RETRY_NS };
    }
    this.#write(record, ask);
    this.#journal.mark(record, STATE.admitting);
    const { limits } = ask;
    for (let at = 0; at < limits.length; at++) {
      const limit = limits[at]!;
      actor.record = record;
      actor.after = at + 1;
      if (!this.#take(limit, ask)) return this.#refuse(record, limit, ask);
    }
    this.#journal.mark(record, STATE.admitted);
    actor.record = NO_RECORD;
    this.#inFlight++;
    return { kind: "admitted", record, settled: false };
  }

  /** Says how much output was delivered; what a kill leaves is settled at the last word of this. */
  delivered({ record, settled }: Admitted, outputTokens: number): void {
    if (settled) return; // A late word about an answer that is over: the record is another's.
    const word = recordWord(this.#slab, record) + RECORD.watermark;
    Atomics.store(this.#slab.i32, word, outputTokens + 1);
  }

  /** Adds to what says whose request it is, for whoever settles it after a kill. */
  annotate({ record, settled }: Admitted, more: Uint8Array): void {
    if (!settled) appendTag(this.#slab, record, more);
  }

  /** Turns estimates into the truth and gives slots back. @throws when a request ends twice. */
  settle(admitted: Admitted, truth: Truth): void {
    const { record } = admitted;
    const slab = this.#slab;
    if (admitted.settled) throw new Error("a request was settled twice");
    if (!this.#journal.holds(record, STATE.admitted)) throw new Error("swept while it ran");
    checkCount(truth.tokens);
    checkCount(truth.nano);
    checkFact(slab, truth.fact);
    admitted.settled = true;
    writeTruth(slab, record, truth);
    const actor = this.#actor;
    actor.now = tickOf(truth.nowNs);
    this.#journal.mark(record, STATE.settling);
    settleHolds(actor, record);
    actor.record = NO_RECORD;
    this.#inFlight--;
    if (truth.fact === undefined) this.#journal.free(record);
    else this.#publish({ record, bytes: truth.fact });
  }

  /**
   * Publishes what waits for room in the ring, as every call here does first. To be called now and
   * then by a process that is quiet, and until it answers 0 by one that ends.
   */
  flush(): number {
    while (this.#published < this.#waiting.length) {
      const fact = this.#waiting[this.#published]!;
      if (!publishFact(this.#slab, this.#actor.station, fact)) break;
      this.#journal.free(fact.record);
      this.#published++;
    }
    const left = this.#waiting.length - this.#published;
    if (left === 0 && this.#published > 0) {
      this.#waiting.length = 0;
      this.#published = 0;
    }
    return left;
  }

  /** Requests of this process that are not settled. */
  get inFlight(): number {
    return this.#inFlight;
  }

  #publish(fact: Fact): void {
    const isNext = this.flush() === 0;
    if (isNext && publishFact(this.#slab, this.#actor.station, fact)) {
      this.#journal.free(fact.record);
    } else {
      this.#waiting.push({ record: fact.record, bytes: fact.bytes.slice() });
    }
  }

  /** Begins new periods. The budget for which that is not possible yet, if there is one. */
  #rollBudgets({ limits, wall }: Ask): BudgetLimit | undefined {
    const actor = this.#actor;
    for (let at = 0; at < limits.length; at++) {
      const limit = limits[at]!;
      if (!isBudget(limit)) continue;
      const period = limit.periodAt(wall);
      if (period <= periodIn(this.#slab, limit.row)) continue;
      if (!rollBudget(actor, this.#journal, { limit, period })) return limit;
    }
    return undefined;
  }

  /** Everything of a record that is not its state. */
  #write(record: number, ask: Ask): void {
    const slab = this.#slab;
    const { i32, f64 } = slab;
    const word = recordWord(slab, record);
    const { limits } = ask;
    i32[word + RECORD.cursor] = 0;
    i32[word + RECORD.holdCount] = limits.length;
    i32[word + RECORD.watermark] = 0;
    i32[word + RECORD.inputTokens] = ask.inputTokens;
    i32[word + RECORD.hasFactAt] = 0;
    i32[word + RECORD.flags] = ask.isExtra === true ? FLAG.extra : 0;
    const numbers = word / 2;
    f64[numbers + RECORD_NUMBERS.takenTokens] = ask.tokens;
    f64[numbers + RECORD_NUMBERS.takenNano] = ask.nano;
    f64[numbers + RECORD_NUMBERS.inputNano] = ask.inputNano;
    f64[numbers + RECORD_NUMBERS.outputNanoPerMillion] = ask.outputNanoPerMillion;
    f64[numbers + RECORD_NUMBERS.startedMs] = ask.wall;
    f64[numbers + RECORD_NUMBERS.priceKey] = ask.priceKey;
    writeTag(slab, word, ask.tag);
    for (let at = 0; at < limits.length; at++) {
      const limit = limits[at]!;
      const bucket = isBudget(limit) ? bucketOf(limit, periodIn(slab, limit.row)) : 0;
      i32[word + RECORD.holds + at * 2] = holdOn(limit);
      i32[word + RECORD.holds + at * 2 + 1] = holdDetail(limit, bucket);
    }
  }

  #take(limit: Limit, ask: Ask): boolean {
    if (takeHold(this.#actor, limit, ask)) return true;
    if (!isBudget(limit)) return false;
    for (let looks = 0; looks < ROLLING_LOOKS && rolls(this.#slab, limit); looks++) {
      if (takeHold(this.#actor, limit, ask)) return true;
    }
    return false;
  }

  #refuse(record: number, limit: Limit, ask: Ask): Refused {
    const retryAfterNs = this.#retryAfter(limit, ask);
    const actor = this.#actor;
    undoHolds(actor, record);
    actor.record = NO_RECORD;
    this.#journal.free(record);
    return { kind: "refused", by: limit, retryAfterNs };
  }
  #retryAfter(limit: Limit, ask: Ask): number | undefined {
    switch (limit.kind) {
      case KIND.requests:
        return waitNs(this.#actor, limit, 1);
      case KIND.tokens:
        return waitNs(this.#actor, limit, ask.tokens);
      case KIND.slots:
        return FULL_RETRY_NS;
      case KIND.nanoBudget:
      case KIND.tokenBudget:
        return rolls(this.#slab, limit) ? ROLLING_RETRY_NS : undefined;
    }
  }
}

/** What would spoil a cell, or leave a record behind, is found before anything is taken. */
function checkAsk(ask: Ask): void {
  const { limits, tag } = ask;
  if (limits.length > HOLDS_MAX) throw new Error(`a request of ${limits.length} limits`);
  if (tag.length > TAG_BYTES) throw new Error(`a tag of ${tag.length} bytes`);
  checkCount(ask.tokens);
  checkCount(ask.nano);
  checkCount(ask.inputTokens);
  checkCount(ask.inputNano);
  checkCount(ask.outputNanoPerMillion);
}

function checkCount(count: number): void {
  if (!Number.isSafeInteger(count) || count < 0) throw new Error(`${count} is no count`);
}

function isBudget(limit: Limit): limit is BudgetLimit {
  return limit.kind === KIND.nanoBudget || limit.kind === KIND.tokenBudget;
}

function rolls(slab: Slab, { buckets }: BudgetLimit): boolean {
  return buckets.some((bucket) => isRolling(slab, bucket));
}
