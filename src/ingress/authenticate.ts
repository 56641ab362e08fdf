import type { KeyConfig, OwnKeysConfig, TenantConfig } from "../config/config.ts";
import { bareTenant } from "../config/tenants.ts";
import type { TenantId } from "../core/ids.ts";
import { type Budget, type Limits, UNLIMITED } from "../core/limits.ts";
import { Rejection } from "../core/rejection.ts";
import type { Ms } from "../core/units.ts";
import { credentialKind, isOurs } from "../state/keys/credential-kind.ts";
import type { KeyLimits } from "../state/keys/key-limits.ts";
import type { StoredKey } from "../state/keys/stored-key.ts";
import { isSigV4 } from "../wire/sigv4-verify.ts";
import { type OwnKey, ownCaller, ownKeyOf, type Shown } from "./own-key.ts";
import { type Claim, claimed } from "./signature.ts";
import type { SignedRing } from "./signed-ring.ts";
import { findStoredKey, type StoredKeys } from "./stored-key.ts";

/** Who a request acts for. */
export interface Key extends Omit<KeyConfig, "digest" | "secret"> {
  /** The request only claims to have this key: its signature is checked when its body is here. */
  readonly claim?: Claim;
  /** Asked while it is used; where it is not there, the key ends with its configuration only. */
  readonly isValid?: (() => boolean) | undefined;
  /** The caller's own key for the provider its path names, which goes there in place of ours. */
  readonly own?: OwnKey | undefined;
}

/** The keys by their digest. Built once per configuration. */
export interface KeyRing {
  readonly open: boolean;
  readonly byDigest: ReadonlyMap<string, KeyConfig>;
  readonly byId: ReadonlyMap<string, KeyConfig>;
  /** Keys made by `interlock key create`; undefined where there are none. */
  readonly stored: StoredKeys | undefined;
  /** Keys proven by their signature; undefined where none are taken. */
  readonly signed: SignedRing | undefined;
  readonly tenants: Tenants;
  readonly own: OwnKeysConfig | undefined;
  /** Whether some tenant's callers may bring a key beside ours. */
  readonly looksBeside: boolean;
  readonly wall: () => Ms;
  /** Stored keys as this configuration sees them; by its text, while one is rotated it has two. */
  readonly known: WeakMap<StoredKey, Map<string, Key | "unknown">>;
}

type Tenants = ReadonlyMap<TenantId, TenantConfig>;

/** Everybody, where no key is configured: allowed on a loopback listener only. */
export const ANONYMOUS: Key = {
  id: "anonymous",
  privacy: undefined,
  allow: undefined,
  streamFailure: undefined,
  onLoss: undefined,
  limits: UNLIMITED,
};

export interface RingOptions {
  /** What keys expire by. */
  readonly wall: () => Ms;
  readonly stored?: StoredKeys | undefined;
  readonly signed?: SignedRing | undefined;
  readonly tenants?: Tenants | undefined;
  readonly own?: OwnKeysConfig | undefined;
}

const NO_TENANTS: Tenants = new Map();

export function keyRing(keys: readonly KeyConfig[], options: RingOptions): KeyRing {
  const { wall, stored, signed, tenants = NO_TENANTS, own } = options;
  const ours = keys.map((key) => withTenant<KeyConfig>(key, signed));
  return {
    open: keys.length === 0 && stored === undefined && signed === undefined,
    ...{ wall, stored, signed, tenants, own, known: new WeakMap() },
    looksBeside: [...tenants.values()].some(({ ownKeys }) => ownKeys.length > 0),
    byDigest: new Map(ours.map((key) => [key.digest, key])),
    byId: new Map(ours.map((key) => [key.id, key])),
  };
}

/** A key with what holds for all of its tenant's. The tenant's privacy only tightens. */
export function withTenant<K extends Key>(key: K, signed: SignedRing | undefined): K {
  const { tenant, isValid } = key;
  if (tenant === undefined) return key;
  const number = tenant.signedId;
  const isOpen = (): boolean => signed?.denialOf(number!) === undefined && isValid?.() !== false;
  return {
    ...key,
    isValid: signed === undefined || number === undefined ? isValid : isOpen,
    privacy: tenant.privacy ?? key.privacy,
    streamFailure: key.streamFailure ?? tenant.streamFailure,
    onLoss: key.onLoss ?? tenant.onLoss,
  };
}

/** Of a request, what beside its headers says who sent it, and what for. */
export interface Sent {
  readonly query?: string | undefined;
  /** The first segment of a path that names a provider, pool or model. */
  readonly named?: string | undefined;
}

/**
 * The key a request shows, in the order Bearer, `x-api-key`, `x-goog-api-key`, Gemini's `?key=`.
 *
 * Found by its SHA-256: how far a lookup gets depends on a digest nobody can choose, so the time it
 * takes says nothing of the secret.
 */
export function authenticate(
  headers: Headers,
  ring: KeyRing,
  { query = "", named }: Sent = {},
): Key | Rejection {
  const authorization = headers.get("authorization");
  if (!ring.open && authorization !== null && isSigV4(authorization)) {
    return claimed(authorization, ring, (key) => standing(key, ring));
  }
  const shown = shownIn(headers, authorization) ?? shownInQuery(query);
  const beside = ring.looksBeside ? headers.get(BESIDE) : null;
  if (beside !== null) return withOwn(judged(beside, ring), { shown, named });
  if (shown === undefined) return ring.open ? ANONYMOUS : new Rejection(MISSING);
  const guest = guestOf(shown, ring, named);
  if (guest !== undefined) return guest;
  if (ring.open) return isOurs(shown.text) ? new Rejection(UNKNOWN) : ANONYMOUS;
  return judged(shown.text, ring);
}

/** Where a key of ours stands when the usual place holds the caller's own key for a provider. */
const BESIDE = "x-interlock-key";

/** Whose a text is, if it is a key of ours. */
function judged(text: string, ring: KeyRing): Key | Rejection {
  const { kind, digest } = credentialKind(text, ring.byDigest);
  if (kind === "signed") {
    const signed = ring.signed?.check(text, digest) ?? new Rejection(UNKNOWN);
    return signed instanceof Rejection ? signed : (suspension(signed) ?? signed);
  }
  const key = ring.byDigest.get(digest) ?? storedKey(digest, ring);
  if (key === undefined) return new Rejection(UNKNOWN);
  return standing(key, ring) ?? key;
}

/** Who shows a key that is none of ours, where the provider it names may be shown one. */
function guestOf(shown: Shown, { own, byDigest }: KeyRing, named?: string): Key | undefined {
  if (own === undefined || named === undefined || !own.providers.has(named)) return undefined;
  const { kind, digest } = credentialKind(shown.text, byDigest);
  const theirs = kind === "foreign" ? ownKeyOf(shown, { provider: named, digest }) : undefined;
  return theirs && ownCaller(theirs, own);
}

/** A key of ours whose tenant lets its callers bring their own for the provider they name. */
function withOwn(
  key: Key | Rejection,
  { shown, named }: { readonly shown: Shown | undefined; readonly named: string | undefined },
): Key | Rejection {
  if (key instanceof Rejection || shown === undefined || named === undefined) return key;
  if (key.tenant?.ownKeys.includes(named) !== true) return key;
  const { kind, digest } = credentialKind(shown.text, NOBODYS);
  const own = kind === "foreign" ? ownKeyOf(shown, { provider: named, digest }) : undefined;
  return own === undefined ? new Rejection(UNKNOWN) : { ...key, own };
}

const NOBODYS = { has: () => false };

/** Why a key that was proven opens nothing now: it has expired, or its tenant is shut out. */
function standing({ limits, tenant }: Key, { wall, signed }: KeyRing): Rejection | undefined {
  const { expiresAt } = limits;
  if (expiresAt !== undefined && wall() > expiresAt) return new Rejection(EXPIRED);
  if (tenant?.enabled === false) return new Rejection(SUSPENDED);
  return tenant?.signedId === undefined ? undefined : signed?.denialOf(tenant.signedId);
}

function suspension({ tenant }: Key): Rejection | undefined {
  return tenant?.enabled === false ? new Rejection(SUSPENDED) : undefined;
}

const SUSPENDED = { kind: "denied", status: 403 } as const;
const EXPIRED = { kind: "unauthenticated", detail: "this API key has expired" } as const;
const MISSING = {
  kind: "unauthenticated",
  detail: "no API key: send it as 'Authorization: Bearer KEY' or 'x-api-key: KEY'",
} as const;
const UNKNOWN = { kind: "unauthenticated", detail: "this API key is not known here" } as const;

function storedKey(digest: string, ring: KeyRing): Key | undefined {
  const { stored, wall } = ring;
  if (stored === undefined) return undefined;
  const found = findStoredKey(digest, { keys: stored, wall: wall() });
  return typeof found === "string" ? undefined : asKey(found, digest, ring);
}

/** The same object for the same key as long as it lives: what counts for it is found by it. */
function asKey(found: StoredKey, digest: string, ring: KeyRing): Key | undefined {
  let texts = ring.known.get(found);
  if (texts === undefined) ring.known.set(found, (texts = new Map()));
  let key = texts.get(digest);
  if (key === undefined) texts.set(digest, (key = makeKey(found, digest, ring)));
  return key === "unknown" ? undefined : key;
}

function makeKey(found: StoredKey, digest: string, ring: KeyRing): Key | "unknown" {
  const { id, tenant: name } = found;
  const { privacy, allow, zones } = found.limits;
  const { tenants, stored, signed, wall } = ring;
  const tenant = name === undefined ? undefined : (tenants.get(name) ?? unlisted(name, tenants));
  if (tenant === "unknown") return tenant;
  const limits = limitsOf(found.limits, found.expires);
  const isValid = () => typeof findStoredKey(digest, { keys: stored!, wall: wall() }) !== "string";
  const rest = { streamFailure: undefined, onLoss: undefined, limits, tenant, isValid };
  return withTenant({ id, privacy, allow, zones, ...rest }, signed);
}

/**
 * A tenant without an entry. Where others have one, it was taken out or misspelt, and its keys open
 * nothing: they would be held to no limits, and see what is everybody's.
 */
function unlisted(name: TenantId, tenants: Tenants): TenantConfig | "unknown" {
  return tenants.size > 0 ? "unknown" : bareTenant(name);
}

function limitsOf(limits: KeyLimits, expiresAt: Ms | undefined): Limits {
  const { requestsPerMinute, tokensPerMinute, concurrency, budget } = limits;
  const budgets: Budget[] = [];
  if (budget?.nano !== undefined) {
    budgets.push({ unit: "usd", amount: budget.nano, period: budget.period });
  }
  if (budget?.tokens !== undefined) {
    budgets.push({ unit: "tokens", amount: budget.tokens, period: budget.period });
  }
  return { requestsPerMinute, tokensPerMinute, concurrency, budgets, expiresAt };
}

/** Gemini's older clients put their key there; as it came it never goes further than here. */
function shownInQuery(query: string): Shown | undefined {
  if (query === "") return undefined;
  const pair = query.split("&").find((each) => each.startsWith("key="));
  // As the name is not decoded, none is taken here that calls.ts would leave in the query.
  const text = pair === undefined ? null : new URLSearchParams(pair).get("key");
  return text === null ? undefined : { header: "x-goog-api-key", text };
}

const BEARER = "bearer ";

function shownIn(headers: Headers, authorization: string | null): Shown | undefined {
  if (authorization !== null) {
    const isBearer = authorization.slice(0, BEARER.length).toLowerCase() === BEARER;
    if (!isBearer) return undefined;
    return { header: "authorization", text: authorization.slice(BEARER.length).trim() };
  }
  for (const header of ["x-api-key", "x-goog-api-key"] as const) {
    const text = headers.get(header);
    if (text !== null) return { header, text };
  }
  return undefined;
}
