import { describe, expect, test } from "bun:test";
import type { ExportLine } from "../../../src/state/ledger/export.ts";
import type { UsageSum } from "../../../src/state/ledger/read.ts";
import { reconcile } from "../../../src/state/ledger/reconcile.ts";
import { embeddedCard } from "../../../src/state/rate-card/rate-card.ts";
import { usage } from "./entries.ts";

const DAY = Date.UTC(2030, 0, 15);
const card = embeddedCard();
const ours = (model: string, input: number, rest: Partial<UsageSum> = {}): UsageSum => ({
  ...{ group: undefined, provider: "openai", model, day: DAY, tier: 0, requests: 1, errors: 0 },
  ...{ estimated: 0, usage: usage({ inputTokens: input, outputTokens: 10 }) },
  ...rest,
});
const theirs = (
  model: string,
  input: number | undefined,
  rest: Partial<ExportLine> = {},
): ExportLine => ({
  ...{ day: DAY, model, requests: 1, inputTokens: input, outputTokens: 10 },
  ...{ cacheReadTokens: undefined, nano: undefined },
  ...rest,
});
const run = (a: readonly UsageSum[], b: readonly ExportLine[], tolerance = 0n) =>
  reconcile(a, b, { card, tolerance });

test("what both count alike differs in nothing", () => {
  const found = run([ours("gpt-4o", 1000)], [theirs("gpt-4o", 1000, { nano: 2_600_000n })]);
  expect(found).toEqual({ compared: 1, differences: [], ours: 2_600_000n, theirs: 2_600_000n });
});

test("each thing that differs is listed, with both sides", () => {
  const found = run(
    [ours("gpt-4o", 1000, { requests: 2 })],
    [theirs("gpt-4o", 1100, { nano: 1n })],
  );
  expect(found.differences.map(({ measure, ours: a, theirs: b }) => [measure, a, b])).toEqual([
    ["requests", 2n, 1n],
    ["input", 1000n, 1100n],
    ["nano", 2_600_000n, 1n],
  ]);
});

test("what only one side has is listed as nothing on the other", () => {
  const found = run(
    [ours("gpt-4o", 5)],
    [theirs("o3", 7), theirs("gpt-4o", 5, { day: DAY + 86_400_000 })],
  );
  const sides = found.differences.map((d) => [d.day - DAY, d.model, d.measure, d.ours, d.theirs]);
  expect(sides).toContainEqual([0, "gpt-4o", "input", 5n, undefined]);
  expect(sides).toContainEqual([0, "o3", "input", undefined, 7n]);
  expect(sides).toContainEqual([86_400_000, "gpt-4o", "input", undefined, 5n]);
});

describe("names", () => {
  test("a family in the export is the build that we were billed", () => {
    expect(run([ours("gpt-4o-2024-08-06", 5)], [theirs("gpt-4o", 5)]).differences).toEqual([]);
    expect(run([ours("gpt-4o", 5)], [theirs("GPT-4o-2024-08-06", 5)]).differences).toEqual([]);
  });
  test("two builds of a family are two models", () => {
    const found = run([ours("gpt-4o-2024-08-06", 5)], [theirs("gpt-4o-2024-05-13", 5)]);
    expect(found.compared).toBe(2);
  });
  test("a model's name may have blanks in it", () => {
    expect(run([ours("my model x", 5)], [theirs("my model x", 5)]).differences).toEqual([]);
  });
});

test("what an export leaves out differs in nothing", () => {
  const only = theirs("gpt-4o", undefined, { requests: undefined, outputTokens: 10 });
  expect(run([ours("gpt-4o", 5)], [only]).differences).toEqual([]);
});

test("what we have no price for is not held against the provider's cost", () => {
  const found = run([ours("no-such-model", 5)], [theirs("no-such-model", 5, { nano: 9n })]);
  expect(found.differences).toEqual([]);
});

test.each([
  [50n, 995, 0],
  [50n, 994, 1],
  [0n, 999, 1],
])(
  "of a tolerance of %d hundredths of a percent %d to 1000 is %d difference(s)",
  (tolerance, input, count) => {
    expect(
      run([ours("gpt-4o", input)], [theirs("gpt-4o", 1000)], tolerance).differences,
    ).toHaveLength(count);
  },
);
