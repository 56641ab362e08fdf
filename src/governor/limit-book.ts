import type { Limits as KeyLimits } from "../core/limits.ts";
import type { KeyId, TenantId } from "../core/ids.ts";
import { type RateKind, Rejection, type Whose } from "../core/rejection.ts";
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
import type { Slab } from "../state/slab/slab.ts";
import { slotLimit } from "../state/slab/slots.ts";
import { periodNumber } from "./periods.ts";

/** Who is held to limits: a key, and the tenant it belongs to if it does. */
export interface Holder {
  readonly id: KeyId;
  readonly limits: KeyLimits;
  readonly tenant?: { readonly id: TenantId; readonly limits: KeyLimits } | undefined;
}

/** Who asks, and the most that its request can come to. */
export interface Asked {
  readonly key: Holder;
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

/** What a key has left, by whichever of its own and its tenant's limits is the tighter. */
export interface Levels {
  readonly requests: RateLevel | undefined;
  readonly requestsMax: number | undefined;
  readonly tokens: RateLevel | undefined;
  readonly tokensMax: number | undefined;
  readonly budget: (BudgetLevel & { readonly unit: "usd" | "tokens" }) | undefined;
}

/** One subject's limits as they stand in the slab. */
interface Part {
  readonly id: KeyId | TenantId;
  readonly configured: KeyLimits;
  readonly limits: readonly Limit[];
  readonly requests: RateLimit | undefined;
  readonly tokens: RateLimit | undefined;
  readonly budgets: readonly BudgetLimit[];
}

/** All that a key is held to. */
interface Held {
  readonly key: KeyId;
  /** Those of its tenant stand behind its own: who is over its own limit takes nobody else's. */
  readonly limits: readonly Limit[];
  readonly own: Part;
  readonly tenant: Part | undefined;
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
    return answer.kind === "admitted" ? answer : refusalOf(answer, held);
  }

  settle(admitted: Admitted, { tokens, nano, estimated }: Settled, nowNs: bigint): void {
    this.#limits.settle(admitted, { tokens, nano, estimated, nowNs, fact: undefined });
  }

  levels(key: Holder, nowNs: bigint): Levels {
    const { own, tenant } = this.#heldBy(key);
    const { slab } = this.#actor;
    const levels = levelsOf(slab, own, nowNs);
    return tenant === undefined ? levels : tighter(levels, levelsOf(slab, tenant, nowNs));
  }

  #heldBy(key: Holder): Held {
    const { id, limits, tenant } = key;
    const known = this.#held.get(limits);
    if (known?.key === id && known.tenant?.id === tenant?.id) return known;
    const own = this.#hold(`key ${id}`, { id, limits });
    const all = tenant && this.#hold(`tenant ${tenant.id}`, tenant);
    const held = { key: id, limits: [...own.limits, ...(all?.limits ?? [])], own, tenant: all };
    this.#held.set(limits, held);
    return held;
  }

  /** The cheapest to refuse by come first; budgets last, as their reservations are the largest. */
  #hold(subject: string, { id, limits }: Pick<Holder, "id" | "limits">): Part {
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
    const present = all.filter((limit) => limit !== undefined);
    return { id, configured: limits, limits: present, requests, tokens, budgets };
  }
}

function levelsOf(slab: Slab, part: Part, nowNs: bigint): Levels {
  const { configured, requests, tokens, budgets } = part;
  const [first] = budgets;
  const unit = first?.kind === KIND.nanoBudget ? "usd" : "tokens";
  return {
    requests: requests && peekRate(slab, requests, nowNs),
    requestsMax: configured.requestsPerMinute,
    tokens: tokens && peekRate(slab, tokens, nowNs),
    tokensMax: configured.tokensPerMinute,
    budget: first && { ...peekBudget(slab, first), unit },
  };
}

/** Of each limit the one with less left. Budgets of two units are compared by the part left. */
function tighter(own: Levels, tenant: Levels): Levels {
  const isLess = (mine: RateLevel | undefined, its: RateLevel | undefined): boolean =>
    its !== undefined && (mine === undefined || its.remaining < mine.remaining);
  const requests = isLess(own.requests, tenant.requests) ? tenant : own;
  const tokens = isLess(own.tokens, tenant.tokens) ? tenant : own;
  return {
    requests: requests.requests,
    requestsMax: requests.requestsMax,
    tokens: tokens.tokens,
    tokensMax: tokens.tokensMax,
    budget: leftOf(tenant.budget) < leftOf(own.budget) ? tenant.budget : own.budget,
  };
}

/** The part of a budget that is left; more than all where there is none. */
function leftOf(budget: Levels["budget"]): number {
  if (budget === undefined) return Infinity;
  const { spent, reserved, remaining } = budget;
  return remaining === 0 ? 0 : remaining / (spent + reserved + remaining);
}

function refusalOf({ by, retryAfterNs }: Refused, { tenant }: Held): Rejection {
  const retryAfterMs = retryAfterNs === undefined ? undefined : Math.ceil(retryAfterNs / 1e6);
  if (by === "in_flight") {
    return new Rejection({ kind: "overloaded", retryAfterMs: retryAfterMs ?? SATURATED_MS });
  }
  const whose: Whose = tenant?.limits.includes(by) === true ? "tenant" : "key";
  switch (by.kind) {
    case KIND.requests:
      return limited("rpm", { retryAfterMs, whose });
    case KIND.tokens:
      return limited("tpm", { retryAfterMs, whose });
    case KIND.slots:
      return limited("concurrency", { retryAfterMs, whose });
    case KIND.nanoBudget:
    case KIND.tokenBudget:
      return new Rejection({ kind: "budget_exhausted", retryAfterMs, whose });
  }
}

const SATURATED_MS: Ms = 2000;
const MINUTE_MS: Ms = 60_000;

interface Over {
  readonly retryAfterMs: Ms | undefined;
  readonly whose: Whose;
}

function limited(limit: RateKind, { retryAfterMs = MINUTE_MS, whose }: Over): Rejection {
  return new Rejection({ kind: "rate_limited", limit, retryAfterMs, whose });
}
