import { expect, test } from "bun:test";
import { mergeHealth, type WorkerHealth } from "../../../src/cli/fleet/merge-health.ts";
import type { BackendHealth, DetailedHealth } from "../../../src/telemetry/health.ts";

const worker: WorkerHealth = {
  pid: 7,
  state: "serving",
  generation: 2,
  uptime_seconds: 1,
  requests_in_flight: 3,
  memory_bytes: 10,
  restarts: 0,
};
const backend: BackendHealth = {
  name: "p",
  dialect: "openai",
  placement: "local",
  state: "unknown",
  fault: null,
  observed_seconds_ago: null,
};

function document(differs: Partial<DetailedHealth> = {}): DetailedHealth {
  const counts = {
    requests_in_flight: 3,
    memory_bytes: 10,
    backends: [backend],
    ledger: "ok" as const,
  };
  return { status: "ok", version: "1", uptime_seconds: 1, ...counts, ...differs };
}

function merged(documents: readonly DetailedHealth[], differs: object = {}) {
  const workers = documents.map(() => worker);
  const facts = { version: "1", uptimeMs: 5000, draining: false, generation: 2, workers };
  return mergeHealth({ ...facts, documents, ownBytes: 100, ...differs });
}

test("work and memory add up, the supervisor's own memory included", () => {
  const health = merged([document(), document()]);
  expect(health).toMatchObject({ requests_in_flight: 6, memory_bytes: 120, generation: 2 });
  expect(health).toMatchObject({ status: "ok", uptime_seconds: 5 });
});

test("of each backend the latest news counts, whoever has it", () => {
  const old = { ...backend, state: "ok", observed_seconds_ago: 50 } as const;
  const fresh = { ...backend, state: "failing", fault: "x", observed_seconds_ago: 1 } as const;
  const documents = [old, backend, fresh].map((each) => document({ backends: [each] }));
  expect(merged(documents).backends).toEqual([fresh]);
  expect(merged(documents.toReversed()).backends).toEqual([fresh]);
});

test("the worst word about the ledger counts", () => {
  const told = (...words: DetailedHealth["ledger"][]) =>
    merged(words.map((ledger) => document({ ledger }))).ledger;
  expect(told("ok", "full", "failing")).toBe("full");
  expect(told("off", "failing", "ok")).toBe("failing");
  expect(told("off", "ok")).toBe("ok");
  expect(told()).toBe("off");
});

test("one failing worker, or one place without a worker, degrades the whole", () => {
  expect(merged([document(), document({ status: "degraded" })]).status).toBe("degraded");
  const workers = [worker, { ...worker, state: "down" }];
  expect(merged([document()], { workers }).status).toBe("degraded");
  expect(merged([document()], { draining: true, workers }).status).toBe("draining");
});
