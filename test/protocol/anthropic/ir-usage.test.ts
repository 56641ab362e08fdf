import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  lacksCounts,
  readIrUsage,
  writeIrUsage,
} from "../../../src/protocol/anthropic/ir-usage.ts";
import { readCounts } from "../../../src/protocol/anthropic/usage.ts";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import { plain } from "./pieces.ts";

const read = (raw: JsonObject) => readIrUsage(raw, readCounts(raw, undefined) ?? {});

test("caches are parts of the input, by how long they are kept", () => {
  const usage = read({
    input_tokens: 5,
    cache_read_input_tokens: 20,
    cache_creation_input_tokens: 100,
    cache_creation: { ephemeral_5m_input_tokens: 70, ephemeral_1h_input_tokens: 30 },
    output_tokens: 9,
    output_tokens_details: { thinking_tokens: 4 },
  });
  expect(usage).toMatchObject({
    inputTotal: 125,
    cacheRead: 20,
    cacheWrite: 100,
    outputTotal: 9,
    reasoning: 4,
  });
  expect(plain(usage.cacheWriteByTtl)).toEqual({ "5m": 70, "1h": 30 });
});
test("what is not said is not made up", () => {
  expect(read({ output_tokens: 1 })).toMatchObject({ inputTotal: undefined, cacheRead: undefined });
  expect(lacksCounts(read({ output_tokens: 1 }))).toBe(true);
  expect(plain(writeIrUsage({ inputTotal: 3, outputTotal: 4, raw: {} }))).toEqual({
    input_tokens: 3,
    cache_creation_input_tokens: null,
    cache_read_input_tokens: null,
    output_tokens: 4,
  });
});
test("writing and reading counts gives the counts, and no count is ever below nothing", () => {
  const tokens = fc.nat(1e6);
  const usage = fc.record({
    inputTotal: tokens,
    cacheRead: tokens,
    cacheWrite: tokens,
    outputTotal: tokens,
    reasoning: tokens,
  });
  fc.assert(
    fc.property(usage, (counts) => {
      const written = writeIrUsage({ ...counts, raw: {} });
      expect(written["input_tokens"]).toBeGreaterThanOrEqual(0);
      const { raw: _, ...again } = read(written);
      // What was written to the cache is never more than what was not read from it.
      const inputTotal = Math.max(counts.inputTotal, counts.cacheRead);
      const cacheWrite = Math.min(counts.cacheWrite, inputTotal - counts.cacheRead);
      expect(plain(again)).toEqual({ ...counts, inputTotal, cacheWrite });
    }),
  );
});
test("what was read is written as it was", () => {
  const raw = { input_tokens: 1, output_tokens: 2, iterations: [{}], service_tier: null };
  expect(writeIrUsage(read(raw))).toBe(raw);
});
