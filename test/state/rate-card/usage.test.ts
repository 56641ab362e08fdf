import { expect, test } from "bun:test";
import fc from "fast-check";
import { billable, consistent, splitTokens } from "../../../src/state/rate-card/usage.ts";
import { usages } from "../ledger/entries.ts";

test("each token is of one kind, whatever the parts claim", () => {
  fc.assert(
    fc.property(usages, (usage) => {
      const split = splitTokens(usage);
      const input = split.input + split.cacheRead + split.cacheWrite + split.cacheWriteLong;
      expect(Number(input)).toBe(usage.inputTokens);
      expect(Number(split.output + split.reasoning)).toBe(usage.outputTokens);
      for (const tokens of Object.values(split)) expect(tokens >= 0n).toBe(true);
    }),
  );
});

test("made consistent it splits the same, and sums split as their terms do", () => {
  fc.assert(
    fc.property(usages, usages, (a, b) => {
      const [x, y] = [consistent(a), consistent(b)];
      expect(splitTokens(x)).toEqual(splitTokens(a));
      expect(consistent(x)).toEqual(x);
      const names = Object.keys(x) as (keyof typeof x)[];
      const sum = Object.fromEntries(names.map((n) => [n, x[n] + y[n]])) as unknown as typeof x;
      const [sx, sy] = [splitTokens(x), splitTokens(y)];
      for (const [kind, tokens] of Object.entries(splitTokens(sum))) {
        expect(tokens).toBe(sx[kind as keyof typeof sx] + sy[kind as keyof typeof sy]);
      }
    }),
  );
});

test("a usage that says nothing of cache writes has none", () => {
  const core = { inputTokens: 3, outputTokens: 2, cacheReadTokens: 1, reasoningTokens: 0 };
  expect(billable(core)).toEqual({ ...core, cacheWriteTokens: 0, cacheWriteLongTokens: 0 });
});
