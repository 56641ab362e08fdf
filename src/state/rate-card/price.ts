import type { Ms } from "../../core/units.ts";
import { type Crumbs, CRUMBS_PER_NANO, type NanoAmount, type Prices, type Rate } from "./prices.ts";
import type { FoundRate, RateCard } from "./rate-card.ts";
import { type BillableUsage, splitTokens, type TokenSplit } from "./usage.ts";

/** What somebody used, and of whom. */
export interface Sale {
  readonly provider: string;
  /** As the provider names what it billed. */
  readonly model: string;
  readonly usage: BillableUsage;
  /** When, on the wall clock: a price holds from its day on. */
  readonly at: Ms;
}

/** Without a known price there is no amount: nobody can take an unknown one for nothing. */
export type Price =
  | { readonly known: true; readonly nano: NanoAmount; readonly rate: Rate }
  | { readonly known: false; readonly nano: undefined };

const UNKNOWN: Price = { known: false, nano: undefined };

/** What `sale` costs by `card`, rounded up to a whole nano-dollar once. */
export function priceOf(card: RateCard, sale: Sale): Price {
  const found = card.find(sale);
  if (found === undefined) return UNKNOWN;
  const { rate } = found;
  const nano = nanoOfCrumbs(totalOf(costOf(found, sale.usage))) + requestFee(found);
  return { known: true, nano, rate };
}

/**
 * The most that these counts can come to, however the provider splits the input between fresh and
 * cached. A reservation of this much always covers the settlement.
 */
export function mostOf(card: RateCard, sale: Sale): Price {
  const found = card.find(sale);
  if (found === undefined) return UNKNOWN;
  const { rate } = found;
  const all = [rate.prices, ...reachedTiers(rate, sale.usage.inputTokens)];
  const split = splitTokens(sale.usage);
  const input = split.input + split.cacheRead + split.cacheWrite + split.cacheWriteLong;
  const output = split.output + split.reasoning;
  const inputs = all.flatMap((each) => [
    ...[each.input, each.cacheRead, each.cacheWrite, each.cacheWriteLong],
  ]);
  const outputs = all.flatMap((each) => [each.output, each.reasoning]);
  const crumbs = (input * greatest(inputs) + output * greatest(outputs)) * found.percent;
  return { known: true, nano: nanoOfCrumbs(crumbs) + requestFee(found), rate };
}

/**
 * What each kind of token came to, unrounded, so that sums over many requests stay exact. Of such a
 * sum `inputLength` is one request's, since that decides the tier.
 */
export function costOf(
  { rate, percent }: FoundRate,
  usage: BillableUsage,
  inputLength = usage.inputTokens,
): TokenCost {
  const split = splitTokens(usage);
  const tier = rate.tiers.find(({ above }) => inputLength > above);
  return multiplied(split, tier?.prices ?? rate.prices, percent);
}

/** Unrounded, by kind of token. */
export type TokenCost = { readonly [Kind in keyof TokenSplit]: Crumbs };

export function totalOf(cost: TokenCost): Crumbs {
  return (
    cost.input +
    cost.cacheRead +
    cost.cacheWrite +
    cost.cacheWriteLong +
    cost.output +
    cost.reasoning
  );
}

/** Up: what is owed is never understated, and by less than a nano-dollar overstated. */
export function nanoOfCrumbs(crumbs: Crumbs): NanoAmount {
  return up(crumbs, CRUMBS_PER_NANO);
}

/** The fee of one request, beside its tokens. */
export function requestFee({ rate, percent }: FoundRate): NanoAmount {
  return up(rate.perRequest * percent, 100n);
}

function multiplied(split: TokenSplit, prices: Prices, percent: bigint): TokenCost {
  const cost = (tokens: bigint, price: bigint): Crumbs => tokens * price * percent;
  return {
    input: cost(split.input, prices.input),
    cacheRead: cost(split.cacheRead, prices.cacheRead),
    cacheWrite: cost(split.cacheWrite, prices.cacheWrite),
    cacheWriteLong: cost(split.cacheWriteLong, prices.cacheWriteLong),
    output: cost(split.output, prices.output),
    reasoning: cost(split.reasoning, prices.reasoning),
  };
}

function reachedTiers(rate: Rate, input: number): readonly Prices[] {
  return rate.tiers.filter(({ above }) => input > above).map(({ prices }) => prices);
}

function greatest(amounts: readonly bigint[]): bigint {
  return amounts.reduce((most, each) => (each > most ? each : most), 0n);
}

function up(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
