import { type AdminStart, startAdmin } from "../../admin/listener.ts";
import type { AdminDesk } from "../../admin/desk.ts";
import type { AdminToken, Config } from "../../config/config.ts";
import type { Log } from "../../runtime/runtime.ts";
import {
  healthHttpStatus,
  type Readiness,
  readinessOf as readyIf,
} from "../../telemetry/health.ts";
import type { DenySourceStatus } from "../../state/keys/deny-set.ts";
import type { Peers } from "../peers.ts";
import type { DenyKeeper } from "../deny-keeper.ts";
import type { DatabaseStanding } from "./database-standing.ts";
import type { FleetHealth } from "./merge-health.ts";
import type { Serving } from "./serving.ts";

export interface AdminFacts {
  readonly config: Config;
  readonly log: Log;
  readonly serving: Serving;
  /** What the master counts itself, as text for a scraper. */
  readonly metrics: () => string;
  readonly denials: Pick<DenyKeeper, "statuses">;
  readonly database: (() => DatabaseStanding) | undefined;
  /** Who may use the API, of the configuration that serves now. */
  readonly tokens: () => readonly AdminToken[];
  readonly desk: () => Promise<AdminDesk>;
  readonly peers: Pick<Peers, "answer"> | undefined;
}

/** The admin listener of a gateway, however many processes serve it. */
export function openAdmin(facts: AdminFacts): AdminStart | undefined {
  const { config, log, serving, metrics, denials, database, tokens, desk } = facts;
  const { metricsPort, metricsHost, allowedHosts } = config.server;
  if (metricsPort === undefined) return undefined;
  return startAdmin({
    host: metricsHost,
    peers: facts.peers && ((request, target) => facts.peers!.answer(request, target)),
    port: metricsPort,
    ...{ tokens, desk },
    allowedHosts,
    log,
    source: {
      metrics: async () => (await serving.metrics()) + metrics(),
      async health(detailed) {
        const health = await serving.health();
        if (detailed) {
          const shut = denials.statuses().map(denyHealth);
          return { ...health, deny_set: shut, ...(database && { database: database() }) };
        }
        const { status, version, uptime_seconds } = health;
        return { status, version, uptime_seconds };
      },
      // Without the database this node serves on: that it is away is told, and turns nobody away.
      readiness: async () => ({
        ...readinessOf(await serving.health()),
        ...(database && { database: database() }),
      }),
    },
  });
}

function denyHealth({ name, size, stalenessMs, broken, flaw }: DenySourceStatus) {
  return {
    ...{ source: name, size, staleness_seconds: Math.round(stalenessMs / 1000) },
    connected: broken === undefined,
    problem: broken ?? flaw,
  };
}

/** Ready while somebody serves and there is a backend to send requests to. */
function readinessOf(health: FleetHealth): Readiness {
  const serves = health.workers.some(({ state }) => state === "serving");
  return readyIf({
    draining: healthHttpStatus(health) === 503,
    backends: serves ? health.backends : [],
    ledger: health.ledger,
  });
}
