import { afterAll, beforeAll, expect, test } from "bun:test";
import { tokenUsage } from "../../src/cli/token-usage.ts";
import { entry, usage } from "../state/ledger/entries.ts";
import { ledgerOf, NOW } from "./cost-place.ts";

const FACTS = [
  entry({
    ...{ id: "a", at: NOW - 1 },
    usage: usage({
      inputTokens: 1000,
      outputTokens: 50,
      cacheReadTokens: 600,
      reasoningTokens: 20,
    }),
  }),
  entry({
    ...{ id: "b", at: NOW - 2, tenant: "umbrella", provenance: "estimated", status: 502 },
    usage: usage({ inputTokens: 10, outputTokens: 5, cacheWriteTokens: 4 }),
  }),
];

let ledger: Awaited<ReturnType<typeof ledgerOf>>;
beforeAll(async () => {
  ledger = await ledgerOf(FACTS);
});
afterAll(() => ledger.remove());

test("adds up what was used", async () => {
  expect(await ledger.json(tokenUsage)).toEqual([
    { group: null, requests: 2, input_tokens: 1010, output_tokens: 55, total_tokens: 1065 },
  ]);
  expect((await ledger.ask(tokenUsage)).out).toMatch(/all +2 +1,010 +55 +1,065/);
});

test("by tenant, with a total for people", async () => {
  const rows = await ledger.json(tokenUsage, "-g", "tenant");
  expect(rows.map(({ tenant, total_tokens: all }) => [tenant, all])).toEqual([
    ["acme", 1050],
    ["umbrella", 15],
  ]);
  const { out } = await ledger.ask(tokenUsage, "-g", "tenant");
  expect(out).toMatch(/umbrella +1 +10 +5 +15\n +total +2 +1,010 +55 +1,065/);
});

test("in detail: caches, reasoning, estimates and failures", async () => {
  expect(await ledger.json(tokenUsage, "--detailed")).toMatchObject([
    {
      ...{ cache_read_tokens: 600, cache_write_tokens: 4, reasoning_tokens: 20 },
      ...{ estimated_requests: 1, failed_requests: 1 },
    },
  ]);
});
