import type { OwnKeysConfig } from "./config.ts";
import { type Findings, finding, unknownName } from "./findings.ts";
import type { Backends } from "./models.ts";
import type { Path } from "./path.ts";
import type { FileConfig } from "./schema.ts";

/** What reading them needs to know of the rest of the file. */
export interface OwnKeysContext {
  readonly backends: Backends;
  readonly findings: Findings;
}

/** `own_keys:`, which without a provider would take nobody's key. */
export function readOwnKeys(
  { own_keys: entry }: FileConfig,
  context: OwnKeysContext,
): OwnKeysConfig | undefined {
  if (entry === undefined || entry === null) return undefined;
  const path = ["own_keys", "providers"];
  const listed = (entry.providers ?? []).filter((name) => name !== undefined);
  if (listed.length === 0) {
    const fix = "list those whose callers bring their own key, as providers: [openai]";
    context.findings.errors.push(finding(path, "no provider is named", fix));
  }
  checkOwnKeyed(path, entry.providers, context);
  const { privacy, requests_per_minute: requestsPerMinute } = entry;
  return { providers: new Set(listed), privacy, requestsPerMinute };
}

/** Reports every name that is no provider, or one of those that a caller's key cannot open. */
export function checkOwnKeyed(
  path: Path,
  names: readonly (string | undefined)[] | undefined,
  { backends, findings }: OwnKeysContext,
): void {
  const { usable, disabled, broken } = backends;
  for (const [at, name] of (names ?? []).entries()) {
    if (name === undefined || disabled.has(name) || broken.has(name)) continue;
    const backend = usable.get(name);
    if (backend === undefined) {
      const known = [...usable.keys(), ...disabled, ...broken];
      findings.errors.push(unknownName([...path, at], { kind: "provider", name, known }));
    } else if (backend.auth === "sigv4" || backend.auth === "none") {
      const why = backend.auth === "none" ? "asks for no key" : "takes signatures, not keys";
      const fix = "remove it here, or give the provider an auth that sends a key";
      findings.errors.push(finding([...path, at], `this provider ${why}`, fix));
    }
  }
}

/** Providers that callers may bring a key for: those need none of the operator's. */
export function ownKeyed({ own_keys: own, tenants }: FileConfig): ReadonlySet<string> {
  const lists = [own?.providers, ...Object.values(tenants ?? {}).map((each) => each.own_keys)];
  return new Set(lists.flatMap((names) => (names ?? []).filter((name) => name !== undefined)));
}
