import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Entry } from "../../../src/state/ledger/facts.ts";
import { type PricedGroup, priceSums } from "../../../src/state/ledger/priced.ts";
import {
  type GroupBy,
  GROUPS,
  latencySamples,
  sumAttempts,
  sumUsage,
} from "../../../src/state/ledger/read.ts";
import { EMBEDDED } from "../../../src/state/migrations/embedded.ts";
import { run } from "../../../src/state/migrations/migrate.ts";
import { priceOf } from "../../../src/state/rate-card/price.ts";
import { makeCard } from "../../../src/state/rate-card/rate-card.ts";
import { readCard } from "../../../src/state/rate-card/read-card.ts";
import type { Sql } from "../../../src/state/store/sql.ts";
import { sqlStore } from "../../../src/state/store/sql-store.ts";
import { DATABASES } from "../store/engines.ts";
import { AT, entry, usages } from "./entries.ts";

const DAY = 86_400_000;
// Two models with tiers at different lengths, one whose price changed within the window, one none.
const layer = readCard({
  providers: {
    p: {
      models: {
        a: {
          ...{ input: "1.5", output: "3", cache_read: "0.1", cache_write: "2", reasoning: "5" },
          tiers: [
            { above: 1000, input: "2", output: "4" },
            { above: 1_000_000, input: "7", output: "9" },
          ],
        },
        b: [
          { input: "0.3", output: "0.7", per_request: "0.001" },
          { input: "0.2", output: "0.6", from: "2030-01-14" },
        ],
      },
    },
  },
});
if (!("rates" in layer)) throw new Error(layer.join("; "));
const card = makeCard([layer]);

const facts = fc.sample(
  fc.record({
    at: fc.integer({ min: AT - 3 * DAY, max: AT }),
    billedModel: fc.constantFrom("a", "b", "unlisted"),
    tenant: fc.constantFrom("t1", "t2", undefined),
    key: fc.constantFrom("k1", "k2", undefined),
    status: fc.constantFrom(200, 200, 200, 502),
    provenance: fc.constantFrom("reported", "estimated"),
    usage: usages,
    latencyMs: fc.nat(60_000),
  }),
  { numRuns: 400, seed: 5 },
);
const ENTRIES: readonly Entry[] = facts.map((fact, n) =>
  entry({ id: `f${n}`, provider: "p", requestedModel: "alias", ...fact } as Partial<Entry["fact"]>),
);

/** The reference: each fact priced by itself, in fractions, and only the sum rounded. */
function slowCost(entries: readonly Entry[]): { readonly low: bigint; readonly unpriced: number } {
  let [low, unpriced] = [0n, 0];
  for (const { fact } of entries) {
    const sale = {
      provider: fact.provider,
      model: fact.billedModel,
      usage: fact.usage,
      at: fact.at,
    };
    const price = priceOf(card, sale);
    if (price.known) low += price.nano;
    else unpriced++;
  }
  return { low, unpriced };
}

describe.each(DATABASES)("$name", ({ missing, open }) => {
  if (missing !== undefined) {
    test.skip(missing, () => {});
    return;
  }
  let sql: Sql;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ it: sql, close } = await open());
    await run(sql, EMBEDDED, { wall: 1 });
    await sqlStore(sql, { node: "n1" }).appendFacts(ENTRIES);
  });
  afterAll(() => close());

  const ask = async (groupBy: GroupBy | undefined, filter: object = {}) => {
    const range = { from: 0, to: AT + 1, ...filter };
    const { thresholds } = card;
    return priceSums(await sumUsage(sql, { filter: range, groupBy, thresholds }), card);
  };
  const total = (groups: readonly PricedGroup[]) =>
    groups.reduce((sum, { nano }) => sum + nano, 0n);

  test("summed by the database it costs what its facts cost one by one", async () => {
    const [all] = await ask(undefined);
    const { low, unpriced } = slowCost(ENTRIES);
    // Each fact by itself is rounded up to a nano-dollar, the sum once.
    expect(all!.nano <= low && low - all!.nano < BigInt(ENTRIES.length)).toBe(true);
    expect(all!.requests).toBe(ENTRIES.length);
    expect(all!.unpriced).toMatchObject({ requests: unpriced, models: ["p/unlisted"] });
    expect(all!.errors).toBe(ENTRIES.filter(({ fact }) => fact.status >= 400).length);
    expect(all!.estimated).toBe(
      ENTRIES.filter(({ fact }) => fact.provenance !== "reported").length,
    );
  });

  test.each(GROUPS)(
    "grouped by %s it is the same all in all, and right in each group",
    async (groupBy) => {
      const [[all], groups] = [await ask(undefined), await ask(groupBy)];
      const rounding = BigInt(groups.length);
      expect(total(groups) >= all!.nano && total(groups) - all!.nano <= rounding).toBe(true);
      expect(groups.reduce((sum, { requests }) => sum + requests, 0)).toBe(all!.requests);
      for (const { group, requests, usage } of groups) {
        const own = ENTRIES.filter(({ fact }) => nameOf(fact, groupBy) === group);
        expect(requests).toBe(own.length);
        expect(usage.inputTokens).toBe(
          own.reduce((sum, { fact }) => sum + fact.usage.inputTokens, 0),
        );
        expect(usage.outputTokens).toBe(
          own.reduce((sum, { fact }) => sum + fact.usage.outputTokens, 0),
        );
      }
    },
  );

  test("filters and windows take what they say, to the millisecond", async () => {
    const requests = async (filter: object) => (await ask(undefined, filter))[0]?.requests ?? 0;
    const count = (is: (fact: Entry["fact"]) => boolean) =>
      ENTRIES.filter(({ fact }) => is(fact)).length;
    expect(await requests({ tenant: "t1" })).toBe(count((f) => f.tenant === "t1"));
    expect(await requests({ model: "a" })).toBe(count((f) => f.billedModel === "a"));
    expect(await requests({ model: "alias" })).toBe(ENTRIES.length);
    expect(await requests({ provider: "q" })).toBe(0);
    const from = ENTRIES[7]!.fact.at;
    expect(await requests({ from })).toBe(count((f) => f.at >= from));
    expect(await requests({ to: from })).toBe(count((f) => f.at < from));
    expect(await requests({ provider: "p' OR '1'='1" })).toBe(0);
  });

  test("attempts are what providers are owed, whatever was charged", async () => {
    const filter = { from: 0, to: AT + 1 };
    const sums = await sumAttempts(sql, { filter, thresholds: card.thresholds });
    const [priced] = priceSums(sums, card);
    expect(priced?.requests).toBe(ENTRIES.length);
    expect(priced?.nano).toBe((await ask(undefined))[0]!.nano); // One attempt each, all answered.
  });

  test("every request's time is read", async () => {
    const times: number[] = [];
    const filter = { from: 0, to: AT + 1 };
    for await (const sample of latencySamples(sql, { filter, groupBy: undefined })) {
      times.push(sample.latencyMs);
    }
    expect(times).toEqual(ENTRIES.map(({ fact }) => fact.latencyMs));
  });
});

function nameOf(fact: Entry["fact"], groupBy: GroupBy): string | undefined {
  switch (groupBy) {
    case "provider":
      return fact.provider;
    case "model":
      return fact.billedModel;
    case "tenant":
      return fact.tenant;
    case "key":
      return fact.key;
    case "hour":
      return `${new Date(fact.at).toISOString().slice(0, 13)}:00Z`;
    case "day":
      return new Date(fact.at).toISOString().slice(0, 10);
  }
}
