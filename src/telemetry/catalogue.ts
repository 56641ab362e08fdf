import type { Ms } from "../core/units.ts";
import type { CellStore } from "./cells.ts";
import type { Counter, Gauge, Histogram } from "./instruments.ts";
import { registerProcessMetrics } from "./process-metrics.ts";
import { Registry, type SeriesSet } from "./registry.ts";

/** A cached answer takes a millisecond, a long chain of thought ten minutes. */
export const DURATION_BOUNDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600,
] as const;

/** Breaker positions as `gateway_circuit_breaker_state` spells them. */
export type BreakerState = 0 | 1 | 2;

/** What the metrics ask others for at each scrape. */
export interface MetricSources {
  /** Every configured backend with its breaker: 0 closed, 1 half-open, 2 open. */
  breakers(): Iterable<readonly [provider: string, state: BreakerState]>;
  logLinesDropped(): number;
  /** Where limits are counted; undefined where nothing is. */
  readonly limits?: LimitSource | undefined;
  readonly startedWall: Ms;
  readonly version: string;
}

/** How limits are kept. */
export interface LimitSource {
  /** Places for limits that are taken, and that there are. */
  readonly cells: { readonly used: number; readonly max: number };
  /** Times a limit found no place of its own: it shares one with others, and is stricter. */
  readonly shared: number;
  /** Requests refused because as many are in flight as the machine keeps a record of. */
  readonly recordsFull: number;
  readonly clockJumped: boolean;
}

type Counters<L extends string> = SeriesSet<L, Counter>;
type Histograms<L extends string> = SeriesSet<L, Histogram>;

/** Every metric others count on; those sampled at a scrape need no handle. */
export interface Metrics {
  readonly registry: Registry;
  readonly requests: Counters<"status" | "provider" | "model">;
  readonly duration: Histograms<"provider" | "model">;
  readonly tokens: Counters<"provider" | "model" | "token_type">;
  readonly inFlight: Gauge;
  readonly providerRequests: Counters<"provider">;
  readonly providerErrors: Counters<"provider" | "kind">;
  readonly providerLatency: Histograms<"provider" | "model">;
  readonly retries: Counters<"provider">;
  readonly rateLimited: Counters<"limit">;
  readonly streamsBroken: Counters<"mode" | "protocol">;
  readonly streamsStopped: Counters<"why">;
  readonly budgetAlerts: Counters<"percent">;
  readonly alertsTold: Counters<"result">;
  readonly translations: Counters<"from" | "to">;
  readonly losses: Counters<"code" | "from" | "to">;
  readonly privacy: Counters<"class">;
  readonly cacheHits: Counter;
  readonly cacheMisses: Counter;
  readonly cacheBytes: Gauge;
}

/** Every metric there is, once. Names and labels: features.md c-M1 and conflict 15. */
export function createMetrics(cells: CellStore, sources: MetricSources): Metrics {
  const registry = new Registry(cells);
  const metrics = {
    registry,
    ...requestMetrics(registry),
    ...providerMetrics(registry),
    ...cacheMetrics(registry),
  };
  registerOwnMetrics(registry, sources);
  return metrics;
}

function requestMetrics(registry: Registry) {
  return {
    requests: registry.counter({
      name: "gateway_requests_total",
      help:
        "Requests settled. status is what the client got, or for an answer that failed after its " +
        "200: 499 the client left, 502 cut off, 504 fell silent.",
      labels: ["status", "provider", "model"],
    }),
    duration: registry.histogram({
      name: "gateway_request_duration_seconds",
      help:
        "From the request's arrival to its end. " +
        "OpenTelemetry: gen_ai.client.operation.duration.",
      labels: ["provider", "model"],
      bounds: DURATION_BOUNDS,
    }),
    tokens: registry.counter({
      name: "gateway_request_tokens_total",
      help:
        "Tokens processed. cache_read is a part of input, reasoning a part of output. " +
        "OpenTelemetry: gen_ai.client.token.usage.",
      labels: ["provider", "model", "token_type"],
    }),
    inFlight: registry
      .gauge({ name: "gateway_requests_in_flight", help: "Requests not settled yet.", labels: [] })
      .series({}),
    rateLimited: registry.counter({
      name: "gateway_rate_limit_exceeded_total",
      help: "Requests refused over a limit: rpm, tpm or budget.",
      labels: ["limit"],
    }),
    streamsBroken: registry.counter({
      name: "gateway_stream_broken_total",
      help: "Answers that broke off after their first event, by how the client was told.",
      labels: ["mode", "protocol"],
    }),
    streamsStopped: registry.counter({
      name: "gateway_stream_stopped_total",
      help: "Answers that a rule about their key ended: budget_exceeded, key_revoked.",
      labels: ["why"],
    }),
    budgetAlerts: registry.counter({
      name: "gateway_budget_alerts_total",
      help: "Budgets that reached a threshold, each once a period.",
      labels: ["percent"],
    }),
    alertsTold: registry.counter({
      name: "gateway_alert_webhooks_total",
      help: "Alerts for the webhook by how that went: sent, failed, dropped.",
      labels: ["result"],
    }),
    translations: registry.counter({
      name: "gateway_translations_total",
      help: "Answers written in another protocol than their backend's.",
      labels: ["from", "to"],
    }),
    losses: registry.counter({
      name: "gateway_translation_losses_total",
      help: "Answers whose translation lost something, by what: x-interlock-loss has the place.",
      labels: ["code", "from", "to"],
    }),
    privacy: registry.counter({
      name: "gateway_privacy_requests_total",
      help: "Requests by privacy class.",
      labels: ["class"],
    }),
  } as const;
}

function providerMetrics(registry: Registry) {
  return {
    providerRequests: registry.counter({
      name: "gateway_provider_requests_total",
      help: "Attempts at a backend; one request may need several.",
      labels: ["provider"],
    }),
    providerErrors: registry.counter({
      name: "gateway_provider_errors_total",
      help: "Attempts that failed, by fault; client_error and context_length are the caller's.",
      labels: ["provider", "kind"],
    }),
    providerLatency: registry.histogram({
      name: "gateway_provider_latency_seconds",
      help:
        "From the start of an attempt to the upstream's first event. " +
        "OpenTelemetry: gen_ai.server.time_to_first_token.",
      labels: ["provider", "model"],
      bounds: DURATION_BOUNDS,
    }),
    retries: registry.counter({
      name: "gateway_retry_attempts_total",
      help: "Attempts after a request's first, by the backend they went to.",
      labels: ["provider"],
    }),
  } as const;
}

function cacheMetrics(registry: Registry) {
  return {
    cacheHits: registry
      .counter({ name: "gateway_cache_hits_total", help: "Answers from the cache.", labels: [] })
      .series({}),
    cacheMisses: registry
      .counter({
        name: "gateway_cache_misses_total",
        help: "Requests the cache was asked for in vain.",
        labels: [],
      })
      .series({}),
    cacheBytes: registry
      .gauge({ name: "gateway_cache_size_bytes", help: "Bytes the cache holds.", labels: [] })
      .series({}),
  } as const;
}

function registerOwnMetrics(registry: Registry, sources: MetricSources): void {
  registry.sampled({
    kind: "gauge",
    name: "gateway_circuit_breaker_state",
    help: "Breaker of each backend: 0 closed, 1 half-open, 2 open.",
    labels: ["provider"],
    *read() {
      for (const [provider, state] of sources.breakers()) yield [{ provider }, state] as const;
    },
  });
  registry.sampled({
    kind: "counter",
    name: "gateway_log_lines_dropped_total",
    help: "Log lines lost because whoever reads standard output did not keep up.",
    labels: [],
    read: () => [[{}, sources.logLinesDropped()]],
  });
  registry.sampled({
    kind: "gauge",
    name: "gateway_build_info",
    help: "Always 1; the labels say what runs.",
    labels: ["version", "bun"],
    read: () => [[{ version: sources.version, bun: Bun.version }, 1]],
  });
  registerProcessMetrics(registry, sources.startedWall);
  if (sources.limits !== undefined) registerLimits(registry, sources.limits);
}

/** The same in every process, for all of them count in one place. */
function registerLimits(registry: Registry, limits: LimitSource): void {
  const gauge = (name: string, help: string, read: () => number): void =>
    registry.sampled({ kind: "gauge", name, help, labels: [], read: () => [[{}, read()]] });
  gauge("gateway_limit_cells_used", "Places for limits that are taken.", () => limits.cells.used);
  gauge("gateway_limit_cells_max", "Places for limits that there are.", () => limits.cells.max);
  gauge(
    "gateway_limits_shared",
    "Times a limit found no place of its own: it shares one with others, and is stricter.",
    () => limits.shared,
  );
  gauge(
    "gateway_limits_records_full",
    "Requests refused because too many were in flight on this machine.",
    () => limits.recordsFull,
  );
  gauge(
    "gateway_wall_clock_jumped",
    "1 while budgets and keys end without the wall clock, because it jumped.",
    () => (limits.clockJumped ? 1 : 0),
  );
}
