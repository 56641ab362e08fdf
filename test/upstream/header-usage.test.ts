import { expect, test } from "bun:test";
import { usageInHeaders } from "../../src/upstream/header-usage.ts";

const said = (counts: Readonly<Record<string, string>>) =>
  usageInHeaders(
    new Headers(
      Object.entries(counts).map(([what, count]) => [`x-amzn-bedrock-${what}-token-count`, count]),
    ),
  );

test("both counts are wanted, and every input token counts once", () => {
  const counts = { input: "5", output: "7", "cache-read-input": "100", "cache-write-input": "20" };
  expect(said(counts)).toEqual({
    ...{ inputTokens: 125, outputTokens: 7, cacheReadTokens: 100, reasoningTokens: 0 },
    cacheWriteTokens: 20,
  });
  expect(said({ input: "5" })).toBeUndefined();
  expect(said({})).toBeUndefined();
});

test.each(["-1", "1.5", "1e3", "", "99999999999", "0x10"])("%p is no count", (count) => {
  expect(said({ input: count, output: "1" })).toBeUndefined();
});
