import { bareHost, isAddress, isLoopbackHost } from "./address.ts";
import type {
  Config,
  FailoverConfig,
  OnLoss,
  OnRevoked,
  RelayConfig,
  ServerConfig,
  StreamFailure,
} from "./config.ts";
import { readBudgets } from "./budgets.ts";
import { readLedger } from "./ledger.ts";
import { DEFAULTS } from "./defaults.ts";
import { choose } from "./choose.ts";
import type { LogLevel, Overrides } from "./env.ts";
import { type Findings, finding } from "./findings.ts";
import type { FileConfig } from "./schema.ts";

/** The parts of a configuration that concern no provider, model or key. */
export type Settings = Pick<
  Config,
  "server" | "relay" | "budgets" | "failover" | "ledger" | "stealth" | "logLevel"
>;

const HOST_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/;

/** Puts flags, variables, file and defaults together, the first that says something winning. */
export function readSettings(file: FileConfig, overrides: Overrides, findings: Findings): Settings {
  return {
    server: readServer(file, overrides, findings),
    relay: readRelay(file, findings),
    failover: readFailover(file, findings),
    budgets: readBudgets(file, findings),
    ledger: readLedger(file, findings),
    stealth: choose({ path: "stealth", given: file.stealth, otherwise: false }, findings),
    logLevel: readLogLevel(file, overrides, findings),
  };
}

const LOOPBACK = "127.0.0.1";

/**
 * Without keys, whoever reaches us spends the operator's money: then only this machine may. A wider
 * address is narrowed to loopback, loudly, so that a file written for another gateway still loads.
 */
export function openModeServer(server: ServerConfig, findings: Findings): ServerConfig {
  if (isLoopbackHost(server.host) || !isListenHost(server.host)) return server;
  const path = ownName("server.host", findings);
  const reason = `there are no keys, so it listens on ${LOOPBACK} only`;
  const fix = "add keys, or set INTERLOCK_KEY in the environment, to be reached from elsewhere";
  findings.warnings.push(finding(path, reason, fix));
  return { ...server, host: LOOPBACK };
}

function readServer(file: FileConfig, overrides: Overrides, findings: Findings): ServerConfig {
  const { host, port } = readListener(file, overrides, findings);
  const metricsPort = readMetricsPort(file, overrides, findings);
  if (metricsPort === port && port !== 0) {
    const path = ownName("server.metrics_port", findings);
    findings.errors.push(finding(path, "is the port of the gateway itself", "choose another"));
  }
  const workers = choose<number | "auto">(
    {
      path: "server.workers",
      override: overrides.workers,
      given: file.server?.workers,
      otherwise: DEFAULTS.workers,
    },
    findings,
  );
  const { max_connections, drain_seconds } = file.server ?? {};
  const { max_request_size_bytes, max_depth } = file.security?.validation ?? {};
  const number = (path: string, choice: Optional) => choose({ path, ...choice }, findings);
  const limits = "security.validation";
  return {
    ...{ host, port, metricsPort, metricsHost: readMetricsHost(file, findings), workers },
    connectionsMax: number("server.max_connections", {
      given: max_connections,
      otherwise: DEFAULTS.connectionsMax,
    }),
    bodyBytesMax: number(`${limits}.max_request_size_bytes`, {
      given: max_request_size_bytes,
      otherwise: DEFAULTS.bodyBytesMax,
    }),
    depthMax: number(`${limits}.max_depth`, { given: max_depth, otherwise: DEFAULTS.depthMax }),
    drainMs:
      1000 *
      number("server.drain_seconds", { given: drain_seconds, otherwise: DEFAULTS.drainSeconds }),
    allowedHosts: present(file.security?.headers?.allowed_hosts),
    addressRateMax: addressRate(file.security?.rate_limit),
  };
}

function readListener(file: FileConfig, overrides: Overrides, findings: Findings) {
  const written = choose(
    {
      path: "server.host",
      override: overrides.host,
      given: file.server?.host,
      otherwise: DEFAULTS.host,
    },
    findings,
  );
  const host = written.startsWith("[") ? bareHost(written) : written;
  if (!isListenHost(host)) {
    const fix = "give an address or a name alone; the port has its own line";
    const path = ownName("server.host", findings);
    findings.errors.push(finding(path, "is not a host to listen on", fix));
  }
  const port = choose(
    {
      path: "server.port",
      override: overrides.port,
      given: file.server?.port,
      otherwise: DEFAULTS.port,
    },
    findings,
  );
  return { host, port };
}

/** Whether it may be reached from elsewhere is for the listener to say: that wants a token. */
function readMetricsHost({ server }: FileConfig, findings: Findings): string {
  const path = "server.metrics_host";
  const written = choose({ path, given: server?.metrics_host, otherwise: LOOPBACK }, findings);
  const host = written.startsWith("[") ? bareHost(written) : written;
  if (isListenHost(host)) return host;
  const fix = "give an address or a name alone; the port has its own line";
  findings.errors.push(finding(path, "is not a host to listen on", fix));
  return LOOPBACK;
}

function isListenHost(host: string): boolean {
  return HOST_NAME.test(host) || isAddress(host);
}

function readMetricsPort(
  file: FileConfig,
  overrides: Overrides,
  findings: Findings,
): number | undefined {
  const { metrics } = file.telemetry ?? {};
  const first = file.server?.metrics_port;
  if (first !== undefined && metrics?.port !== undefined && first !== metrics.port) {
    const reason = "says something else than server.metrics_port";
    findings.errors.push(finding("telemetry.metrics.port", reason, "keep one of them"));
  }
  const port = choose<number | "off">(
    {
      path: "server.metrics_port",
      override: overrides.metricsPort,
      given: metrics?.enabled === false ? "off" : (first ?? metrics?.port),
      otherwise: DEFAULTS.metricsPort,
    },
    findings,
  );
  return port === "off" ? undefined : port;
}

function readRelay(file: FileConfig, findings: Findings): RelayConfig {
  const { heartbeat_seconds, client_stall_seconds, max_buffer_bytes, on_revoked } =
    file.relay ?? {};
  const number = (key: string, choice: Optional) =>
    choose({ path: `relay.${key}`, ...choice }, findings);
  const usage = choose<"inject" | "off">(
    { path: "metering.include_usage", given: file.metering?.include_usage, otherwise: "off" },
    findings,
  );
  const streamFailure = choose<StreamFailure>(
    { path: "stream_failure", given: file.stream_failure, otherwise: DEFAULTS.streamFailure },
    findings,
  );
  const onLoss = choose<OnLoss>(
    { path: "on_loss", given: file.on_loss, otherwise: DEFAULTS.onLoss },
    findings,
  );
  const onRevoked = choose<OnRevoked>(
    { path: "relay.on_revoked", given: on_revoked, otherwise: DEFAULTS.onRevoked },
    findings,
  );
  const heartbeat = number("heartbeat_seconds", {
    given: heartbeat_seconds,
    otherwise: DEFAULTS.heartbeatSeconds,
  });
  const clientStall = number("client_stall_seconds", {
    given: client_stall_seconds,
    otherwise: DEFAULTS.clientStallSeconds,
  });
  const bufferBytesMax = number("max_buffer_bytes", {
    given: max_buffer_bytes,
    otherwise: DEFAULTS.bufferBytesMax,
  });
  return {
    streamFailure,
    onLoss,
    onRevoked,
    heartbeatMs: heartbeat * 1000,
    clientStallMs: clientStall * 1000,
    bufferBytesMax,
    injectIncludeUsage: usage === "inject",
  };
}

function readFailover(file: FileConfig, findings: Findings): FailoverConfig {
  const { max_attempts, deadline_seconds } = file.resilience?.retry ?? {};
  const lone = file.routing?.fallback_enabled === false;
  const attemptsMax = choose(
    {
      path: "resilience.retry.max_attempts",
      override: lone ? { value: 1, by: "routing.fallback_enabled" } : undefined,
      given: max_attempts,
      otherwise: DEFAULTS.attemptsMax,
    },
    findings,
  );
  const seconds = choose(
    {
      path: "resilience.retry.deadline_seconds",
      given: deadline_seconds,
      otherwise: DEFAULTS.failoverSeconds,
    },
    findings,
  );
  return { attemptsMax, deadlineMs: seconds * 1000 };
}

function readLogLevel(file: FileConfig, overrides: Overrides, findings: Findings): LogLevel {
  const given = file.telemetry?.logging?.level;
  return choose<LogLevel>(
    {
      path: "telemetry.logging.level",
      override: overrides.logLevel,
      given: given === "trace" ? "debug" : given,
      otherwise: DEFAULTS.logLevel,
    },
    findings,
  );
}

/** What is there of a list whose bad entries were taken out. */
function present<T>(entries: readonly (T | undefined)[] | null | undefined): readonly T[] {
  return (entries ?? []).filter((entry) => entry !== undefined);
}

/** The name under which the operator gave a value: a flag, a variable, else the file's path. */
function ownName(path: string, { origins }: Findings): string {
  const origin = origins.get(path);
  return origin === undefined || origin === "default" ? path : origin;
}

interface Optional {
  readonly given: number | undefined;
  readonly otherwise: number;
}
/** Off unless switched on with a number. */
function addressRate(limit: NonNullable<FileConfig["security"]>["rate_limit"]): number | undefined {
  return limit?.enabled === true ? limit.requests_per_minute : undefined;
}
