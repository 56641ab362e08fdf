import { isLoopbackHost } from "../../config/address.ts";
import type { Config, ServerConfig } from "../../config/config.ts";
import { workerCount } from "./worker-count.ts";

/** What a running gateway cannot change: a reload names it, a restart takes it. */
export type Fixed = FixedServer & {
  /** A digest of what is said of the database: which it is, and not how to get in. */
  readonly database: string | undefined;
};
interface FixedServer extends Pick<ServerConfig, "host" | "port" | "metricsPort" | "metricsHost"> {
  readonly workers: number;
}

const NAMES: readonly (readonly [field: keyof FixedServer, path: string])[] = [
  ["host", "server.host"],
  ["port", "server.port"],
  ["metricsPort", "server.metrics_port"],
  ["metricsHost", "server.metrics_host"],
  ["workers", "server.workers"],
];

export function fixedOf({ server, state }: Config): Fixed {
  const { host, port, metricsPort, metricsHost } = server;
  const workers = workerCount(server);
  return { host, port, metricsPort, metricsHost, workers, database: digestOf(state) };
}

function digestOf({ databaseUrl, peers, ...rest }: Config["state"]): string | undefined {
  if (databaseUrl === undefined && peers === undefined) return undefined;
  const others = peers && [peers.urls, peers.secret.expose()];
  const all = JSON.stringify([databaseUrl?.expose(), others, rest]);
  return new Bun.CryptoHasher("sha256").update(all).digest("hex");
}

/** A configuration as it can take effect here, and each change in it that needs a restart. */
export interface Fitted {
  readonly config: Config;
  readonly needsRestart: readonly string[];
}

/** Fits a new configuration to the running listeners; a sentence when that would be unsafe. */
export function withFixed(config: Config, fixed: Fixed): Fitted | string {
  if (!config.keyed && !isLoopbackHost(fixed.host)) {
    // At a start such a file is narrowed to loopback; a socket that is open cannot be.
    return `it takes no keys, and this gateway listens on ${fixed.host}: keep a key, or restart`;
  }
  const wanted = fixedOf(config);
  if (wanted.database !== fixed.database) {
    // A worker that is made later would follow other keys than the rest.
    return "state: what is said of other nodes has changed: restart for that";
  }
  const needsRestart = NAMES.filter(([field]) => wanted[field] !== fixed[field]).map(
    ([field, path]) => `${path}: ${fixed[field] ?? "off"} → ${wanted[field] ?? "off"}`,
  );
  const { database: _which, ...server } = fixed;
  return { config: { ...config, server: { ...config.server, ...server } }, needsRestart };
}
