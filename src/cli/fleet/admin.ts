import { type AdminStart, startAdmin } from "../../admin/listener.ts";
import type { Config } from "../../config/config.ts";
import type { Log } from "../../runtime/runtime.ts";
import { healthHttpStatus, type Readiness } from "../../telemetry/health.ts";
import type { FleetHealth } from "./merge-health.ts";
import type { Serving } from "./serving.ts";

export interface AdminFacts {
  readonly config: Config;
  readonly log: Log;
  readonly serving: Serving;
  /** What the master counts itself, as text for a scraper. */
  readonly metrics: () => string;
}

/** The admin listener of a gateway, however many processes serve it. */
export function openAdmin({ config, log, serving, metrics }: AdminFacts): AdminStart | undefined {
  const { metricsPort, allowedHosts } = config.server;
  if (metricsPort === undefined) return undefined;
  return startAdmin({
    host: "127.0.0.1",
    port: metricsPort,
    token: undefined,
    allowedHosts,
    log,
    source: {
      metrics: async () => (await serving.metrics()) + metrics(),
      async health(detailed) {
        const health = await serving.health();
        if (detailed) return health;
        const { status, version, uptime_seconds } = health;
        return { status, version, uptime_seconds };
      },
      readiness: async () => readinessOf(await serving.health()),
    },
  });
}

/** Ready while somebody serves and there is a backend to send requests to. */
function readinessOf(health: FleetHealth): Readiness {
  if (healthHttpStatus(health) === 503) return { status: "draining" };
  const serves = health.workers.some(({ state }) => state === "serving");
  return { status: serves && health.backends.length > 0 ? "ready" : "no_backend" };
}
