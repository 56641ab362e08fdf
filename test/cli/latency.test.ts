import { afterAll, beforeAll, expect, test } from "bun:test";
import { latency } from "../../src/cli/latency.ts";
import { entry } from "../state/ledger/entries.ts";
import { ledgerOf, NOW } from "./cost-place.ts";

// 1 to 1000 ms, the first event at a tenth of it; every hundredth failed and had none.
const FACTS = Array.from({ length: 1000 }, (_, n) =>
  entry({
    ...{ id: `f${n}`, at: NOW - n, latencyMs: n + 1 },
    status: (n + 1) % 100 === 0 ? 502 : 200,
    firstEventMs: (n + 1) % 100 === 0 ? undefined : Math.ceil((n + 1) / 10),
  }),
);

let ledger: Awaited<ReturnType<typeof ledgerOf>>;
beforeAll(async () => {
  ledger = await ledgerOf([...FACTS, entry({ id: "x", at: NOW - 2 * 3_600_000, latencyMs: 9 })]);
});
afterAll(() => ledger.remove());

test("exact percentiles of each backend within the last hour", async () => {
  expect(await ledger.json(latency)).toEqual([
    {
      ...{ backend: "openai/gpt-4o-2024-08-06", requests: 1000, failed: 10, mean_ms: 501 },
      ...{ p50_ms: 500, p95_ms: 950, p99_ms: 990, first_event_p50_ms: 50, first_event_p95_ms: 95 },
    },
  ]);
});

test("all percentiles when they are asked for", async () => {
  const [row] = await ledger.json(latency, "--percentiles");
  expect(row).toMatchObject({
    ...{ p75_ms: 750, p90_ms: 900, "p99.9_ms": 999, max_ms: 1000, first_event_max_ms: 100 },
  });
});

test("the window and the filters count", async () => {
  expect(await ledger.json(latency, "-w", "all")).toMatchObject([{ requests: 1001 }]);
  expect(await ledger.json(latency, "-p", "anthropic")).toEqual([]);
  expect(await ledger.json(latency, "-g", "hour", "-w", "1d")).toMatchObject([
    { hour: "2030-01-15T10:00Z", requests: 1, mean_ms: 9 },
    { hour: "2030-01-15T12:00Z", requests: 1000 },
  ]);
});

test("for people it is a table of milliseconds", async () => {
  const { out } = await ledger.ask(latency);
  expect(out).toContain("Latency of the last 1h");
  expect(out).toMatch(/openai\/gpt-4o-2024-08-06 +1,000 +10 +501 +500 +950 +990/);
});
