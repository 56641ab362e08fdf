import { expect, test } from "bun:test";
import { EXPORT_FIELDS, mapColumns, wordsOf } from "../../../src/state/ledger/export-columns.ts";

test.each([
  ["Input Tokens", "input tokens"],
  ["input_tokens", "input tokens"],
  ["inputTokens", "input tokens"],
  ["usage_input_tokens_cache_write_5m", "usage input tokens cache write 5 m"],
  [" Cost (USD) ", "cost usd"],
])("%s reads %s", (name, words) => expect(wordsOf(name)).toBe(words));

test("each column is taken for one thing, and the better name wins", () => {
  const header = ["start_time", "start_time_iso", "model", "input_tokens", "input_cached_tokens"];
  const map = mapColumns(header, new Map());
  expect(Object.fromEntries(map)).toEqual({ day: 1, model: 2, input: 3, cache_read: 4 });
  expect(EXPORT_FIELDS).toContain("cost");
});
