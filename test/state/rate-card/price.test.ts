import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { mostOf, priceOf } from "../../../src/state/rate-card/price.ts";
import { makeCard, type RateCard } from "../../../src/state/rate-card/rate-card.ts";
import { readCard } from "../../../src/state/rate-card/read-card.ts";
import type { BillableUsage } from "../../../src/state/rate-card/usage.ts";
import { usage, usages } from "../ledger/entries.ts";

const AT = Date.UTC(2030, 0, 1);

function cardOf(models: object, provider = "p"): RateCard {
  const layer = readCard({ providers: { [provider]: { models } } });
  if (!("rates" in layer)) throw new Error(layer.join("; "));
  return makeCard([layer]);
}
function sale(counts: Partial<BillableUsage>, model = "m", at = AT) {
  return { provider: "p", model, usage: usage(counts), at };
}

// A price list with a tier and every kind of price of its own, in thousandths of a dollar.
const thousandths = fc.integer({ min: 0, max: 100_000 });
const prices = fc.record({
  input: thousandths,
  output: thousandths,
  cache_read: thousandths,
  cache_write: thousandths,
  cache_write_1h: thousandths,
  reasoning: thousandths,
});
type Priced = { [Name in keyof typeof NAMES]: number };
const NAMES = {
  ...{ input: 0, output: 0, cache_read: 0, cache_write: 0, cache_write_1h: 0, reasoning: 0 },
};
function written(entry: Priced): Record<string, string> {
  return Object.fromEntries(
    Object.entries(entry).map(([name, value]) => [name, (value / 1000).toFixed(3)]),
  );
}

/** The reference: one token after the other, as fractions of a nano-dollar. */
function slowNano(
  counts: BillableUsage,
  low: Priced,
  tier: { above: number; high: Priced },
): bigint {
  const list = counts.inputTokens > tier.above ? tier.high : low;
  // Thousandths of a dollar for a million tokens are thousandths of 1000 nano-dollars for one.
  let left = counts.inputTokens;
  let sum = 0n;
  const bill = (tokens: number, price: number): void => {
    for (let n = 0; n < tokens; n++) sum += BigInt(price);
  };
  const take = (claimed: number): number => {
    const taken = Math.min(claimed, left);
    left -= taken;
    return taken;
  };
  const long = Math.min(counts.cacheWriteLongTokens, counts.cacheWriteTokens);
  bill(take(long), list.cache_write_1h);
  bill(take(counts.cacheWriteTokens - long), list.cache_write);
  bill(take(counts.cacheReadTokens), list.cache_read);
  bill(left, list.input);
  const thought = Math.min(counts.reasoningTokens, counts.outputTokens);
  bill(thought, list.reasoning);
  bill(counts.outputTokens - thought, list.output);
  return sum; // In nano-dollars: a price is a thousandth of $ per 10^6, a nano-dollar per token.
}

describe("a known price", () => {
  test("is what a slow count of token after token comes to", () => {
    const few = fc.nat(300);
    const counts = fc.record({
      ...{ inputTokens: few, outputTokens: few, cacheReadTokens: few },
      ...{ cacheWriteTokens: few, cacheWriteLongTokens: few, reasoningTokens: few },
    });
    fc.assert(
      fc.property(
        prices,
        prices,
        fc.integer({ min: 1, max: 300 }),
        counts,
        (low, high, above, c) => {
          const m = { ...written(low), tiers: [{ above, ...written(high) }] };
          const price = priceOf(cardOf({ m }), sale(c));
          expect(price.nano).toBe(slowNano(c, low, { above, high }));
        },
      ),
      { numRuns: 300 },
    );
  });

  test("is rounded up once, to less than a nano-dollar more than it is", () => {
    // A price with nine digits, so that one token is a fraction of a nano-dollar.
    const nanos = fc.bigInt({ min: 0n, max: 10n ** 12n });
    fc.assert(
      fc.property(nanos, nanos, fc.nat(10_000_000), fc.nat(10_000_000), (a, b, input, output) => {
        const text = (nano: bigint) =>
          `${nano / 10n ** 9n}.${String(nano % 10n ** 9n).padStart(9, "0")}`;
        const card = cardOf({ m: { input: text(a), output: text(b) } });
        const { nano } = priceOf(card, sale({ inputTokens: input, outputTokens: output }));
        const exact = a * BigInt(input) + b * BigInt(output); // Millionths of a nano-dollar.
        expect(nano! * 1_000_000n >= exact).toBe(true);
        expect(nano! * 1_000_000n - exact < 1_000_000n).toBe(true);
      }),
    );
  });

  test("never passes the most that the same counts can cost", () => {
    fc.assert(
      fc.property(prices, prices, fc.nat(2_000_000), usages, usages, (low, high, above, c, d) => {
        const tiers = [{ above: above + 1, ...written(high) }];
        const card = cardOf({ m: { ...written(low), tiers, per_request: "0.005" } });
        // The same totals, split another way.
        const other = { ...d, inputTokens: c.inputTokens, outputTokens: c.outputTokens };
        const most = mostOf(card, sale(c)).nano!;
        expect(priceOf(card, sale(c)).nano! <= most).toBe(true);
        expect(priceOf(card, sale(other)).nano! <= most).toBe(true);
      }),
    );
  });

  test("a longer input is never cheaper where the longer tier is dearer", () => {
    const card = cardOf({
      m: { input: "1", output: "2", tiers: [{ above: 1000, input: "2", output: "3" }] },
    });
    const at = (inputTokens: number) => priceOf(card, sale({ inputTokens, outputTokens: 10 })).nano;
    expect(at(1000)).toBe(1_000_000n + 20_000n);
    expect(at(1001)).toBe(2_002_000n + 30_000n); // The whole request, not what is above.
  });

  test("a regional name costs its percentage", () => {
    const card = cardOf({ "anthropic.x": { input: "1", output: "0", regional_percent: 110 } });
    const nano = (model: string) => priceOf(card, sale({ inputTokens: 1_000_000 }, model)).nano;
    expect(nano("anthropic.x")).toBe(1_000_000_000n);
    expect(nano("global.anthropic.x-v1:0")).toBe(1_000_000_000n);
    expect(nano("eu.anthropic.x-v1:0")).toBe(1_100_000_000n);
  });

  test("holds from its day on, and what was asked before keeps its own", () => {
    const card = cardOf({
      m: [
        { input: "2", output: "0" },
        { input: "1", output: "0", from: "2030-01-02" },
      ],
    });
    const nano = (at: number) => priceOf(card, sale({ inputTokens: 1_000_000 }, "m", at)).nano;
    expect(nano(Date.UTC(2030, 0, 2) - 1)).toBe(2_000_000_000n);
    expect(nano(Date.UTC(2030, 0, 2))).toBe(1_000_000_000n);
  });
});

test("what has no price has no amount, not even nothing", () => {
  const card = cardOf({ m: { input: "1", output: "1", from: "2030-01-02" } });
  const none = { known: false, nano: undefined } as const;
  expect(priceOf(card, sale({ inputTokens: 5 }, "other"))).toEqual(none);
  expect(mostOf(card, sale({ inputTokens: 5 }, "other"))).toEqual(none);
  expect(priceOf(card, sale({ inputTokens: 5 }, "m", Date.UTC(2030, 0, 1)))).toEqual(none);
  expect(priceOf(card, { ...sale({}), provider: "q" })).toEqual(none);
});
