import { Rejection } from "../core/rejection.ts";
import { authenticate, type Key } from "../ingress/authenticate.ts";
import type { Route } from "../ingress/path.ts";
import { LEDGER } from "../state/slab/layout.ts";
import { renderMetrics } from "../telemetry/exposition.ts";
import {
  detailedHealthOf,
  type HealthDocument,
  type HealthFacts,
  healthHttpStatus,
  healthOf,
  type LedgerHealth,
  type Readiness,
  readinessHttpStatus,
  readinessOf,
} from "../telemetry/health.ts";
import type { Gateway } from "./assemble.ts";

type Probe = Route & { readonly kind: "health" | "livez" | "readyz" };

/** Routes that ask about the gateway itself: answered without a key, a log line or a metric. */
export function isProbe(route: Route): route is Probe {
  return route.kind === "health" || route.kind === "livez" || route.kind === "readyz";
}

export interface ProbeOptions {
  readonly query: string;
  readonly headers: Headers;
}

export function answerProbe(
  gateway: Gateway,
  probe: Probe,
  { query, headers }: ProbeOptions,
): Response {
  const facts = healthFacts(gateway);
  switch (probe.kind) {
    case "livez":
      return Response.json({ status: "alive" });
    case "readyz": {
      const readiness = readinessOf(facts);
      return Response.json(readiness, { status: readinessHttpStatus(readiness) });
    }
    case "health": {
      const asked = new URLSearchParams(query).get("detailed") === "true";
      // Details name the backends: for whoever may use them, which without keys is this machine.
      const detailed = asked && isOperators(authenticate(headers, gateway.keys));
      const health = detailed ? detailedHealthOf(facts) : healthOf(facts);
      return Response.json(health, { status: healthHttpStatus(health) });
    }
  }
}

/** A tenant's key is not the operator's: details tell of the traffic of all. */
function isOperators(key: Key | Rejection): boolean {
  return !(key instanceof Rejection) && key.tenant === undefined && key.claim === undefined;
}

function ledgerHealth({ ledger }: Gateway): LedgerHealth {
  if (ledger === undefined) return "off";
  if (ledger.state === LEDGER.healthy) return "ok";
  return ledger.state === LEDGER.full ? "full" : "failing";
}

/** What health documents are made of, now. */
export function healthFacts(gateway: Gateway): HealthFacts {
  const { clock } = gateway.runtime;
  const now = clock.now();
  return {
    version: gateway.userAgent.slice("interlock/".length),
    uptimeMs: now - gateway.startedAt,
    draining: gateway.governor.draining,
    backends: gateway.config.backends,
    observed: gateway.recorder.observed,
    now,
    inFlight: gateway.governor.inFlight,
    memoryBytes: process.memoryUsage.rss(),
    ledger: ledgerHealth(gateway),
  };
}

/** What the admin listener shows of a gateway. */
export function adminSource(gateway: Gateway): AdminView {
  return {
    metrics: () => {
      gateway.recorder.metrics.inFlight.set(gateway.governor.inFlight);
      return renderMetrics(gateway.recorder.metrics.registry);
    },
    health: (detailed) => {
      const facts = healthFacts(gateway);
      return detailed ? detailedHealthOf(facts) : healthOf(facts);
    },
    readiness: () => readinessOf(healthFacts(gateway)),
  };
}

/** Structurally what admin/listener.ts asks for; the admin layer is above this one. */
export interface AdminView {
  metrics(): string;
  health(detailed: boolean): HealthDocument;
  readiness(): Readiness;
}
