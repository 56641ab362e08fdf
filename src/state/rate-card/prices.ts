import type { Ms } from "../../core/units.ts";

/** Billionths of a dollar where sums may pass what a number holds exactly. */
export type NanoAmount = bigint;
/** Nano-dollars for a million tokens: every vendor's list price is a whole number of them. */
export type NanoPerMillion = bigint;
/** Tokens, times a price per million, times percent: a cost before any rounding. */
export type Crumbs = bigint;

export const CRUMBS_PER_NANO = 100_000_000n;

/** What a million tokens of each kind cost. */
export interface Prices {
  readonly input: NanoPerMillion;
  readonly cacheRead: NanoPerMillion;
  readonly cacheWrite: NanoPerMillion;
  readonly cacheWriteLong: NanoPerMillion;
  readonly output: NanoPerMillion;
  readonly reasoning: NanoPerMillion;
}

/** Prices that hold for the whole request once its input is longer than `above` tokens. */
export interface Tier {
  readonly above: number;
  readonly prices: Prices;
}

/** What one model at one provider costs from a moment on. */
export interface Rate {
  readonly provider: string;
  readonly model: string;
  /** Wall clock; 0 when it has always held as far as the card knows. */
  readonly from: Ms;
  readonly prices: Prices;
  /** The longest first. */
  readonly tiers: readonly Tier[];
  /** Added once for each request. */
  readonly perRequest: NanoAmount;
  /** What a model name that pins a region costs, in hundredths of the price. */
  readonly regionalPercent: bigint;
}
