import type { AnyLane } from "../core/pool.ts";
import type { Config, Diagnostic } from "./config.ts";
import { finding } from "./findings.ts";
import { warnOfLiterals } from "./literals.ts";
import { keyPath } from "./keys.ts";
import type { Path } from "./path.ts";
import { lanesFor } from "./reach.ts";
import type { FileConfig } from "./schema.ts";

/** What is allowed and probably not meant. */
export function warnOf(
  file: FileConfig,
  config: Config,
  written: ReadonlyMap<string, string>,
): readonly Diagnostic[] {
  return [
    ...warnOfLiterals(file, written),
    ...warnOfVersions(file),
    ...warnOfSecurity(file),
    ...warnOfTimeouts(config),
    ...warnOfPrivatePools(config),
    ...warnOfPrivateKeys(config),
    ...warnOfOwnKeys(config),
  ];
}

/** Anthropic knows one version of its API: Anthropic's API reference, "Versions". */
function warnOfVersions(file: FileConfig): readonly Diagnostic[] {
  const out: Diagnostic[] = [];
  for (const [name, entry] of Object.entries(file.providers ?? {})) {
    const anthropic = (entry?.protocol ?? name) === "anthropic" && entry?.enabled !== false;
    const version = entry?.api_version ?? "2023-06-01";
    if (!anthropic || version === "2023-06-01") continue;
    const reason = "is not a version of Anthropic's API; 2023-06-01 is sent";
    out.push(finding(["providers", name, "api_version"], reason, "remove the line"));
  }
  return out;
}

function warnOfSecurity({ security }: FileConfig): readonly Diagnostic[] {
  const out: Diagnostic[] = [];
  if (security?.enabled === false) {
    const reason = "switches nothing off: limits, allowed hosts and header lists always apply";
    out.push(finding("security.enabled", reason, "remove the line"));
  }
  if (security?.headers?.remove_sensitive === false) {
    const reason = "is always done: headers pass by an allow-list only";
    out.push(finding("security.headers.remove_sensitive", reason, "remove the line"));
  }
  return out;
}

function warnOfTimeouts({ backends }: Config): readonly Diagnostic[] {
  const short = backends.filter(({ deadlines }) => deadlines.totalMs < deadlines.firstEventMs);
  return short.map(({ name }) => {
    const reason = "the whole answer is given less time than its beginning";
    const fix = "make streaming_seconds at least request_seconds";
    return finding(["providers", name, "timeout"], reason, fix);
  });
}

function warnOfPrivatePools({ pools, tenants }: Config): readonly Diagnostic[] {
  const places: readonly (readonly [Path, Config["pools"]])[] = [
    [["pools"], pools],
    ...[...tenants].map(([id, own]) => [["tenants", id, "pools"], own.pools] as const),
  ];
  const shut = places.flatMap(([path, own]) =>
    [...own.values()]
      .filter((pool) => pool.privacy === "private" && !anyLocal(pool.lanes))
      .map(({ name }) => [...path, name, "privacy"]),
  );
  return shut.map((path) => {
    const reason = "the pool is private, and none of its members is local: nothing can be served";
    return finding(path, reason, "add a local member");
  });
}

function warnOfPrivateKeys(config: Config): readonly Diagnostic[] {
  const shut = config.keys.filter((key) => {
    if (key.privacy !== "private" && key.tenant?.privacy === undefined) return false;
    if (key.allow === undefined) {
      return !config.backends.some((backend) => backend.placement === "local");
    }
    const lanes = key.allow.flatMap((name) => lanesFor(config, name, key.tenant));
    return !anyLocal(lanes);
  });
  return shut.map((key) => {
    const reason = "the key is private, and nothing it may use is local: nothing can be served";
    const fix = "allow it a pool or model with a local backend";
    return finding([...keyPath(key), "privacy"], reason, fix);
  });
}

/** Their providers are mostly external, and unmarked requests are private by default. */
function warnOfOwnKeys({ ownKeys, privacy, backends }: Config): readonly Diagnostic[] {
  if (ownKeys === undefined || (ownKeys.privacy ?? privacy.default) !== "private") return [];
  const lanes = backends.filter(({ name }) => ownKeys.providers.has(name));
  if (lanes.some(({ placement }) => placement === "local")) return [];
  const reason =
    "requests with callers' own keys are private, and none of their providers is local";
  const fix = "set privacy: shareable here, for requests that nothing else marks";
  return [finding(["own_keys", "privacy"], reason, fix)];
}

function anyLocal(lanes: readonly Pick<AnyLane, "backend">[]): boolean {
  return lanes.some(({ backend }) => backend.placement === "local");
}
