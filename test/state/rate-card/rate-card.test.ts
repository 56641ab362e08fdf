import { describe, expect, test } from "bun:test";
import { CATALOGUE } from "../../../src/config/catalogue.ts";
import { priceOf } from "../../../src/state/rate-card/price.ts";
import { embeddedCard, embeddedLayer, makeCard } from "../../../src/state/rate-card/rate-card.ts";
import type { CardLayer } from "../../../src/state/rate-card/card-layer.ts";
import { readCard } from "../../../src/state/rate-card/read-card.ts";
import { usage } from "../ledger/entries.ts";

const AT = Date.UTC(2026, 10, 20);
const MILLION = 1_000_000;
const card = embeddedCard();

function layer(value: unknown): CardLayer {
  const read = readCard(value);
  if (!("rates" in read)) throw new Error(read.join("; "));
  return read;
}
const one = (provider: string, model: string, input = "1") =>
  layer({ providers: { [provider]: { models: { [model]: { input, output: "1" } } } } });

describe("the embedded card", () => {
  // Dollars for what was used, reckoned by hand from the list prices.
  test.each([
    ["openai", "gpt-4o-2024-08-06", { inputTokens: MILLION }, "2.5"],
    ["openai", "gpt-4o-2024-05-13", { inputTokens: MILLION }, "5"],
    ["openai", "gpt-4o-mini", { inputTokens: MILLION, cacheReadTokens: MILLION }, "0.075"],
    ["azure_openai", "gpt-4.1", { outputTokens: MILLION }, "8"],
    ["openai", "gpt-5-2025-08-07", { outputTokens: MILLION, reasoningTokens: MILLION }, "10"],
    ["anthropic", "claude-sonnet-4-5-20250929", { inputTokens: MILLION }, "3"],
    ["anthropic", "claude-opus-4-1", { inputTokens: MILLION, cacheWriteTokens: MILLION }, "18.75"],
    [
      ...(["anthropic", "claude-haiku-4-5"] as const),
      { inputTokens: MILLION, cacheWriteTokens: MILLION, cacheWriteLongTokens: MILLION },
      "2",
    ],
    ["anthropic", "claude-haiku-5-5", { inputTokens: 100_000 }, "0.01"],
    ["anthropic", "claude-haiku-5-5", { inputTokens: 200_000 }, "0.1"],
    ["gemini", "gemini-2.5-pro", { inputTokens: 200_000 }, "0.25"],
    ["vertex", "publishers/google/models/gemini-2.5-pro", { inputTokens: 400_000 }, "1"],
    ["bedrock-us-east-1", "amazon.nova-pro-v1:0", { inputTokens: MILLION }, "0.8"],
    ["bedrock", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0", { inputTokens: MILLION }, "3.3"],
    ["cohere", "command-r7b-12-2024", { inputTokens: MILLION }, "0.0375"],
    ["groq", "openai/gpt-oss-120b", { outputTokens: MILLION }, "0.6"],
    ["ollama", "whatever:8b", { inputTokens: MILLION, outputTokens: MILLION }, "0"],
  ])("%s %s %o costs $%s", (provider, model, counts, dollars) => {
    const price = priceOf(card, { provider, model, usage: usage(counts), at: AT });
    expect(Number(price.nano) / 1e9).toBe(Number(dollars));
  });

  test.each([
    ["openai", "gpt-4o-ultra"],
    ["openai", "gpt-4"[0]!],
    ["openai", "ft:gpt-4o-mini-2024-07-18:acme::1"],
    ["together", "meta-llama/Llama-3-8b"],
    ["somebody", "gpt-4o"],
  ])("%s %s is not priced as its neighbour", (provider, model) => {
    expect(card.find({ provider, model, at: AT })).toBeUndefined();
  });

  test("names only providers of the catalogue, and the demo", () => {
    const known = new Set([...CATALOGUE.map(({ name }) => name), "demo"]);
    const { rates, names } = embeddedLayer();
    const named = [...rates.map(({ provider }) => provider), ...names.keys()];
    expect(named.filter((name) => !known.has(name) && !name.endsWith("*"))).toEqual([]);
  });

  test("has the shape that is asked of anybody's card", async () => {
    const { default: written } = await import("../../../src/state/rate-card/embedded.json");
    expect(readCard(written)).toEqual(embeddedLayer());
  });

  test("no model's cached input is dearer than its fresh input", () => {
    const odd = card.rates.filter(({ prices }) => prices.cacheRead > prices.input);
    expect(odd.map(({ model }) => model)).toEqual([]);
  });

  test("a longer tier is never cheaper", () => {
    for (const { prices, tiers } of card.rates) {
      for (const tier of tiers) {
        expect(tier.prices.input >= prices.input && tier.prices.output >= prices.output).toBe(true);
      }
    }
  });
});

describe("layers", () => {
  test("a later one replaces a model whole and leaves the others", () => {
    const both = makeCard([embeddedLayer(), one("openai", "gpt-4o", "9")]);
    const input = (model: string) =>
      both.find({ provider: "openai", model, at: AT })?.rate.prices.input;
    expect(input("gpt-4o")).toBe(9_000_000_000n);
    expect(input("gpt-4o-mini")).toBe(150_000_000n);
  });

  test("a name of one's own can stand for a known price list", () => {
    const own = layer({ providers: { openai: { also: ["my-proxy", "team-*"], models: {} } } });
    const both = makeCard([embeddedLayer(), own]);
    for (const provider of ["my-proxy", "team-a"]) {
      expect(both.find({ provider, model: "gpt-4o", at: AT })?.rate.model).toBe("gpt-4o");
    }
  });

  test("a model's full name goes before its beginning, and a longer beginning before a shorter", () => {
    const layers = [one("p", "a*", "1"), one("p", "ab*", "2"), one("p", "abc", "3")];
    const cards = [makeCard(layers), makeCard(layers.toReversed())];
    const input = (model: string) => {
      const found = cards.map((each) => each.find({ provider: "p", model, at: AT }));
      expect(found[0]).toEqual(found[1]);
      return found[0]?.rate.prices.input;
    };
    expect([input("abc"), input("abd"), input("ax"), input("b")]).toEqual([
      ...[3_000_000_000n, 2_000_000_000n, 1_000_000_000n, undefined],
    ]);
  });
});

describe("the version", () => {
  test("is the same for the same prices, however they are written", () => {
    const a = layer({ providers: { p: { models: { m: { input: "1.50", output: 2 } } } } });
    const b = layer({ providers: { p: { models: { m: { output: "2", input: 1.5 } } } } });
    expect(makeCard([a]).version).toBe(makeCard([b]).version);
    expect(card.version).toMatch(/^[0-9a-f]{12}$/);
  });

  test.each([
    { input: "1.51", output: "2" },
    { input: "1.50", output: "2", cache_read: "0.1" },
    { input: "1.50", output: "2", from: "2030-01-01" },
    { input: "1.50", output: "2", per_request: "0.001" },
    { input: "1.50", output: "2", tiers: [{ above: 5, input: "3", output: "4" }] },
  ])("is another for %o", (entry) => {
    const version = (m: object) =>
      makeCard([layer({ providers: { p: { models: { m } } } })]).version;
    expect(version(entry)).not.toBe(version({ input: "1.50", output: "2" }));
  });
});

test("a provider that invents names does not fill memory, and stays unknown", () => {
  for (let n = 0; n < 10_000; n++) {
    expect(card.find({ provider: "openai", model: `x${n}`, at: AT })).toBeUndefined();
  }
  expect(card.find({ provider: "openai", model: "gpt-4o", at: AT })).toBeDefined();
});
