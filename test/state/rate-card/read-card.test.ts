import { expect, test } from "bun:test";
import { readCard } from "../../../src/state/rate-card/read-card.ts";

const withModel = (m: unknown) => ({ providers: { p: { models: { m } } } });

test.each([
  [{ providers: { p: { models: {} } }, currency: "EUR" }, "currency"],
  [withModel({ input: "1" }), "output"],
  [withModel({ input: "1", output: "-1" }), "-1 is no amount of dollars"],
  [withModel({ input: "1", output: -1 }), "output"],
  [withModel({ input: "1,5", output: "1" }), "1,5 is no amount of dollars"],
  [withModel({ input: "1e3", output: "1" }), "1e3 is no amount of dollars"],
  [withModel({ input: 1e-10, output: "1" }), "1e-10 is no amount of dollars"],
  [withModel({ input: "0.0000000001", output: "1" }), "is no amount of dollars"],
  [withModel({ input: "1", output: "1", cached: "1" }), "cached"],
  [withModel({ input: "1", output: "1", from: "yesterday" }), "from"],
  [withModel({ input: "1", output: "1", tiers: [{ above: 0, input: "1", output: "1" }] }), "above"],
  [
    withModel([
      { input: "1", output: "1" },
      { input: "2", output: "2" },
    ]),
    "two prices from one day",
  ],
])("%j is refused with its place", (value, words) => {
  const read = readCard(value);
  expect("rates" in read ? "" : read.join("\n")).toContain(words);
});

test("all faults are told at once", () => {
  const read = readCard({
    providers: {
      p: { models: { a: { input: "x", output: "y" }, b: { input: "z", output: "1" } } },
    },
  });
  expect(read).toEqual([
    "providers.p.models.a: x is no amount of dollars",
    "providers.p.models.a: y is no amount of dollars",
    "providers.p.models.b: z is no amount of dollars",
  ]);
});

test("what has no price of its own costs what it is a part of", () => {
  const read = readCard(withModel({ input: "1", output: "2" }));
  if (!("rates" in read)) throw new Error(read.join("; "));
  const [one, two] = [1_000_000_000n, 2_000_000_000n];
  expect(read.rates[0]?.prices).toEqual({
    ...{ input: one, cacheRead: one, cacheWrite: one, cacheWriteLong: one },
    ...{ output: two, reasoning: two },
  });
});

test("an hour's cache costs what five minutes' does where nothing else is said", () => {
  const read = readCard(withModel({ input: "1", output: "2", cache_write: "1.25" }));
  if (!("rates" in read)) throw new Error(read.join("; "));
  expect(read.rates[0]?.prices.cacheWriteLong).toBe(1_250_000_000n);
});
