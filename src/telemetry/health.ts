import type { AnyBackend } from "../core/backend.ts";
import type { Placement } from "../core/privacy.ts";
import type { Bytes, Ms } from "../core/units.ts";
import type { Observed } from "./observed.ts";

/** How long a backend's failure counts against the whole; it is shown until the next answer. */
export const DEGRADED_FOR_MS: Ms = 60_000;

/** What health is made of. Plain facts, so that the documents are a pure function of them. */
export interface HealthFacts {
  readonly version: string;
  readonly uptimeMs: Ms;
  readonly draining: boolean;
  readonly backends: readonly AnyBackend[];
  readonly observed: Observed;
  /** On the monotonic clock, as the observations are. */
  readonly now: Ms;
  readonly inFlight: number;
  readonly memoryBytes: Bytes;
  readonly ledger: LedgerHealth;
}

/** Whether the ledger takes facts of usage: `full` where its disk is, `off` where none is kept. */
export type LedgerHealth = "off" | "ok" | "full" | "failing";

export type HealthStatus = "ok" | "degraded" | "draining";

/** What `/health` answers. Names nothing of the configuration: anybody may ask. */
export interface HealthDocument {
  readonly status: HealthStatus;
  readonly version: string;
  readonly uptime_seconds: number;
}
/** What `/health?detailed=true` adds, for who is on loopback or holds a credential. */
export interface DetailedHealth extends HealthDocument {
  readonly requests_in_flight: number;
  readonly memory_bytes: Bytes;
  readonly ledger: LedgerHealth;
  readonly backends: readonly BackendHealth[];
}
/** One backend. Its address is left out on purpose: a base URL may carry a credential. */
export interface BackendHealth {
  readonly name: string;
  readonly dialect: string;
  readonly placement: Placement;
  readonly state: "unknown" | "ok" | "failing";
  readonly fault: string | null;
  /** How long ago the state was last seen; null when it never was. */
  readonly observed_seconds_ago: number | null;
}

/** What `/readyz` answers. */
export interface Readiness {
  readonly status: "ready" | "draining" | "no_backend" | "ledger_full" | "ledger_failing";
}

/** What `/livez` answers for as long as the event loop turns. */
export const ALIVE = { status: "alive" } as const;

export function healthOf(facts: HealthFacts): HealthDocument {
  return {
    status: statusOf(facts),
    version: facts.version,
    uptime_seconds: seconds(facts.uptimeMs),
  };
}

export function detailedHealthOf(facts: HealthFacts): DetailedHealth {
  return {
    ...healthOf(facts),
    requests_in_flight: facts.inFlight,
    memory_bytes: facts.memoryBytes,
    ledger: facts.ledger,
    backends: facts.backends.map((backend) => backendHealth(backend, facts)),
  };
}

/** What readiness is made of. */
export interface ReadinessFacts extends Pick<HealthFacts, "draining" | "ledger"> {
  readonly backends: readonly unknown[];
}

/** Ready while new requests are welcome, have somewhere to go and are written down. */
export function readinessOf(facts: ReadinessFacts): Readiness {
  const { draining, backends, ledger } = facts;
  if (draining) return { status: "draining" };
  if (backends.length === 0) return { status: "no_backend" };
  return { status: isTroubled(ledger) ? `ledger_${ledger}` : "ready" };
}

function isTroubled(ledger: LedgerHealth): ledger is "full" | "failing" {
  return ledger === "full" || ledger === "failing";
}

/** Degraded still serves, so only draining turns a load balancer away. */
export function healthHttpStatus({ status }: HealthDocument): 200 | 503 {
  return status === "draining" ? 503 : 200;
}

export function readinessHttpStatus({ status }: Readiness): 200 | 503 {
  return status === "ready" ? 200 : 503;
}

function statusOf(facts: HealthFacts): HealthStatus {
  const { draining, backends, observed, now, ledger } = facts;
  if (draining) return "draining";
  if (backends.length === 0 || isTroubled(ledger)) return "degraded";
  const failing = backends.some(({ name }) => {
    const last = observed.get(name);
    return last?.state === "failing" && now - last.at < DEGRADED_FOR_MS;
  });
  return failing ? "degraded" : "ok";
}

function backendHealth(backend: AnyBackend, { observed, now }: HealthFacts): BackendHealth {
  const last = observed.get(backend.name);
  return {
    name: backend.name,
    dialect: backend.dialect,
    placement: backend.placement,
    state: last?.state ?? "unknown",
    fault: last?.fault ?? null,
    observed_seconds_ago: last ? seconds(now - last.at) : null,
  };
}

function seconds(ms: Ms): number {
  return Math.max(0, Math.round(ms / 1000));
}
