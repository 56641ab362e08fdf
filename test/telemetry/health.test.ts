import { expect, test } from "bun:test";
import {
  DEGRADED_FOR_MS,
  detailedHealthOf,
  type HealthFacts,
  healthHttpStatus,
  healthOf,
  readinessHttpStatus,
  readinessOf,
} from "../../src/telemetry/health.ts";
import { backends } from "./requests.ts";

function facts(differs: Partial<HealthFacts> = {}): HealthFacts {
  return {
    version: "0.1.0",
    uptimeMs: 61_400,
    draining: false,
    backends,
    observed: new Map(),
    now: 100_000,
    inFlight: 3,
    memoryBytes: 50_000_000,
    ledger: "ok",
    ...differs,
  };
}
const failing = new Map([["vllm", { state: "failing", fault: "overloaded", at: 99_000 } as const]]);

test("plain health names nothing of the configuration", () => {
  const document = healthOf(facts({ observed: failing }));
  expect(document).toEqual({ status: "degraded", version: "0.1.0", uptime_seconds: 61 });
});

test("detailed health tells each backend's placement and last state, and no address", () => {
  const document = detailedHealthOf(facts({ observed: failing }));
  expect(document.backends).toEqual([
    {
      name: "vllm",
      dialect: "openai",
      placement: "local",
      state: "failing",
      fault: "overloaded",
      observed_seconds_ago: 1,
    },
    {
      name: "openai",
      dialect: "openai",
      placement: "external",
      state: "unknown",
      fault: null,
      observed_seconds_ago: null,
    },
  ]);
  expect(document.requests_in_flight).toBe(3);
  expect(JSON.stringify(document)).not.toMatch(/127\.0\.0\.1|hunter2|http/);
});

test("a failure counts against the whole for a while, and is shown until the next answer", () => {
  const later = facts({ observed: failing, now: 99_000 + DEGRADED_FOR_MS });
  expect(healthOf(later).status).toBe("ok");
  expect(detailedHealthOf(later).backends[0]?.state).toBe("failing");
});

test("degraded still serves; draining turns a load balancer away", () => {
  expect(healthHttpStatus(healthOf(facts()))).toBe(200);
  expect(healthHttpStatus(healthOf(facts({ observed: failing })))).toBe(200);
  expect(healthHttpStatus(healthOf(facts({ draining: true })))).toBe(503);
});

test("ready means new requests are welcome and have somewhere to go", () => {
  expect(readinessHttpStatus(readinessOf(facts()))).toBe(200);
  expect(readinessOf(facts({ draining: true }))).toEqual({ status: "draining" });
  expect(readinessOf(facts({ backends: [] }))).toEqual({ status: "no_backend" });
  expect(readinessHttpStatus(readinessOf(facts({ backends: [] })))).toBe(503);
});

test("what cannot be written down is neither ready nor healthy, and serves", () => {
  for (const ledger of ["full", "failing"] as const) {
    expect(readinessOf(facts({ ledger }))).toEqual({ status: `ledger_${ledger}` });
    expect(readinessHttpStatus(readinessOf(facts({ ledger })))).toBe(503);
    expect(healthOf(facts({ ledger })).status).toBe("degraded");
    expect(healthHttpStatus(healthOf(facts({ ledger })))).toBe(200);
  }
  expect(readinessOf(facts({ ledger: "off" }))).toEqual({ status: "ready" });
});
