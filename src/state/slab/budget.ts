import type { Ms } from "../../core/units.ts";
import { sliceOf } from "../budget-periods/share.ts";
import { type Actor, NO_RECORD, valueAt } from "./actor.ts";
import { periodIn } from "./calendar.ts";
import { KIND, ROW } from "./layout.ts";
import { limitRow } from "./limit-row.ts";
import { type BudgetShare, budgetShare, shareCeiling, usedElsewhere, wantShare } from "./share.ts";
import { rowWord, type Slab } from "./slab.ts";

/**
 * So much money or so many tokens in a period. The row's `value` is spent and reserved together,
 * which is what the limit bounds; `spent` of its bucket rows is what was settled.
 *
 * A period ends by taking what was spent off both, so reservations in flight go on to count, in
 * the period they are settled in.
 */
export interface BudgetLimit {
  readonly kind: typeof KIND.nanoBudget | typeof KIND.tokenBudget;
  readonly row: number;
  /** Nano-dollars or tokens; at most 2 ** 53 - 1, which is nine million dollars. */
  readonly max: number;
  /** Rows with the spending of one period each: itself, or a rolling window's buckets in turn. */
  readonly buckets: readonly number[];
  /** The number of the period at an instant of the wall clock; always 0 when it never ends. */
  readonly periodAt: (wall: Ms) => number;
  /** This node's part of it; undefined where no other node spends from it. */
  readonly share?: BudgetShare | undefined;
}

export interface BudgetSpec {
  readonly unit: "nano" | "tokens";
  readonly max: number;
  /** What period it has: budgets that must share a row share it with their like. */
  readonly scheme: BudgetScheme;
  /** Rising, below 2 ** 24. Of a rolling window: the number of the bucket. */
  readonly periodAt: (wall: Ms) => number;
  /** Into how many buckets a rolling window is cut; 1 for calendar periods. */
  readonly buckets?: number | undefined;
  /** Which part of it a node may use without asking the others; undefined where there are none. */
  readonly slicePart?: number | undefined;
}

export type BudgetScheme = "total" | "hourly" | "daily" | "weekly" | "monthly" | "rolling";
const SCHEMES = ["total", "hourly", "daily", "weekly", "monthly", "rolling"] as const;
const SHARED_FIRST = 8;

/** What `x-interlock-budget` says. */
export interface BudgetLevel {
  readonly spent: number;
  readonly reserved: number;
  readonly remaining: number;
}

/** A budget of a key, a tenant or whatever `subject` names. @throws when it cannot be counted. */
export function budgetLimit(slab: Slab, subject: string, spec: BudgetSpec): BudgetLimit {
  const { unit, max, scheme, periodAt, buckets: count = 1 } = spec;
  if (!Number.isSafeInteger(max) || max < 0) throw new Error(`a budget of ${max}`);
  const kind = unit === "nano" ? KIND.nanoBudget : KIND.tokenBudget;
  const name = `${unit} ${scheme} ${subject}`;
  const shared = sharedRow(unit, scheme);
  const row = limitRow(slab, name, { kind, shared });
  const share = row === shared ? undefined : shareFor(slab, { ...spec, name, row });
  if (count === 1) return { kind, row, max, buckets: [row], periodAt, share };
  const buckets = Array.from({ length: count }, (_, at) => {
    return limitRow(slab, `${name} ${at}`, { kind: KIND.bucket, shared });
  });
  if (row !== shared && !buckets.includes(shared))
    return { kind, row, max, buckets, periodAt, share };
  // Rolling windows that share have one bucket of 31 days: shorter ones become stricter.
  const coarse = (wall: Ms): number => Math.floor(wall / (31 * 86_400_000));
  return { kind, row: shared, max, buckets: [shared], periodAt: coarse };
}

interface Sharing extends BudgetSpec {
  readonly name: string;
  readonly row: number;
}

function shareFor(slab: Slab, spec: Sharing): BudgetShare | undefined {
  const { name, row, max, slicePart, scheme } = spec;
  if (slicePart === undefined) return undefined;
  const slice = sliceOf(max, slicePart);
  return budgetShare(slab, { name, row, max, slice, rolls: scheme === "rolling" });
}

/** Reserves, if all that is spent and reserved stays within the budget, or this node's part. */
export function reserveBudget(actor: Actor, limit: BudgetLimit, amount: number): boolean {
  const { row, max, share } = limit;
  const { slab } = actor;
  actor.floor = 0;
  actor.delta = amount;
  actor.ceiling =
    share === undefined ? max : Math.min(max, shareCeiling(slab, share, periodIn(slab, row)));
  const isTaken = actor.move(rowWord(slab, row) + ROW.value);
  if (!isTaken && share !== undefined) wantShare(slab, rowWord(slab, share.row), amount);
  return isTaken;
}

/** The bucket that a request admitted in `period` is charged to. */
export function bucketOf({ buckets }: BudgetLimit, period: number): number {
  return buckets[period % buckets.length]!;
}

/** How much of a budget is spent, reserved and left. Between two steps of others the parts vary. */
export function peekBudget(slab: Slab, { row, max, buckets, share }: BudgetLimit): BudgetLevel {
  const committed = valueAt(slab, rowWord(slab, row) + ROW.value);
  let spent = 0;
  for (const bucket of buckets) spent += valueAt(slab, rowWord(slab, bucket) + ROW.spent);
  const reserved = Math.max(0, committed - spent);
  const others = share === undefined ? 0 : usedElsewhere(slab, share, periodIn(slab, row));
  const remaining = Math.max(0, max - committed - others);
  return { spent: spent + others, reserved, remaining };
}

/** Makes a budget agree with the ledger, at start: so much is spent of the period it is in. */
export function restoreSpent(actor: Actor, limit: BudgetLimit, spent: number): void {
  const { slab } = actor;
  let before = 0;
  actor.record = NO_RECORD;
  actor.floor = 0;
  actor.ceiling = Infinity;
  for (const bucket of limit.buckets) {
    const word = rowWord(slab, bucket) + ROW.spent;
    const counted = valueAt(slab, word);
    before += counted;
    actor.delta = -counted;
    actor.move(word);
  }
  actor.delta = spent - before;
  actor.move(rowWord(slab, limit.row) + ROW.value);
  actor.delta = spent;
  actor.move(rowWord(slab, bucketOf(limit, periodIn(slab, limit.row))) + ROW.spent);
}

function sharedRow(unit: BudgetSpec["unit"], scheme: BudgetScheme): number {
  return SHARED_FIRST + SCHEMES.indexOf(scheme) + (unit === "nano" ? 0 : SCHEMES.length);
}
