import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Fault } from "../../src/core/fault.ts";
import { requestLine } from "../../src/telemetry/log-line.ts";
import { recordRequest } from "../../src/telemetry/record.ts";
import type { SettledRequest } from "../../src/telemetry/settled.ts";
import { answered, anyRequest, attempt, metricsOf, recorderOf, settled } from "./requests.ts";

function lineOf(request: SettledRequest) {
  return requestLine(request, recordRequest(recorderOf(metricsOf()), request));
}
const failedOver = (fault: Fault): SettledRequest =>
  settled({
    outcome: { kind: "rejected", reason: { kind: "upstream_failed", fault, attempts: 1 } },
    attempts: [attempt({ fault, firstEventMs: undefined })],
  });

test("a line begins with the promised keys in their order, then ours", () => {
  const { fields } = lineOf(settled());
  expect(Object.keys(fields).slice(0, 6)).toEqual([
    "request_id",
    "provider",
    "model",
    "latency_ms",
    "tokens",
    "status",
  ]);
  expect(JSON.parse(JSON.stringify(fields))).toEqual({
    request_id: "req_0123456789abcdef",
    provider: "vllm",
    model: "qwen",
    latency_ms: 245,
    tokens: { input: 150, output: 50 },
    status: 200,
    protocol: "openai",
    key: "app",
    privacy: "private",
    route: "vllm",
    attempts: 1,
    first_event_ms: 12,
    ending: "completed",
    bytes: 4096,
    usage: "reported",
  });
});

test("no word of a client or an upstream reaches a line", () => {
  const marker = "what a client wrote";
  fc.assert(
    fc.property(anyRequest(marker), (request) => {
      expect(JSON.stringify(lineOf(request))).not.toContain(marker);
    }),
  );
});

test("the promised keys are on every line, whatever happened", () => {
  fc.assert(
    fc.property(anyRequest("m"), (request) => {
      const { fields } = lineOf(request);
      for (const key of ["request_id", "provider", "model", "latency_ms", "tokens", "status"]) {
        expect(fields).toHaveProperty(key);
      }
      expect(Number.isInteger(fields.latency_ms)).toBe(true);
    }),
  );
});

test("errors are for the operator, warnings an upstream's doing, the rest is everyday", () => {
  const rejected = (reason: "client_gone" | "draining" | "bug"): SettledRequest =>
    settled({ outcome: { kind: "rejected", reason: { kind: reason } }, attempts: [] });
  expect(lineOf(settled()).level).toBe("info");
  expect(lineOf(settled({ outcome: answered({ kind: "client_gone" }) })).level).toBe("info");
  expect(lineOf(settled({ outcome: answered({ kind: "truncated" }) })).level).toBe("warn");
  expect(lineOf(rejected("client_gone")).level).toBe("info");
  expect(lineOf(rejected("draining")).level).toBe("warn");
  expect(lineOf(rejected("bug")).level).toBe("error");
  expect(lineOf(settled({ outcome: { kind: "bug" } })).level).toBe("error");
  expect(lineOf(failedOver({ kind: "auth" })).level).toBe("error");
  expect(lineOf(failedOver({ kind: "server_error" })).level).toBe("warn");
});

test("the route names each backend tried and what went wrong there", () => {
  const { fields } = lineOf(failedOver({ kind: "timeout", phase: "connect" }));
  expect(fields.route).toBe("vllm(timeout/connect)");
  expect(fields.fault).toBe("timeout/connect");
  expect(fields.reason).toBe("upstream_failed");
  expect(fields.status).toBe(504);
});
