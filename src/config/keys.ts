import { CryptoHasher } from "bun";
import { UNLIMITED } from "../core/limits.ts";
import type { TenantId } from "../core/ids.ts";
import { Secret } from "../core/secret.ts";
import type { KeyConfig, TenantConfig } from "./config.ts";
import { namedVariable, unsendable } from "./credential.ts";
import { type Environment, KEY_VARIABLE, variable } from "./env.ts";
import { type Findings, finding } from "./findings.ts";
import { type Path, say } from "./path.ts";
import { limitsOf } from "./limits.ts";
import type { FileConfig, FileKey } from "./schema.ts";
import { checkGrants, checkZones, followTenant, present } from "./tenants.ts";

/** What the readers of keys share. */
export interface KeysContext {
  readonly env: Environment;
  readonly findings: Findings;
  /** Names a key may be allowed to use. */
  readonly names: readonly string[];
  /** Whether models beyond those names are served: then any name may be allowed. */
  readonly open: boolean;
  readonly tenants: ReadonlyMap<TenantId, TenantConfig>;
  /** Zones that some backend is in. */
  readonly zones: ReadonlySet<string>;
  /** For each value that came from the environment: what the file says there. */
  readonly written: ReadonlyMap<string, string>;
}

/** Shorter ones can be guessed. */
const KEY_LENGTH_MIN = 16;
const EMPTY_DIGEST = digestOf("");

/** The virtual keys of the file, of its tenants and of the environment, no two of them alike. */
export function readKeys(file: FileConfig, context: KeysContext): readonly KeyConfig[] {
  const keys: KeyConfig[] = [];
  const owners = new Map<string, string>();
  for (const place of placesOf(file, context)) {
    const { id, path, entry, tenant } = place;
    const known = readKey(place, context);
    checkKey(place, context);
    if (known === undefined) continue;
    const { digest } = known;
    const owner = owners.get(digest);
    if (owner !== undefined) {
      const reason = `is the same key as that of ${owner}`;
      const fix = "give each its own, or their limits and privacy are one's for the other";
      context.findings.errors.push(finding(path, reason, fix));
      continue;
    }
    owners.set(digest, id);
    const [allow, zones] = [present(entry.allow), present(entry.zones)];
    const { privacy, stream_failure: streamFailure, on_loss: onLoss } = entry;
    const limits = limitsOf(entry);
    keys.push({ id, ...known, privacy, allow, zones, streamFailure, onLoss, limits, tenant });
  }
  const extra = environmentKey(context);
  return extra === undefined || owners.has(extra.digest) ? keys : [...keys, extra];
}

/** One entry, wherever it stands. */
interface KeyPlace {
  readonly id: string;
  readonly path: Path;
  readonly entry: FileKey;
  readonly tenant: TenantConfig | undefined;
}

/** Between a tenant and the name of a key that stands in it: in no name of either. */
const IN_TENANT = ":";

/** A key's name among those of all: two tenants may choose one. */
export function keyIdIn(tenant: TenantId, name: string): string {
  return `${tenant}${IN_TENANT}${name}`;
}

/** Where a key's entry stands. */
export function keyPath({ id, tenant }: Pick<KeyConfig, "id" | "tenant">): Path {
  const prefix = tenant && keyIdIn(tenant.id, "");
  if (prefix === undefined || !id.startsWith(prefix)) return ["keys", id];
  return ["tenants", tenant!.id, "keys", id.slice(prefix.length)];
}

function placesOf(file: FileConfig, context: KeysContext): readonly KeyPlace[] {
  const { tenants, written, findings } = context;
  const own = Object.entries(file.keys ?? {}).map(([id, entry]): KeyPlace => {
    const path = ["keys", id];
    const at = [...path, "tenant"];
    const shown = !written.has(say(at));
    const tenant = followTenant(entry.tenant, tenants, { path: at, shown, findings });
    return { id, path, entry, tenant };
  });
  const theirs = Object.entries(file.tenants ?? {}).flatMap(([of, { keys }]) =>
    Object.entries(keys ?? {}).map(([name, entry]): KeyPlace => {
      const path = ["tenants", of, "keys", name];
      return { id: keyIdIn(of, name), path, entry, tenant: tenants.get(of) };
    }),
  );
  return [...own, ...theirs];
}

function checkKey({ path, entry, tenant }: KeyPlace, context: KeysContext): void {
  const own = tenant === undefined ? [] : [...tenant.models.keys(), ...tenant.pools.keys()];
  const names = [...context.names, ...own];
  checkGrants([...path, "allow"], entry.allow, { ...context, names });
  checkZones([...path, "zones"], entry.zones, context);
}

/** SHA-256 of a key, lower-case hex: all that is kept of it. */
export function digestOf(key: string): string {
  return new CryptoHasher("sha256").update(key).digest("hex");
}

type Known = Pick<KeyConfig, "digest" | "secret">;

function readKey({ path, entry }: KeyPlace, context: KeysContext): Known | undefined {
  const { findings } = context;
  const sha256 = entry.key_sha256 ?? entry.sha256;
  const given = [entry.key, entry.key_env, entry.key_sha256, entry.sha256];
  const count = given.filter((way) => way !== undefined).length;
  if (count !== 1) {
    const reason = count === 0 ? "no key is given" : "the key is given in more than one way";
    const fix = "give one of key, key_env and key_sha256";
    findings.errors.push(finding([...path, "key"], reason, fix));
    return undefined;
  }
  if (sha256 !== undefined) {
    const field = entry.key_sha256 === undefined ? "sha256" : "key_sha256";
    const digest = readHash([...path, field], sha256.toLowerCase(), findings);
    return digest === undefined ? undefined : { digest, secret: undefined };
  }
  if (entry.key_env !== undefined) return readNamed(path, entry.key_env, context);
  return checked([...path, "key"], entry.key ?? "", findings);
}

function readHash(path: Path, digest: string, findings: Findings): string | undefined {
  if (!/^[0-9a-f]{64}$/.test(digest)) {
    const reason = "is not a SHA-256 digest";
    const fix = "give 64 hexadecimal digits: printf %s KEY | sha256sum";
    findings.errors.push(finding(path, reason, fix));
    return undefined;
  }
  if (digest !== EMPTY_DIGEST) return digest;
  findings.errors.push(finding(path, "is the digest of an empty key", "hash the key itself"));
  return undefined;
}

function readNamed(at: Path, name: string, context: KeysContext): Known | undefined {
  const path = [...at, "key_env"];
  const value = namedVariable(name, context.env);
  if ("reason" in value) {
    context.findings.errors.push(finding(path, value.reason, value.fix));
    return undefined;
  }
  context.findings.origins.set(say([...at, "key"]), name);
  return checked(path, value.text, context.findings);
}

function environmentKey({ env, findings }: KeysContext): KeyConfig | undefined {
  const key = variable(env, KEY_VARIABLE);
  const known = key === undefined ? undefined : checked(KEY_VARIABLE, key, findings);
  if (known === undefined) return undefined;
  findings.origins.set(say(["keys", KEY_VARIABLE, "key"]), KEY_VARIABLE);
  const [privacy, allow, streamFailure, onLoss] = [undefined, undefined, undefined, undefined];
  return { id: KEY_VARIABLE, ...known, privacy, allow, streamFailure, onLoss, limits: UNLIMITED };
}

function checked(path: Path | string, key: string, findings: Findings): Known | undefined {
  const problem = unsendable(key);
  if (problem !== undefined) {
    findings.errors.push(finding(path, problem.reason, problem.fix));
    return undefined;
  }
  if (key.length >= KEY_LENGTH_MIN) return { digest: digestOf(key), secret: new Secret(key) };
  const reason = `the key is shorter than ${KEY_LENGTH_MIN} characters`;
  findings.errors.push(finding(path, reason, "make one with: openssl rand -hex 32"));
  return undefined;
}
