import type { Environment } from "./expand.ts";
import { type Findings, finding } from "./findings.ts";
import { type Leaf, port, text, whole, wholeOr, word } from "./leaves.ts";

export type { Environment } from "./expand.ts";
/** What the log lets through. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Flags of the command line that change the configuration, as typed. */
export interface Flags {
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly metricsPort?: string | undefined;
  readonly workers?: string | undefined;
  readonly logLevel?: string | undefined;
}

/** A value with the name of what gave it. */
export interface Given<T> {
  readonly value: T;
  readonly by: string;
}

/** What flags and variables say about the server; a flag goes before its variable. */
export interface Overrides {
  readonly host: Given<string> | undefined;
  readonly port: Given<number> | undefined;
  readonly metricsPort: Given<number | "off"> | undefined;
  readonly workers: Given<number | "auto"> | undefined;
  readonly logLevel: Given<LogLevel> | undefined;
}

/** The variable that names the configuration file. */
export const CONFIG_VARIABLE = "INTERLOCK_CONFIG";
/** The variable that holds one more virtual key, for a start without a file. */
export const KEY_VARIABLE = "INTERLOCK_KEY";

/** Variables that other gateways act on, and we do not yet. */
const NOT_ACTIVE_VARIABLES = [
  "REDIS_URL",
  "OTEL_EXPORTER_JAEGER_ENDPOINT",
  "OTEL_SERVICE_NAME",
  "SECRETS_ENCRYPTION_KEY",
] as const;

/** The value of a variable; set but empty is as good as unset. */
export function variable(env: Environment, name: string): string | undefined {
  const value = env[name];
  return value === undefined || value === "" ? undefined : value;
}

/** The first of `names` that is set. */
export function firstVariable(
  env: Environment,
  names: readonly string[],
): Given<string> | undefined {
  for (const by of names) {
    const value = variable(env, by);
    if (value !== undefined) return { value, by };
  }
  return undefined;
}

/**
 * Variables that are set and change nothing yet, as they are listed by `validate`. Those that the
 * file puts in somewhere are not: there the file's own entry is listed, or it changes something.
 */
export function variablesNotActive(
  env: Environment,
  written: ReadonlyMap<string, string>,
): readonly string[] {
  const used = [...written.values()].join("\n");
  const set = NOT_ACTIVE_VARIABLES.filter((name) => variable(env, name) !== undefined);
  const unused = set.filter((name) => !used.includes(`\${${name}}`));
  return unused.map((name) => `${name} (environment)`);
}

/** Reads the flags and variables of the server. A bad value is an error under its own name. */
export function readOverrides(env: Environment, flags: Flags, findings: Findings): Overrides {
  const read = <T>(leaf: Leaf<T>, flag: Source, name: string): Given<T> | undefined => {
    const raw = variable(env, name);
    const source = flag.value === undefined ? raw && { value: raw, by: name } : flag;
    if (source === undefined || source === "" || source.value === undefined) return undefined;
    const value = leaf.read(source.value);
    if (value !== undefined) return { value, by: source.by };
    const got = `expected ${leaf.expected}, got something else`;
    findings.errors.push(finding(source.by, got, `set ${source.by} to ${leaf.expected}`));
    return undefined;
  };
  return {
    host: read(text, { value: flags.host, by: "--host" }, "SERVER_HOST"),
    port: read(port, { value: flags.port, by: "--port" }, "SERVER_PORT"),
    metricsPort: read(
      PORT_OR_OFF,
      { value: flags.metricsPort, by: "--metrics-port" },
      "METRICS_PORT",
    ),
    workers: read(WORKERS, { value: flags.workers, by: "--workers" }, "INTERLOCK_WORKERS"),
    logLevel:
      read(LEVEL, { value: flags.logLevel, by: "--log-level" }, "INTERLOCK_LOG") ??
      rustLog(env, findings),
  };
}

interface Source {
  readonly value: string | undefined;
  readonly by: string;
}

const WORKERS: Leaf<number | "auto"> = {
  expected: "a whole number from 1 to 1024, or auto",
  read: (value) => (value === "auto" ? "auto" : whole(1, 1024).read(value)),
};

const PORT_OR_OFF = wholeOr(port, "off");

const LEVEL: Leaf<LogLevel> = {
  expected: "one of error, warn, info, debug",
  read: (value) => (typeof value === "string" ? levelOf(value) : undefined),
};

/** `info`, `INFO`, `info,server=debug`, `server=debug`: the first level that is named. */
function levelOf(directives: string): LogLevel | undefined {
  for (const directive of directives.split(",")) {
    const name = directive
      .slice(directive.indexOf("=") + 1)
      .trim()
      .toLowerCase();
    const known = word("error", "warn", "info", "debug", "trace").read(name);
    if (known !== undefined) return known === "trace" ? "debug" : known;
  }
  return undefined;
}

/** `RUST_LOG` may be meant for another program, so that a strange value is no error here. */
function rustLog(env: Environment, findings: Findings): Given<LogLevel> | undefined {
  const raw = variable(env, "RUST_LOG");
  if (raw === undefined) return undefined;
  const value = levelOf(raw);
  if (value !== undefined) return { value, by: "RUST_LOG" };
  const reason = "names no log level that we know";
  findings.warnings.push(finding("RUST_LOG", reason, "set INTERLOCK_LOG to info or debug"));
  return undefined;
}
