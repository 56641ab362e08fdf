import { entriesOf } from "./entries.ts";
import { type Path, say } from "./path.ts";
import type { FileConfig } from "./schema.ts";

/** Blocks and values that are read and checked, and change nothing so far. `*` is any name. */
const NOT_ACTIVE: readonly Path[] = [
  ["providers", "*", "max_retries"],
  ["providers", "*", "rate_limit"],
  ["models", "*", "max_concurrent"],
  ["tenants", "*", "models", "*", "max_concurrent"],
  ["routing", "health_check_interval_seconds"],
  ["resilience", "retry", "initial_delay_ms"],
  ["resilience", "retry", "max_delay_ms"],
  ["resilience", "retry", "backoff_multiplier"],
  ["resilience", "circuit_breaker"],
  ["resilience", "bulkhead"],
  ["cache"],
  ["security", "headers", "add_security_headers"],
  ["security", "validation", "max_messages"],
  ["security", "validation", "max_message_length"],
  ["security", "ip_filter"],
  ["security", "request_signing"],
  ["security", "rate_limit", "burst_size"],
  ["security", "secrets"],
  ["telemetry", "logging", "pii_redaction"],
  ["telemetry", "tracing"],
  ["database", "min_connections"],
];

/** Values of which only some are active, with those that are. */
const PARTLY_ACTIVE: readonly { readonly path: Path; readonly active: readonly unknown[] }[] = [
  { path: ["pools", "*", "strategy"], active: ["priority", "weighted"] },
  { path: ["tenants", "*", "pools", "*", "strategy"], active: ["priority", "weighted"] },
  { path: ["routing", "strategy"], active: ["priority", "weighted"] },
  { path: ["telemetry", "logging", "format"], active: ["json"] },
];

/** What a file asks for and does not get yet, as dotted paths in the order of the lists above. */
export function notActiveIn(file: FileConfig): readonly string[] {
  const found = NOT_ACTIVE.flatMap((pattern) => match(file, pattern))
    .filter(({ value }) => value !== false)
    .map(({ path }) => say(path));
  found.push(...unsentVersions(file));
  for (const { path: pattern, active } of PARTLY_ACTIVE) {
    const unmet = match(file, pattern).filter(({ value }) => !active.includes(value));
    found.push(...unmet.map(({ path }) => say(path)));
  }
  return found;
}

/** Anthropic's version is fixed, and warned about elsewhere; only Azure's is sent. */
function unsentVersions({ providers }: FileConfig): readonly string[] {
  return Object.entries(providers ?? {})
    .filter(([name, entry]) => (entry?.protocol ?? name) !== "anthropic")
    .filter(([name]) => name !== "azure_openai")
    .filter(([, entry]) => entry?.api_version !== undefined && entry.enabled !== false)
    .map(([name]) => say(["providers", name, "api_version"]));
}

/** The values at a pattern. A block that is switched off has none: it gets what it asks for. */
function match(value: unknown, pattern: Path, path: Path = []): { path: Path; value: unknown }[] {
  const entries = entriesOf(value);
  if (entries.get("enabled") === false) return [];
  const [first, ...rest] = pattern;
  if (first === undefined) {
    return value === undefined || value === null ? [] : [{ path, value }];
  }
  const chosen = [...entries].filter(([name]) => first === "*" || name === first);
  return chosen.flatMap(([name, entry]) => match(entry, rest, [...path, name]));
}
