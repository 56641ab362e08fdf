import type { Ms, Nano } from "./units.ts";

/** What one key may use up. Undefined anywhere: nobody set a limit. */
export interface Limits {
  readonly requestsPerMinute: number | undefined;
  readonly tokensPerMinute: number | undefined;
  /** Requests at the same time, over all worker processes. */
  readonly concurrency: number | undefined;
  /** Each of them must hold: one in dollars, one in tokens at most. */
  readonly budgets: readonly Budget[];
  /** Since the epoch, by the wall clock. */
  readonly expiresAt: Ms | undefined;
  /** What becomes of an answer that outgrows its budgets; as `budgets` says where unset. */
  readonly onExhausted?: OnExhausted | undefined;
}

/** `hard_stop` ends an answer where its budgets end; `finish` lets it run, and charges it. */
export type OnExhausted = "finish" | "hard_stop";

/** How much may be spent in each period, and in what. */
export interface Budget {
  readonly unit: "usd" | "tokens";
  /** Nano-dollars, or tokens: always an integer. */
  readonly amount: Nano;
  readonly period: Period;
}
/** Calendar periods are UTC's: features.md row 54. A rolling window ends now, whenever that is. */
export type Period = CalendarPeriod | { readonly rollingMs: Ms };
/** Periods that end for every key at the same instant, or never. */
export type CalendarPeriod = (typeof CALENDAR_PERIODS)[number];
export const CALENDAR_PERIODS = ["hourly", "daily", "weekly", "monthly", "total"] as const;

export const UNLIMITED: Limits = {
  requestsPerMinute: undefined,
  tokensPerMinute: undefined,
  concurrency: undefined,
  budgets: [],
  expiresAt: undefined,
};
