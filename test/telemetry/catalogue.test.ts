import { expect, test } from "bun:test";
import { renderMetrics } from "../../src/telemetry/exposition.ts";
import { DURATION_BOUNDS } from "../../src/telemetry/catalogue.ts";
import { recordRequest } from "../../src/telemetry/record.ts";
import { parsePrometheus } from "./prometheus-text.ts";
import { answered, attempt, backends, metricsOf, recorderOf, settled } from "./requests.ts";

/** Every metric users were promised, with its labels, written out from the promise. */
const PROMISED: Readonly<Record<string, string>> = {
  gateway_requests_total: "counter status provider model",
  gateway_request_duration_seconds: "histogram provider model",
  gateway_request_tokens_total: "counter provider model token_type",
  gateway_provider_requests_total: "counter provider",
  gateway_provider_errors_total: "counter provider kind",
  gateway_provider_latency_seconds: "histogram provider model",
  gateway_circuit_breaker_state: "gauge provider",
  gateway_retry_attempts_total: "counter provider",
  gateway_rate_limit_exceeded_total: "counter limit",
  gateway_cache_hits_total: "counter",
  gateway_cache_misses_total: "counter",
  gateway_cache_size_bytes: "gauge",
  gateway_stream_broken_total: "counter mode protocol",
  gateway_requests_in_flight: "gauge",
  gateway_privacy_requests_total: "counter class",
  gateway_log_lines_dropped_total: "counter",
  gateway_build_info: "gauge version bun",
  process_resident_memory_bytes: "gauge",
  process_cpu_seconds_total: "counter",
  process_start_time_seconds: "gauge",
  ...(process.platform === "linux" && { process_open_fds: "gauge" }),
};

test("every promised metric exists under its exact name, with its labels and no other", () => {
  const metrics = metricsOf();
  const recorder = recorderOf(metrics);
  const fault = { kind: "server_error" } as const;
  recordRequest(recorder, settled({ attempts: [attempt({ fault }), attempt()] }));
  recordRequest(recorder, settled({ outcome: answered({ kind: "truncated" }) }));
  const reason = { kind: "rate_limited", limit: "rpm", retryAfterMs: 1 } as const;
  recordRequest(recorder, settled({ outcome: { kind: "rejected", reason } }));

  const found = new Map<string, string>();
  for (const family of parsePrometheus(renderMetrics(metrics.registry)).values()) {
    expect(family.help).not.toBe("");
    for (const { labels } of family.samples) {
      const names = [...labels.keys()].filter((name) => name !== "le");
      found.set(family.name, [family.type, ...names].join(" "));
    }
  }
  expect(Object.fromEntries(found)).toEqual(PROMISED);
});

test("before the first request there are zeros without labels and every backend's breaker", () => {
  const families = parsePrometheus(renderMetrics(metricsOf().registry));
  const zero = ["cache_hits_total", "cache_misses_total", "cache_size_bytes", "requests_in_flight"];
  for (const name of zero) expect(families.get(`gateway_${name}`)?.samples[0]?.value).toBe(0);
  const breakers = families.get("gateway_circuit_breaker_state")?.samples ?? [];
  expect(breakers.map(({ labels, value }) => [labels.get("provider"), value])).toEqual(
    backends.map(({ name }) => [name, 0]),
  );
  expect(families.has("gateway_requests_total")).toBe(false);
});

test("duration buckets rise from a millisecond to ten minutes", () => {
  expect(DURATION_BOUNDS.toSorted((a, b) => a - b)).toEqual([...DURATION_BOUNDS]);
  expect([DURATION_BOUNDS[0], DURATION_BOUNDS.at(-1)]).toEqual([0.001, 600]);
});

test("the process's own numbers are of this process", () => {
  const families = parsePrometheus(renderMetrics(metricsOf().registry));
  const valueOf = (name: string) => families.get(name)?.samples[0]?.value ?? NaN;
  expect(valueOf("process_resident_memory_bytes")).toBeGreaterThan(1e6);
  expect(valueOf("process_cpu_seconds_total")).toBeGreaterThan(0);
  expect(valueOf("process_start_time_seconds")).toBe(1_700_000_000);
});
