import fc from "fast-check";
import { DIALECT_IDS } from "../../../src/core/ids.ts";
import {
  type AttemptFact,
  type Entry,
  NO_USAGE,
  type UsageFact,
} from "../../../src/state/ledger/facts.ts";
import type { BillableUsage } from "../../../src/state/rate-card/usage.ts";

export const AT = Date.UTC(2030, 0, 15, 12, 30);

/** A fact with everything set, but for what a test is about. */
export function entry(
  fact: Partial<UsageFact> = {},
  attempts: readonly Partial<AttemptFact>[] = [{}],
): Entry {
  const whole: UsageFact = {
    id: "f1",
    requestId: "req_1",
    at: AT,
    tenant: "acme",
    key: "app",
    requestedModel: "fast",
    billedModel: "gpt-4o-2024-08-06",
    provider: "openai",
    protocol: "openai",
    privacy: "shareable",
    stream: true,
    usage: usage({ inputTokens: 1000, outputTokens: 100 }),
    provenance: "reported",
    status: 200,
    latencyMs: 800,
    firstEventMs: 200,
    attempts: attempts.length,
    chargedNano: 3_500_000n,
    card: "abcdef012345",
    ...fact,
  };
  const tries = attempts.map((attempt, index) => ({
    n: index + 1,
    at: whole.at,
    provider: whole.provider,
    model: whole.billedModel,
    fault: undefined,
    cost: "reported" as const,
    usage: whole.usage,
    firstEventMs: 200,
    ...attempt,
  }));
  return { fact: whole, attempts: tries };
}

export function usage(counts: Partial<BillableUsage>): BillableUsage {
  return { ...NO_USAGE, ...counts };
}

const tokens = fc.oneof(fc.nat(10), fc.nat(2_000_000));
export const usages: fc.Arbitrary<BillableUsage> = fc.record({
  inputTokens: tokens,
  outputTokens: tokens,
  cacheReadTokens: tokens,
  cacheWriteTokens: tokens,
  cacheWriteLongTokens: tokens,
  reasoningTokens: tokens,
});

const attempts: fc.Arbitrary<Partial<AttemptFact>[]> = fc.array(
  fc.record({
    fault: fc.option(fc.constantFrom("server_error", "rate_limited"), { nil: undefined }),
    cost: fc.constantFrom("reported", "estimated", "none", "unknown"),
    usage: usages,
    firstEventMs: fc.option(fc.nat(60_000), { nil: undefined }),
  }),
  { maxLength: 3 },
);

export const entries: fc.Arbitrary<Entry> = fc
  .record({
    id: fc.string({ minLength: 1, maxLength: 12 }),
    tenant: fc.option(fc.constantFrom("acme", "umbrella"), { nil: undefined }),
    key: fc.option(fc.constantFrom("app", "batch"), { nil: undefined }),
    at: fc.integer({ min: 0, max: AT }),
    requestedModel: fc.string({ maxLength: 20 }),
    protocol: fc.constantFrom(...DIALECT_IDS),
    privacy: fc.constantFrom("private", "shareable", undefined),
    stream: fc.boolean(),
    usage: usages,
    firstEventMs: fc.option(fc.nat(60_000), { nil: undefined }),
    chargedNano: fc.bigInt({ min: 0n, max: 10n ** 12n }),
    tries: attempts,
  })
  .map(({ tries, ...fact }) => entry(fact, tries));
