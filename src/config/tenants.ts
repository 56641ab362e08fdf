import type { AnyLane } from "../core/pool.ts";
import type { TenantId } from "../core/ids.ts";
import { UNLIMITED } from "../core/limits.ts";
import type { PoolConfig, TenantConfig } from "./config.ts";
import { type Findings, finding, unknownName } from "./findings.ts";
import { limitsOf } from "./limits.ts";
import { type Models, type ModelsContext, readModels, readPools } from "./models.ts";
import { nameProblem } from "./names.ts";
import { checkOwnKeyed } from "./own-keys.ts";
import type { Path } from "./path.ts";
import type { FileConfig, FileTenant } from "./schema.ts";

/** What the readers of tenants share. */
export interface TenantsContext extends ModelsContext {
  /** The models of all, on which a tenant's pools and aliases may stand. */
  readonly models: Models;
  /** Names of all that a tenant may be granted or denied. */
  readonly names: readonly string[];
  /** Whether models beyond those names are served: then any name may be granted. */
  readonly open: boolean;
  /** Zones that some backend is in. */
  readonly zones: ReadonlySet<string>;
}

/** Between a tenant and its own name where both stand in one label: in no name of either. */
const OWNER_MARK = "#";

/** The label of a tenant's own name among those of all. */
export function ownedLabel(tenant: TenantId, name: string): string {
  return `${tenant}${OWNER_MARK}${name}`;
}

/** The name in a label, as its owner knows it. */
export function plainLabel(label: string): string {
  return label.slice(label.indexOf(OWNER_MARK) + 1);
}

/** Whether a tenant may use a name of all. */
export function mayUse({ allow, deny }: TenantConfig, name: string): boolean {
  return (allow === undefined || allow.includes(name)) && !deny.includes(name);
}

/** A tenant that nobody configured: a name to count by, and no rights or limits of its own. */
export function bareTenant(id: TenantId): TenantConfig {
  const none = undefined;
  return {
    ...{
      id,
      enabled: true,
      entry: none,
      signedId: none,
      privacy: none,
      allow: none,
      deny: [],
      zones: none,
    },
    ...{ streamFailure: none, onLoss: none, ownKeys: [], markupPercent: 0, limits: UNLIMITED },
    ...{ models: new Map(), pools: new Map() },
  };
}

/** The tenants of `tenants:`. */
export function readTenants(
  { tenants }: FileConfig,
  context: TenantsContext,
): ReadonlyMap<TenantId, TenantConfig> {
  const { findings } = context;
  const read = new Map<TenantId, TenantConfig>();
  const owners = new Map<string, TenantId>();
  for (const [id, entry] of Object.entries(tenants ?? {})) {
    const path = ["tenants", id];
    const problem = nameProblem("tenant", id);
    if (problem !== undefined) findings.errors.push(finding(path, problem.reason, problem.fix));
    const tenant = readTenant(id, entry, { ...context, at: path });
    const number = tenant.signedId;
    const owner = number === undefined ? undefined : owners.get(number);
    if (owner !== undefined) {
      const reason = `is the number of ${owner} too`;
      const fix = "give each its own: whose a signed key is would be a guess";
      findings.errors.push(finding([...path, "tenant_id"], reason, fix));
    }
    if (number !== undefined) owners.set(number, id);
    read.set(id, tenant);
  }
  return read;
}

function readTenant(id: TenantId, entry: FileTenant, context: TenantsContext): TenantConfig {
  const { at, findings } = context;
  const { allow, deny = [], zones } = entry;
  checkGrants([...at, "allow"], allow, context);
  checkGrants([...at, "deny"], deny, context);
  checkZones([...at, "zones"], zones, context);
  checkOwnKeyed([...at, "own_keys"], entry.own_keys, context);
  const { models, pools } = readOwn(id, entry, context);
  return {
    ...{ id, entry: id, signedId: readNumber(id, entry, { at, findings }) },
    enabled: entry.enabled ?? true,
    privacy: entry.privacy,
    allow: present(allow),
    deny: present(deny) ?? [],
    zones: present(zones),
    streamFailure: entry.stream_failure,
    onLoss: entry.on_loss,
    ownKeys: present(entry.own_keys) ?? [],
    markupPercent: entry.markup_percent ?? 0,
    limits: limitsOf(entry),
    ...{ models, pools },
  };
}

interface Own {
  readonly models: ReadonlyMap<string, AnyLane>;
  readonly pools: ReadonlyMap<string, PoolConfig>;
}

/** A tenant's own names. Its lanes are labelled as its own: two tenants may choose one name. */
function readOwn(id: TenantId, entry: FileTenant, context: TenantsContext): Own {
  const { at, findings } = context;
  const own = readModels(entry.models, context);
  const labelled = [...own.lanes].map(([name, lane]) => {
    return [name, { ...lane, model: ownedLabel(id, name) }] as const;
  });
  const ownNames = Object.keys(entry.models ?? {});
  const models = {
    lanes: new Map([...context.models.lanes, ...labelled]),
    off: new Set([...context.models.off, ...own.off]),
  };
  for (const name of ownNames) if (!own.lanes.has(name)) models.lanes.delete(name);
  const modelNames = new Set([...context.modelNames, ...ownNames]);
  const pools = readPools(entry.pools, { at, findings, models, modelNames });
  checkOwnNames(entry, context);
  return { models: new Map(labelled), pools };
}

/** A name may stand before one of all, and not twice in one tenant. */
function checkOwnNames(entry: FileTenant, { at, findings }: TenantsContext): void {
  for (const [kind, section] of [
    ["model", "models"],
    ["pool", "pools"],
  ] as const) {
    for (const name of Object.keys(entry[section] ?? {})) {
      const problem = nameProblem(kind, name);
      const path = [...at, section, name];
      if (problem !== undefined) findings.errors.push(finding(path, problem.reason, problem.fix));
      if (entry.own_keys?.includes(name) === true) {
        const reason =
          "own_keys has this name too: a caller's key for that provider would come here";
        findings.errors.push(finding(path, reason, "give it another name"));
      }
      if (kind !== "pool" || entry.models?.[name] === undefined) continue;
      const reason = "a model of this tenant has this name already";
      findings.errors.push(finding(path, reason, "give one of them another name"));
    }
  }
}

/** Its number in signed keys. A tenant whose name is a number has that one and no other. */
function readNumber(
  id: TenantId,
  { tenant_id: given }: FileTenant,
  { at, findings }: Pick<TenantsContext, "at" | "findings">,
): string | undefined {
  const named = /^(?:0|[1-9]\d{0,19})$/.test(id) ? id : undefined;
  if (named !== undefined && given !== undefined && given !== named) {
    const reason = "is another number than the tenant's name";
    const fix = "remove it, or give the tenant a name that is no number";
    findings.errors.push(finding([...at, "tenant_id"], reason, fix));
  }
  return named ?? given;
}

/** What the readers of granted names share. */
type GrantsContext = Pick<TenantsContext, "findings" | "names" | "open">;

/** Reports every granted name that nothing could stand behind. */
export function checkGrants(
  path: Path,
  granted: readonly (string | undefined)[] | undefined,
  { names, open, findings }: GrantsContext,
): void {
  for (const [at, name] of (granted ?? []).entries()) {
    if (name === undefined || open || names.includes(name)) continue;
    const known = { kind: "pool or model", name, known: names };
    findings.errors.push(unknownName([...path, at], known));
  }
}

/** Reports every zone that no backend is in. */
export function checkZones(
  path: Path,
  zones: readonly (string | undefined)[] | undefined,
  { zones: known, findings }: { readonly zones: ReadonlySet<string>; readonly findings: Findings },
): void {
  for (const [at, zone] of (zones ?? []).entries()) {
    if (zone === undefined || known.has(zone)) continue;
    const wanted = { kind: "zone", name: zone, known: [...known] };
    findings.errors.push(unknownName([...path, at], wanted));
  }
}

/** The zones of a file: of providers that are switched off too. */
export function zonesOf({ providers }: FileConfig): ReadonlySet<string> {
  const named = Object.values(providers ?? {}).map((entry) => entry?.zone);
  return new Set(["local", ...named.filter((zone) => zone !== undefined)]);
}

/** Follows the name of a tenant. What is wrong with it is said at `path`. */
export function followTenant(
  name: string | undefined,
  tenants: ReadonlyMap<TenantId, TenantConfig>,
  { path, shown, findings }: { path: Path; shown: boolean; findings: Findings },
): TenantConfig | undefined {
  if (name === undefined) return undefined;
  const tenant = tenants.get(name);
  if (tenant !== undefined) return tenant;
  const known = [...tenants.keys()];
  const wanted = { kind: "tenant", name: shown ? name : undefined, known };
  findings.errors.push(unknownName(path, wanted));
  return undefined;
}

/** What is there of a list whose bad entries were taken out. */
export function present<T>(
  entries: readonly (T | undefined)[] | undefined,
): readonly T[] | undefined {
  return entries?.filter((entry) => entry !== undefined);
}
