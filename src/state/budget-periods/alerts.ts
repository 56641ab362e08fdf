import type { NanoAmount } from "../rate-card/prices.ts";

/** Percent of a budget at which somebody is told. */
export const THRESHOLDS: readonly number[] = [50, 80, 100];

/** How much of a budget was spent before and after one settlement: one atomic addition's. */
export interface Spent {
  readonly before: NanoAmount;
  readonly after: NanoAmount;
  readonly limit: NanoAmount;
}

/**
 * The thresholds that this settlement crossed. Since the addition was atomic, exactly one
 * settlement in the whole machine crosses each.
 */
export function crossed(
  { before, after, limit }: Spent,
  thresholds: readonly number[] = THRESHOLDS,
): readonly number[] {
  return thresholds.filter((percent) => {
    const line = limit * BigInt(percent);
    return before * 100n < line && after * 100n >= line;
  });
}

/** One telling. */
export interface Alert {
  /** The same for the same crossing on every node: a store that keeps ids tells it once. */
  readonly id: string;
  readonly budget: string;
  readonly period: string;
  readonly percent: number;
  readonly spent: NanoAmount;
  readonly limit: NanoAmount;
}

/**
 * Remembers what was told in each budget's current period: a refund, a changed limit or a restart
 * crosses a line a second time, and nobody is to be told twice.
 */
export class AlertBook {
  readonly #told = new Map<string, { period: string; highest: number }>();

  /** What is to be told now. */
  settle(
    budget: string,
    spent: Spent,
    { period, thresholds }: { readonly period: string; readonly thresholds?: readonly number[] },
  ): readonly Alert[] {
    const fresh = crossed(spent, thresholds).filter((percent) => {
      return percent > this.#highest(budget, period);
    });
    const highest = Math.max(0, ...fresh);
    if (highest > 0) this.#told.set(budget, { period, highest });
    return fresh.map((percent) => ({
      id: `alert:${budget}:${period}:${percent}`,
      ...{ budget, period, percent, spent: spent.after, limit: spent.limit },
    }));
  }

  /** What the log says was told before this start. */
  recall(budget: string, period: string, percent: number): void {
    const highest = Math.max(percent, this.#highest(budget, period));
    this.#told.set(budget, { period, highest });
  }

  /** Forgets a budget that is gone. */
  forget(budget: string): void {
    this.#told.delete(budget);
  }

  #highest(budget: string, period: string): number {
    const told = this.#told.get(budget);
    return told?.period === period ? told.highest : 0;
  }
}
