import { expect, test } from "bun:test";
import fc from "fast-check";
import { renderMetrics } from "../../src/telemetry/exposition.ts";
import type { Metrics } from "../../src/telemetry/catalogue.ts";
import { recordRequest } from "../../src/telemetry/record.ts";
import type { SettledRequest } from "../../src/telemetry/settled.ts";
import { parsePrometheus } from "./prometheus-text.ts";
import {
  answered,
  anyRequest,
  attempt,
  backends,
  delivery,
  lane,
  metricsOf,
  recorderOf,
  settled,
} from "./requests.ts";

/** Counts these requests and reads the result as a scraper would. */
function scrape(...requests: readonly SettledRequest[]): (sample: string) => number | undefined {
  const metrics = metricsOf();
  const recorder = recorderOf(metrics);
  for (const request of requests) recordRequest(recorder, request);
  return reader(metrics);
}
function reader(metrics: Metrics): (sample: string) => number | undefined {
  const values = new Map<string, number>();
  for (const { samples } of parsePrometheus(renderMetrics(metrics.registry)).values()) {
    for (const { name, labels, value } of samples) {
      const text = [...labels].map(([key, each]) => `${key}=${each}`).join(",");
      values.set(text === "" ? name : `${name}{${text}}`, value);
    }
  }
  return (sample) => values.get(sample);
}
function sum(metrics: Metrics, family: string): number {
  const samples = parsePrometheus(renderMetrics(metrics.registry)).get(family)?.samples ?? [];
  return samples.reduce((total, { value }) => total + value, 0);
}

const MARKER = "what-a-client-wrote";

test("no word of a client or an upstream reaches the metrics", () => {
  const metrics = metricsOf();
  const recorder = recorderOf(metrics);
  fc.assert(
    fc.property(anyRequest(MARKER), (request) => {
      recordRequest(recorder, request);
      expect(renderMetrics(metrics.registry)).not.toContain(MARKER);
    }),
  );
});

test("every request is counted once, and every attempt", () => {
  fc.assert(
    fc.property(fc.array(anyRequest(MARKER)), (requests) => {
      const metrics = metricsOf();
      const recorder = recorderOf(metrics);
      for (const request of requests) recordRequest(recorder, request);
      const attempts = requests.reduce((all, one) => all + one.attempts.length, 0);
      const classified = requests.filter(({ privacy }) => privacy !== undefined);
      expect(sum(metrics, "gateway_requests_total")).toBe(requests.length);
      expect(sum(metrics, "gateway_provider_requests_total")).toBe(attempts);
      expect(sum(metrics, "gateway_privacy_requests_total")).toBe(classified.length);
    }),
  );
});

test("an answered request counts its status, provider, model, tokens and times", () => {
  const value = scrape(settled());
  const labels = "provider=vllm,model=qwen";
  expect(value(`gateway_requests_total{status=200,${labels}}`)).toBe(1);
  expect(value(`gateway_request_tokens_total{${labels},token_type=input}`)).toBe(150);
  expect(value(`gateway_request_tokens_total{${labels},token_type=output}`)).toBe(50);
  expect(value(`gateway_request_tokens_total{${labels},token_type=cache_read}`)).toBe(20);
  expect(value(`gateway_request_tokens_total{${labels},token_type=cache_write}`)).toBe(15);
  expect(value(`gateway_request_tokens_total{${labels},token_type=reasoning}`)).toBe(5);
  expect(value(`gateway_request_duration_seconds_sum{${labels}}`)).toBeCloseTo(0.2454);
  expect(value(`gateway_request_duration_seconds_bucket{${labels},le=0.25}`)).toBe(1);
  expect(value(`gateway_request_duration_seconds_bucket{${labels},le=0.1}`)).toBe(0);
  expect(value(`gateway_provider_latency_seconds_sum{${labels}}`)).toBeCloseTo(0.012);
  expect(value("gateway_privacy_requests_total{class=private}")).toBe(1);
});

test("a failover counts the fault where it happened and the retry where it went", () => {
  const to = lane(backends[1]!, "gpt-4o");
  const value = scrape(
    settled({
      outcome: answered({ kind: "completed" }, { lane: to }),
      attempts: [
        attempt({
          fault: { kind: "overloaded", retryAfterMs: undefined },
          firstEventMs: undefined,
        }),
        attempt({ lane: to }),
      ],
    }),
  );
  expect(value("gateway_provider_errors_total{provider=vllm,kind=overloaded}")).toBe(1);
  expect(value("gateway_provider_errors_total{provider=openai,kind=overloaded}")).toBeUndefined();
  expect(value("gateway_retry_attempts_total{provider=openai}")).toBe(1);
  expect(value("gateway_retry_attempts_total{provider=vllm}")).toBeUndefined();
  expect(value("gateway_requests_total{status=200,provider=openai,model=gpt-4o}")).toBe(1);
});

test("an answer that broke after its 200 is no 200, and says how the client was told", () => {
  const value = scrape(
    settled({ outcome: answered({ kind: "truncated" }), streamFailure: "graceful" }),
    settled({ outcome: answered({ kind: "timeout", phase: "stall" }), dialect: "anthropic" }),
    settled({ outcome: answered({ kind: "upstream_reported" }) }),
  );
  expect(value("gateway_requests_total{status=200,provider=vllm,model=qwen}")).toBeUndefined();
  expect(value("gateway_requests_total{status=502,provider=vllm,model=qwen}")).toBe(2);
  expect(value("gateway_requests_total{status=504,provider=vllm,model=qwen}")).toBe(1);
  expect(value("gateway_stream_broken_total{mode=graceful,protocol=openai}")).toBe(1);
  expect(value("gateway_stream_broken_total{mode=surface,protocol=anthropic}")).toBe(1);
  expect(value("gateway_stream_broken_total{mode=surface,protocol=openai}")).toBeUndefined();
  expect(value("gateway_provider_errors_total{provider=vllm,kind=reported}")).toBe(1);
});

test("a client that leaves is a 499 and nobody's error", () => {
  const value = scrape(
    settled({ outcome: answered({ kind: "client_gone" }) }),
    settled({
      outcome: { kind: "rejected", reason: { kind: "client_gone" } },
      attempts: [attempt({ firstEventMs: undefined })],
    }),
  );
  expect(value("gateway_requests_total{status=499,provider=vllm,model=qwen}")).toBe(2);
  expect(value("gateway_provider_errors_total{provider=vllm,kind=client_error}")).toBeUndefined();
});

test("a hundred clean streams leave no failure anywhere", () => {
  const metrics = metricsOf();
  const recorder = recorderOf(metrics);
  for (let at = 0; at < 100; at++) recordRequest(recorder, settled());
  for (const family of ["provider_errors", "stream_broken", "retry_attempts"]) {
    expect(sum(metrics, `gateway_${family}_total`)).toBe(0);
  }
  expect(sum(metrics, "gateway_requests_total")).toBe(100);
  expect(recorder.observed.get("vllm")?.state).toBe("ok");
});

test("a number that is no HTTP status makes no label of its own", () => {
  const odd = [0, 42, 600, 999].map((status) => answered({ kind: "completed" }, { status }));
  const value = scrape(...odd.map((outcome) => settled({ outcome })));
  expect(value("gateway_requests_total{status=other,provider=vllm,model=qwen}")).toBe(odd.length);
});

test("a limit is counted by its kind", () => {
  const refused = (limit: "rpm" | "tpm") =>
    settled({
      outcome: { kind: "rejected", reason: { kind: "rate_limited", limit, retryAfterMs: 1 } },
      attempts: [],
    });
  const value = scrape(refused("rpm"), refused("tpm"), refused("tpm"));
  expect(value("gateway_rate_limit_exceeded_total{limit=rpm}")).toBe(1);
  expect(value("gateway_rate_limit_exceeded_total{limit=tpm}")).toBe(2);
  expect(value("gateway_requests_total{status=429,provider=none,model=fast}")).toBe(3);
});

test("a client's own fault leaves its backend in good standing, a provider's does not", () => {
  const recorder = recorderOf(metricsOf());
  for (const fault of [{ kind: "client_error" }, { kind: "context_length" }] as const) {
    recorder.observed.clear();
    const own = { kind: "relayed_error", fault, delivery: delivery({ status: 400 }) } as const;
    recordRequest(recorder, settled({ outcome: own, attempts: [attempt({ fault })] }));
    expect(recorder.observed.get("vllm")).toEqual({ state: "ok", fault: undefined, at: 1000 });
  }
  recordRequest(recorder, settled({ attempts: [attempt({ fault: { kind: "server_error" } })] }));
  expect(recorder.observed.get("vllm")?.state).toBe("failing");
  recordRequest(recorder, settled({ at: 2000 }));
  expect(recorder.observed.get("vllm")).toEqual({ state: "ok", fault: undefined, at: 2000 });
});

test("an answer cut short marks its backend as failing, though its first event came", () => {
  const recorder = recorderOf(metricsOf());
  recordRequest(recorder, settled({ outcome: answered({ kind: "truncated" }) }));
  expect(recorder.observed.get("vllm")).toEqual({ state: "failing", fault: "truncated", at: 1000 });
});
