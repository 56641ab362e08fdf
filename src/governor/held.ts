import type { KeyId, TenantId } from "../core/ids.ts";
import type { Budget, Limits as KeyLimits } from "../core/limits.ts";
import { type BudgetLimit, budgetLimit } from "../state/slab/budget.ts";
import type { Limit } from "../state/slab/holds.ts";
import { type RateLimit, requestLimit, tokenLimit } from "../state/slab/rate.ts";
import type { Slab } from "../state/slab/slab.ts";
import { slotLimit } from "../state/slab/slots.ts";
import type { Told } from "../state/slab/told.ts";
import { periodNumber, stepCount } from "./periods.ts";

/** Who is held to limits: a key, and the tenant it belongs to if it does. */
export interface Holder {
  readonly id: KeyId;
  readonly limits: KeyLimits;
  readonly tenant?: { readonly id: TenantId; readonly limits: KeyLimits } | undefined;
}

/** One subject's limits as they stand in the slab. */
export interface Part {
  readonly id: KeyId | TenantId;
  readonly configured: KeyLimits;
  readonly limits: readonly Limit[];
  readonly requests: RateLimit | undefined;
  readonly tokens: RateLimit | undefined;
  readonly budgets: readonly HeldBudget[];
}

/** A budget, and where it is counted. */
export interface HeldBudget {
  readonly budget: Budget;
  readonly limit: BudgetLimit;
  /** What was told of it; made when there is something to tell. */
  told?: Told | undefined;
}

/** All that a key is held to. */
export interface Held {
  readonly key: KeyId;
  /** Those of its tenant stand behind its own: who is over its own limit takes nobody else's. */
  readonly limits: readonly Limit[];
  readonly own: Part;
  readonly tenant: Part | undefined;
}

/** Finds where all of this is counted, and makes a place for what has none yet. */
export function holdOf(slab: Slab, { id, limits, tenant }: Holder, sharing: Sharing = {}): Held {
  const own = partOf(slab, `key ${id}`, { id, limits, ...sharing });
  const all = tenant && partOf(slab, `tenant ${tenant.id}`, { ...tenant, ...sharing });
  return { key: id, limits: [...own.limits, ...(all?.limits ?? [])], own, tenant: all };
}

/** Whether other nodes spend from the same budgets. */
export interface Sharing {
  /** Which part of one a node may use without asking them; undefined where there are none. */
  readonly slicePart?: number | undefined;
}
type Subject = Pick<Held["own"], "id"> & { readonly limits: KeyLimits } & Sharing;

/** The cheapest to refuse by come first; budgets last, as their reservations are the largest. */
function partOf(slab: Slab, subject: string, { id, limits, slicePart }: Subject): Part {
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
  const budgets = limits.budgets.map((budget) => ({
    budget,
    limit: budgetOf(slab, subject, { ...budget, slicePart }),
  }));
  const all = [slots, requests, tokens, ...budgets.map(({ limit }) => limit)];
  const present = all.filter((limit) => limit !== undefined);
  return { id, configured: limits, limits: present, requests, tokens, budgets };
}

function budgetOf(slab: Slab, subject: string, budget: Budget & Sharing): BudgetLimit {
  const { unit, amount, period, slicePart } = budget;
  const rolls = typeof period === "object";
  // A window of another length is another budget: its steps are numbered differently.
  return budgetLimit(slab, rolls ? `${subject} over ${period.rollingMs}` : subject, {
    unit: unit === "usd" ? "nano" : "tokens",
    max: amount,
    scheme: rolls ? "rolling" : period,
    periodAt: (wall) => periodNumber(period, wall),
    buckets: stepCount(period),
    slicePart,
  });
}
