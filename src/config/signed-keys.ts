import { readSigners } from "../wire/signed-key-signers.ts";
import type { TenantId } from "../core/ids.ts";
import type { SignedKeysConfig, TenantConfig } from "./config.ts";
import { readDeny } from "./deny.ts";
import { type Findings, finding } from "./findings.ts";
import { limitsOf } from "./limits.ts";
import type { FileConfig } from "./schema.ts";
import { checkGrants, checkZones, followTenant, present } from "./tenants.ts";

/** What reading them needs to know of the rest of the file. */
export interface SignedKeysContext {
  readonly findings: Findings;
  readonly tenants: ReadonlyMap<TenantId, TenantConfig>;
  readonly names: readonly string[];
  readonly open: boolean;
  readonly zones: ReadonlySet<string>;
  readonly written: ReadonlyMap<string, string>;
}

/** The signers of `signed_keys:`. An empty list is an error: it would take nobody's key. */
export function readSignedKeys(
  { signed_keys: entry }: FileConfig,
  context: SignedKeysContext,
): SignedKeysConfig | undefined {
  if (entry === undefined || entry === null) return undefined;
  const { findings } = context;
  const listed = (entry.public_keys ?? []).filter((each) => each !== undefined);
  const signers = readSigners(
    listed.map(({ kid, key }) => ({ kid: kid ?? Number.NaN, publicKey: key ?? "" })),
  );
  if (areProblems(signers)) {
    for (const { kid, reason, fix } of signers) {
      const path = ["signed_keys", "public_keys", ...(kid === undefined ? [] : [String(kid)])];
      findings.errors.push(finding(path, reason, fix));
    }
    return undefined;
  }
  const { privacy } = entry;
  const [allow, zones] = [present(entry.allow), present(entry.zones)];
  checkGrants(["signed_keys", "allow"], entry.allow, { ...context, names: allNames(context) });
  checkZones(["signed_keys", "zones"], entry.zones, context);
  const path = ["signed_keys", "default_tenant"];
  const shown = !context.written.has(path.join("."));
  const fallback = followTenant(entry.default_tenant, context.tenants, { path, shown, findings });
  const knownTenantsOnly = entry.known_tenants_only ?? false;
  if (knownTenantsOnly && fallback !== undefined) {
    const reason = "is for tenants without an entry, and known_tenants_only takes no key of those";
    findings.errors.push(finding(path, reason, "keep one of them"));
  }
  const rest = { defaultTenant: fallback?.id, knownTenantsOnly, limits: limitsOf(entry) };
  return { signers, deny: readDeny(entry, findings), privacy, allow, zones, ...rest };
}

type Read = ReturnType<typeof readSigners>;

function areProblems(read: Read): read is Exclude<Read, ReadonlyMap<number, unknown>> {
  return Array.isArray(read);
}

/** Every name that some signed key may be granted: of all, and of each tenant. */
function allNames({ names, tenants }: SignedKeysContext): readonly string[] {
  const theirs = [...tenants.values()].flatMap(({ models, pools }) => [
    ...[...models.keys(), ...pools.keys()],
  ]);
  return [...names, ...theirs];
}
