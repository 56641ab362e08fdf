import fc from "fast-check";
import { type AnyBackend, Backend } from "../../src/core/backend.ts";
import type { Fault } from "../../src/core/fault.ts";
import { DIALECT_IDS } from "../../src/core/ids.ts";
import type { Delivery, Ending, Outcome } from "../../src/core/outcome.ts";
import type { AnyLane } from "../../src/core/pool.ts";
import type { Reason } from "../../src/core/rejection.ts";
import { HeapCells } from "../../src/telemetry/cells.ts";
import { createMetrics, type Metrics } from "../../src/telemetry/catalogue.ts";
import { createRecorder, type Recorder } from "../../src/telemetry/record.ts";
import type { AttemptFact, SettledRequest } from "../../src/telemetry/settled.ts";

/** Backends and models as a configuration might name them. */
export const backends: readonly AnyBackend[] = [
  backend("vllm", "local"),
  backend("openai", "external"),
];
export const modelNames: ReadonlySet<string> = new Set(["fast", "qwen", "gpt-4o"]);

export function backend(name: string, placement: "local" | "external"): AnyBackend {
  return Backend[placement]({
    name,
    dialect: "openai",
    baseUrl: new URL("http://user:hunter2@127.0.0.1:8000/v1"),
    credential: undefined,
    auth: "none",
    ...{ also: [], modelPath: undefined, query: undefined, headers: {}, capabilities: {} },
    unix: undefined,
    proxy: undefined,
    operatorControlled: false,
    deadlines: { connectMs: 1, firstEventMs: 1, stallMs: 1, totalMs: 1 },
    terminal: "done",
  });
}

export function lane(from: AnyBackend, model: string): AnyLane {
  const fields = { model, upstreamModel: undefined, priority: 0, weight: 1, contextMax: undefined };
  return { backend: from, ...fields } as AnyLane;
}

export function metricsOf(): Metrics {
  return createMetrics(new HeapCells(), {
    breakers: () => backends.map(({ name }) => [name, 0] as const),
    logLinesDropped: () => 0,
    startedWall: 1_700_000_000_000,
    version: "0.1.0",
  });
}
export function recorderOf(metrics: Metrics): Recorder {
  return createRecorder(metrics, { modelNames, observed: new Map() });
}

/** A request that was answered well, with what differs. */
export function settled(differs: Partial<SettledRequest> = {}): SettledRequest {
  const outcome = answered({ kind: "completed" });
  return {
    id: "req_0123456789abcdef",
    outcome,
    at: 1000,
    durationMs: 245.4,
    dialect: "openai",
    key: "app",
    privacy: "private",
    asked: "fast",
    streamFailure: "surface",
    attempts: [attempt()],
    ...differs,
  };
}
export function attempt(differs: Partial<AttemptFact> = {}): AttemptFact {
  return { lane: lane(backends[0]!, "qwen"), fault: undefined, firstEventMs: 12, ...differs };
}
export function delivery(differs: Partial<Delivery> = {}): Delivery {
  return {
    lane: lane(backends[0]!, "qwen"),
    status: 200,
    byteCount: 4096,
    usage: {
      inputTokens: 150,
      outputTokens: 50,
      cacheReadTokens: 20,
      cacheWriteTokens: 15,
      reasoningTokens: 5,
      provenance: "reported",
    },
    firstEventMs: 12.3,
    attempts: 1,
    translated: undefined,
    ...differs,
  };
}
export function answered(ending: Ending, differs: Partial<Delivery> = {}): Outcome {
  return { kind: "answered", ending, delivery: delivery(differs) };
}

/** Anything, with `marker` wherever a client's or an upstream's words can stand. */
export function anyRequest(marker: string): fc.Arbitrary<SettledRequest> {
  const anyLane = fc
    .tuple(fc.constantFrom(...backends), fc.constantFrom(...modelNames, marker))
    .map(([one, model]) => lane(one, model));
  const fault = anyFault(marker);
  const ending = anyEnding();
  const deliveries = fc
    .record({ lane: anyLane, status: fc.integer({ min: 0, max: 999 }), firstEventMs: fc.nat() })
    .map((differs) => delivery(differs));
  const outcome: fc.Arbitrary<Outcome> = fc.oneof(
    fc.record({ kind: fc.constant("answered" as const), ending, delivery: deliveries }),
    fc.record({ kind: fc.constant("relayed_error" as const), fault, delivery: deliveries }),
    fc.record({ kind: fc.constant("rejected" as const), reason: anyReason(marker) }),
    fc.constant({ kind: "bug" as const }),
  );
  const attempts = fc.array(
    fc.record({
      lane: anyLane,
      fault: fc.option(fault, { nil: undefined }),
      firstEventMs: fc.option(fc.nat(), { nil: undefined }),
    }),
    { maxLength: 4 },
  );
  return fc.record({
    id: fc.constant("req_0123456789abcdef"),
    outcome,
    at: fc.nat(),
    durationMs: fc.double({ min: 0, max: 1e7, noNaN: true }),
    dialect: fc.constantFrom(...DIALECT_IDS),
    key: fc.constantFrom("app", undefined),
    privacy: fc.constantFrom("private" as const, "shareable" as const, undefined),
    asked: fc.constantFrom(...modelNames, marker, undefined),
    streamFailure: fc.constantFrom("surface" as const, "graceful" as const, "abort" as const),
    attempts,
  });
}

function anyEnding(): fc.Arbitrary<Ending> {
  return fc.constantFrom<Ending>(
    { kind: "completed" },
    { kind: "client_gone" },
    { kind: "upstream_reported" },
    { kind: "truncated" },
    { kind: "timeout", phase: "stall" },
    { kind: "timeout", phase: "total" },
    { kind: "client_stalled" },
    { kind: "stopped", why: "budget_exceeded" },
    { kind: "stopped", why: "key_revoked" },
  );
}

function anyFault(marker: string): fc.Arbitrary<Fault> {
  return fc.constantFrom<Fault>(
    { kind: "rate_limited", retryAfterMs: 1000 },
    { kind: "overloaded", retryAfterMs: undefined },
    { kind: "server_error" },
    { kind: "timeout", phase: "connect" },
    { kind: "network", sent: true },
    { kind: "protocol", what: marker },
    { kind: "redirect" },
    { kind: "address_refused" },
    { kind: "tls" },
    { kind: "not_now" },
    { kind: "auth" },
    { kind: "billing" },
    { kind: "context_length" },
    { kind: "client_error" },
  );
}

function anyReason(marker: string): fc.Arbitrary<Reason> {
  const plain = fc.constantFrom<Reason>(
    { kind: "malformed", param: marker, detail: marker },
    { kind: "bad_path", detail: marker },
    { kind: "not_found", path: marker },
    { kind: "unauthenticated", detail: marker },
    { kind: "model_not_found", model: marker },
    { kind: "no_eligible_backend", model: marker },
    { kind: "rate_limited", limit: "tpm", retryAfterMs: 1 },
    { kind: "budget_exhausted", retryAfterMs: undefined, status: 429 },
    { kind: "client_gone" },
    { kind: "bug" },
  );
  const failed = anyFault(marker).map((fault): Reason => ({
    kind: "upstream_failed",
    fault,
    attempts: 1,
  }));
  return fc.oneof(plain, failed);
}
