import type { Budget } from "../core/limits.ts";
import type { Whose } from "../core/rejection.ts";
import type { Ms } from "../core/units.ts";
import { type BudgetLevel, peekBudget } from "../state/slab/budget.ts";
import { peekRate, type RateLevel } from "../state/slab/rate.ts";
import type { Slab } from "../state/slab/slab.ts";
import type { Held, Part } from "./held.ts";
import { periodEnd } from "./periods.ts";

/** At one moment, on both clocks. */
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
  readonly budgets: readonly BudgetLeft[];
}

/** What is left of one budget. */
export interface BudgetLeft extends BudgetLevel {
  readonly budget: Budget;
  readonly whose: Whose;
  /** When something of what was spent counts no more; undefined when it counts for ever. */
  readonly resetAt: Ms | undefined;
}

/** Of each rate the one with less left, the key's or its tenant's; and every budget of both. */
export function levelsOf(slab: Slab, { own, tenant }: Held, instant: Instant): Levels {
  const key = ratesOf(slab, own, instant);
  const budgets = budgetsOf(slab, own, { ...instant, whose: "key" });
  if (tenant === undefined) return { ...key, budgets };
  const all = ratesOf(slab, tenant, instant);
  const requests = isLess(key.requests, all.requests) ? all : key;
  const tokens = isLess(key.tokens, all.tokens) ? all : key;
  return {
    requests: requests.requests,
    requestsMax: requests.requestsMax,
    tokens: tokens.tokens,
    tokensMax: tokens.tokensMax,
    budgets: [...budgets, ...budgetsOf(slab, tenant, { ...instant, whose: "tenant" })],
  };
}

function ratesOf(slab: Slab, { configured, requests, tokens }: Part, { nowNs }: Instant) {
  return {
    requests: requests && peekRate(slab, requests, nowNs),
    requestsMax: configured.requestsPerMinute,
    tokens: tokens && peekRate(slab, tokens, nowNs),
    tokensMax: configured.tokensPerMinute,
  };
}

function isLess(mine: RateLevel | undefined, its: RateLevel | undefined): boolean {
  return its !== undefined && (mine === undefined || its.remaining < mine.remaining);
}

interface Seen extends Instant {
  readonly whose: Whose;
}

function budgetsOf(slab: Slab, { budgets }: Part, { wall, whose }: Seen): readonly BudgetLeft[] {
  return budgets.map(({ budget, limit }) => ({
    ...peekBudget(slab, limit),
    ...{ budget, whose, resetAt: periodEnd(budget.period, wall) },
  }));
}
