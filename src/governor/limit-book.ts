import type { Limits as KeyLimits } from "../core/limits.ts";
import type { KeyId } from "../core/ids.ts";
import { Rejection } from "../core/rejection.ts";
import type { Ms, Nano } from "../core/units.ts";
import type { Actor } from "../state/slab/actor.ts";
import {
  type BudgetLimit,
  type BudgetLevel,
  budgetLimit,
  peekBudget,
} from "../state/slab/budget.ts";
import { Guard } from "../state/slab/guard.ts";
import type { Limit } from "../state/slab/holds.ts";
import { KIND } from "../state/slab/layout.ts";
import { type Admitted, type Ask, Limits, type Refused } from "../state/slab/limits.ts";
import {
  peekRate,
  type RateLevel,
  type RateLimit,
  requestLimit,
  tokenLimit,
} from "../state/slab/rate.ts";
import { slotLimit } from "../state/slab/slots.ts";
import { periodNumber } from "./periods.ts";

/** Who asks, and the most that its request can come to. */
export interface Asked {
  readonly key: { readonly id: KeyId; readonly limits: KeyLimits };
  readonly inputTokens: number;
  /** Input by estimate and all the output it may have. */
  readonly tokens: number;
  readonly inputNano: Nano;
  readonly nano: Nano;
  readonly outputNanoPerMillion: Nano;
}

/** What it came to in the end. */
export interface Settled {
  readonly tokens: number;
  readonly nano: Nano;
  readonly estimated: boolean;
}

export interface Instant {
  /** The machine's monotonic clock. */
  readonly nowNs: bigint;
  readonly wall: Ms;
}

/** What a key has left, for the headers that tell. */
export interface Levels {
  readonly requests: RateLevel | undefined;
  readonly requestsMax: number | undefined;
  readonly tokens: RateLevel | undefined;
  readonly tokensMax: number | undefined;
  readonly budget: (BudgetLevel & { readonly unit: "usd" | "tokens" }) | undefined;
}

/** A key's limits as they stand in the slab. */
interface Held {
  readonly limits: readonly Limit[];
  readonly requests: RateLimit | undefined;
  readonly tokens: RateLimit | undefined;
  readonly budgets: readonly BudgetLimit[];
}

const MINUTE_NS = 60e9;
const NO_TAG = new Uint8Array();

/** Every key's limits, exact over all processes that share the slab. */
export class LimitBook {
  readonly #actor: Actor;
  readonly #limits: Limits;
  readonly #held = new WeakMap<KeyLimits, Held>();
  readonly #guard: Guard;

  constructor(actor: Actor) {
    this.#actor = actor;
    this.#guard = new Guard(actor.slab, MINUTE_NS);
    this.#limits = new Limits(actor);
  }

  /** Whether an address may send one more this minute; in memory of one size, whoever comes. */
  allows(address: string, perMinute: number, nowNs: bigint): boolean {
    return this.#guard.allows(address, perMinute, nowNs);
  }

  /** Takes everything the request may need, or nothing. */
  admit(asked: Asked, instant: Instant): Admitted | Rejection {
    const held = this.#heldBy(asked.key);
    const ask: Ask = { ...asked, ...instant, limits: held.limits, priceKey: 0, tag: NO_TAG };
    const answer = this.#limits.admit(ask);
    return answer.kind === "admitted" ? answer : refusalOf(answer);
  }

  settle(admitted: Admitted, { tokens, nano, estimated }: Settled, nowNs: bigint): void {
    this.#limits.settle(admitted, { tokens, nano, estimated, nowNs, fact: undefined });
  }

  levels(key: Asked["key"], nowNs: bigint): Levels {
    const { requests, tokens, budgets } = this.#heldBy(key);
    const { slab } = this.#actor;
    const [first] = budgets;
    const unit = first?.kind === KIND.nanoBudget ? "usd" : "tokens";
    return {
      requests: requests && peekRate(slab, requests, nowNs),
      requestsMax: key.limits.requestsPerMinute,
      tokens: tokens && peekRate(slab, tokens, nowNs),
      tokensMax: key.limits.tokensPerMinute,
      budget: first && { ...peekBudget(slab, first), unit },
    };
  }

  #heldBy({ id, limits }: Asked["key"]): Held {
    let held = this.#held.get(limits);
    if (held === undefined) this.#held.set(limits, (held = this.#hold(`key ${id}`, limits)));
    return held;
  }

  /** The cheapest to refuse by come first; budgets last, as their reservations are the largest. */
  #hold(subject: string, limits: KeyLimits): Held {
    const { slab } = this.#actor;
    const { requestsPerMinute, tokensPerMinute, concurrency } = limits;
    const requests =
      requestsPerMinute === undefined
        ? undefined
        : requestLimit(slab, subject, { perMinute: requestsPerMinute });
    const slots = concurrency === undefined ? undefined : slotLimit(slab, subject, concurrency);
    const tokens =
      tokensPerMinute === undefined
        ? undefined
        : tokenLimit(slab, subject, { perMinute: tokensPerMinute });
    const budgets = limits.budgets.map(({ unit, amount, period }) =>
      budgetLimit(slab, subject, {
        unit: unit === "usd" ? "nano" : "tokens",
        max: amount,
        scheme: period,
        periodAt: (wall) => periodNumber(period, wall),
      }),
    );
    const all = [slots, requests, tokens, ...budgets];
    return { limits: all.filter((limit) => limit !== undefined), requests, tokens, budgets };
  }
}

function refusalOf({ by, retryAfterNs }: Refused): Rejection {
  const retryAfterMs = retryAfterNs === undefined ? undefined : Math.ceil(retryAfterNs / 1e6);
  if (by === "in_flight") {
    return new Rejection({ kind: "overloaded", retryAfterMs: retryAfterMs ?? SATURATED_MS });
  }
  switch (by.kind) {
    case KIND.requests:
      return limited("rpm", retryAfterMs);
    case KIND.tokens:
      return limited("tpm", retryAfterMs);
    case KIND.slots:
      return limited("concurrency", retryAfterMs);
    case KIND.nanoBudget:
    case KIND.tokenBudget:
      return new Rejection({ kind: "budget_exhausted", retryAfterMs });
  }
}

const SATURATED_MS: Ms = 2000;
const MINUTE_MS: Ms = 60_000;

function limited(limit: "rpm" | "tpm" | "concurrency", retryAfterMs: Ms | undefined): Rejection {
  return new Rejection({ kind: "rate_limited", limit, retryAfterMs: retryAfterMs ?? MINUTE_MS });
}
