import type { BudgetAlert } from "../core/alert.ts";
import type { Limits, OnExhausted } from "../core/limits.ts";
import { Rejection } from "../core/rejection.ts";
import type { Ms } from "../core/units.ts";
import type { Holder } from "./held.ts";
import type { Instant, Levels } from "./levels.ts";
import type { Asked, Covering, LimitBook, Settled, Use } from "./limit-book.ts";

/** A started request's hold on the machine and on its key's limits. Given back exactly once. */
export interface Permit {
  /**
   * Ends the hold with what the request came to, without it nothing is charged; and publishes its
   * fact, if it has one, in the same step.
   * @throws when called twice: a request that ends twice is a bug.
   */
  release(settled?: Settled, fact?: Uint8Array): void;
  /** So many tokens have reached the client: what a kill leaves is settled at the last word. */
  delivered(outputTokens: number): void;
  /** Adds to what says whose request it is. */
  annotate(more: Uint8Array): void;
  /** Whether its budgets cover so much: where it is more than was reserved, that is taken first. */
  covers(use: Use, at: Covering): boolean;
}

/** Decides whether a request may start. Synchronous, from memory. */
export interface Governor {
  admit(asked: Asked, instant: Instant): Permit | Rejection;
  /** Whether an address, or who else is counted so, may ask at all now: about so many a minute. */
  allows(who: string, perMinute?: number): boolean;
  /** What a key has left; undefined where nothing is limited. */
  levels(key: Holder, instant: Instant): Levels | undefined;
  readonly inFlight: number;
  /** The end is near: answers tell their connections to close, and new requests still get one. */
  sayGoodbye(): void;
  /** From now on nothing new is admitted; what runs may finish. */
  drain(): void;
  readonly draining: boolean;
}

export interface GovernorOptions {
  readonly inFlightMax: number;
  /** Where limits are counted; without one no key has any. */
  readonly book?: LimitBook | undefined;
  /** Requests a minute of one address; undefined for any number. */
  readonly addressRateMax?: number | undefined;
  /** The machine's monotonic clock. */
  readonly machine: () => bigint;
  /** Undefined where nobody is told anything. */
  readonly alerts?: Alerting | undefined;
}

/** Who is told, once, that so much of a budget is used up. */
export interface Alerting {
  readonly percents: readonly number[];
  readonly wall: () => Ms;
  readonly tell: (alert: BudgetAlert) => void;
}

/** How soon to come back when all slots are taken: features.md b-R43's floor for saturation. */
const SATURATED_RETRY_MS: Ms = 2000;
const NOTHING: Settled = { tokens: 0, nano: 0, estimated: false };

export function createGovernor(options: GovernorOptions): Governor {
  const { inFlightMax, book, addressRateMax, machine, alerts } = options;
  /** Tells of a key's budgets what is new; `refused` is what they were asked for in vain. */
  function look(key: Holder, refused?: Use): void {
    if (alerts === undefined || book === undefined || !hasBudget(key)) return;
    const { percents, wall, tell } = alerts;
    for (const alert of book.alerts(key, { percents, wall: wall(), refused })) tell(alert);
  }
  let inFlight = 0;
  let draining = false;
  let closed = false;
  return {
    admit(asked, instant) {
      if (closed) return new Rejection({ kind: "draining" });
      if (inFlight >= inFlightMax) {
        return new Rejection({ kind: "overloaded", retryAfterMs: SATURATED_RETRY_MS });
      }
      const isNoted = asked.tag !== undefined || isHeld(asked.key);
      const taken = isNoted ? book?.admit(asked, instant) : undefined;
      if (taken instanceof Rejection) {
        if (taken.reason.kind === "budget_exhausted") look(asked.key, asked);
        return taken;
      }
      inFlight++;
      let held = true;
      return {
        release(settled = NOTHING, fact) {
          if (!held) throw new Error("a permit was released twice");
          held = false;
          inFlight--;
          if (taken === undefined) return;
          book?.settle(taken, { settled, nowNs: machine(), fact });
          look(asked.key);
        },
        delivered(outputTokens) {
          if (taken !== undefined) book?.delivered(taken, outputTokens);
        },
        annotate(more) {
          if (taken !== undefined) book?.annotate(taken, more);
        },
        covers(use, at) {
          const isCovered = taken === undefined || book?.covers(taken, use, at) !== false;
          if (!isCovered) look(asked.key, use);
          return isCovered;
        },
      };
    },
    allows(who, perMinute = addressRateMax) {
      if (book === undefined || perMinute === undefined) return true;
      return book.allows(who, perMinute, machine());
    },
    levels: (key, instant) => (isHeld(key) ? book?.levels(key, instant) : undefined),
    get inFlight() {
      return inFlight;
    },
    sayGoodbye() {
      draining = true;
    },
    drain() {
      draining = true;
      closed = true;
    },
    get draining() {
      return draining;
    },
  };
}

function isHeld({ limits, tenant }: Holder): boolean {
  return isLimited(limits) || (tenant !== undefined && isLimited(tenant.limits));
}

/** Whether a budget of a key or of its tenant ends an answer that has used it up. */
export function endsAnswers({ limits, tenant }: Holder, otherwise: OnExhausted): boolean {
  const isHard = ({ budgets, onExhausted = otherwise }: Limits): boolean =>
    budgets.length > 0 && onExhausted === "hard_stop";
  return isHard(limits) || (tenant !== undefined && isHard(tenant.limits));
}

/** Whether a key or its tenant has any budget. */
function hasBudget({ limits, tenant }: Holder): boolean {
  return limits.budgets.length > 0 || (tenant !== undefined && tenant.limits.budgets.length > 0);
}

/** Whether anything is limited at all: most keys need no place where it is counted. */
export function isLimited(limits: Limits): boolean {
  const { requestsPerMinute, tokensPerMinute, concurrency, budgets } = limits;
  return (
    requestsPerMinute !== undefined ||
    tokensPerMinute !== undefined ||
    concurrency !== undefined ||
    budgets.length > 0
  );
}
