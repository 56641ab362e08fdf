import { costOf, nanoOfCrumbs, requestFee, type TokenCost, totalOf } from "../rate-card/price.ts";
import type { Crumbs, NanoAmount } from "../rate-card/prices.ts";
import type { RateCard } from "../rate-card/rate-card.ts";
import type { BillableUsage } from "../rate-card/usage.ts";
import { NO_USAGE } from "./facts.ts";
import type { UsageSum } from "./read.ts";

/** One group's usage, and what it costs by a card. */
export interface PricedGroup {
  readonly group: string | undefined;
  readonly requests: number;
  readonly errors: number;
  readonly estimated: number;
  readonly usage: BillableUsage;
  /** Of everything that has a price. */
  readonly nano: NanoAmount;
  /** By kind of token; rounded each, so that they may add up to a little more. */
  readonly parts: { readonly [Kind in keyof TokenCost]: NanoAmount };
  readonly fees: NanoAmount;
  /** What has none: how many requests, and of which models. */
  readonly unpriced: Unpriced;
}
export interface Unpriced {
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** `provider/model`, each once. */
  readonly models: readonly string[];
}

/** Sums priced and put together by group, in the order in which groups first come. */
export function priceSums(
  sums: readonly UsageSum[],
  card: RateCard,
  groupOf: (sum: UsageSum) => string | undefined = ({ group }) => group,
): readonly PricedGroup[] {
  const groups = new Map<string | undefined, Tally>();
  for (const sum of sums) {
    const group = groupOf(sum);
    const tally = groups.get(group) ?? new Tally();
    groups.set(group, tally);
    tally.add(sum, card);
  }
  return [...groups].map(([group, tally]) => tally.priced(group));
}

const NO_COST: TokenCost = {
  ...{ input: 0n, cacheRead: 0n, cacheWrite: 0n, cacheWriteLong: 0n, output: 0n, reasoning: 0n },
};

class Tally {
  #requests = 0;
  #errors = 0;
  #estimated = 0;
  #usage = NO_USAGE;
  #cost = NO_COST;
  #fees: NanoAmount = 0n;
  #unpricedRequests = 0;
  #unpricedUsage = NO_USAGE;
  readonly #models = new Set<string>();

  add(sum: UsageSum, card: RateCard): void {
    this.#requests += sum.requests;
    this.#errors += sum.errors;
    this.#estimated += sum.estimated;
    this.#usage = together(this.#usage, sum.usage);
    const found = card.find({ provider: sum.provider, model: sum.model, at: sum.day });
    if (found !== undefined) {
      this.#cost = costs(this.#cost, costOf(found, sum.usage, lengthIn(card, sum.tier)));
      this.#fees += requestFee(found) * BigInt(sum.requests);
    } else if (usesAnything(sum.usage)) {
      this.#unpricedRequests += sum.requests;
      this.#unpricedUsage = together(this.#unpricedUsage, sum.usage);
      this.#models.add(`${sum.provider}/${sum.model}`);
    }
  }

  priced(group: string | undefined): PricedGroup {
    const nano = (crumbs: Crumbs): NanoAmount => nanoOfCrumbs(crumbs);
    const cost = this.#cost;
    return {
      group,
      requests: this.#requests,
      errors: this.#errors,
      estimated: this.#estimated,
      usage: this.#usage,
      nano: nano(totalOf(cost)) + this.#fees,
      parts: {
        input: nano(cost.input),
        cacheRead: nano(cost.cacheRead),
        cacheWrite: nano(cost.cacheWrite),
        cacheWriteLong: nano(cost.cacheWriteLong),
        output: nano(cost.output),
        reasoning: nano(cost.reasoning),
      },
      fees: this.#fees,
      unpriced: {
        requests: this.#unpricedRequests,
        inputTokens: this.#unpricedUsage.inputTokens,
        outputTokens: this.#unpricedUsage.outputTokens,
        models: [...this.#models].sort(),
      },
    };
  }
}

/** An input as long as each request's of this tier, as far as prices can tell. */
function lengthIn({ thresholds }: RateCard, tier: number): number {
  const passed = tier === 0 ? undefined : thresholds[tier - 1];
  return passed === undefined ? 0 : passed + 1;
}

function usesAnything({ inputTokens, outputTokens }: BillableUsage): boolean {
  return inputTokens > 0 || outputTokens > 0;
}

function together(a: BillableUsage, b: BillableUsage): BillableUsage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
    cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
    cacheWriteLongTokens: a.cacheWriteLongTokens + b.cacheWriteLongTokens,
    reasoningTokens: a.reasoningTokens + b.reasoningTokens,
  };
}

function costs(a: TokenCost, b: TokenCost): TokenCost {
  return {
    input: a.input + b.input,
    cacheRead: a.cacheRead + b.cacheRead,
    cacheWrite: a.cacheWrite + b.cacheWrite,
    cacheWriteLong: a.cacheWriteLong + b.cacheWriteLong,
    output: a.output + b.output,
    reasoning: a.reasoning + b.reasoning,
  };
}
