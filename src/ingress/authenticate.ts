import type { KeyConfig } from "../config/config.ts";
import { type Budget, type Limits, UNLIMITED } from "../core/limits.ts";
import { Rejection } from "../core/rejection.ts";
import type { Ms } from "../core/units.ts";
import { credentialKind, SIGNED_PREFIX, STORED_PREFIX } from "../state/keys/credential-kind.ts";
import type { KeyLimits } from "../state/keys/key-limits.ts";
import type { StoredKey } from "../state/keys/stored-key.ts";
import { isSigV4 } from "../wire/sigv4-verify.ts";
import { type Claim, claimed } from "./signature.ts";
import type { SignedRing } from "./signed-ring.ts";
import { findStoredKey, type StoredKeys } from "./stored-key.ts";

/** Who a request acts for. */
export interface Key extends Omit<KeyConfig, "digest" | "secret"> {
  /** The request only claims to have this key: its signature is checked when its body is here. */
  readonly claim?: Claim;
  /** Asked while it is used; where it is not there, the key ends with its configuration only. */
  readonly isValid?: (() => boolean) | undefined;
}

/** The keys by their digest. Built once per configuration. */
export interface KeyRing {
  readonly open: boolean;
  readonly byDigest: ReadonlyMap<string, KeyConfig>;
  readonly byId: ReadonlyMap<string, KeyConfig>;
  /** Keys made by `interlock key create`; undefined where there are none. */
  readonly stored: StoredRing | undefined;
  /** Keys proven by their signature; undefined where none are taken. */
  readonly signed: SignedRing | undefined;
}

export interface StoredRing {
  readonly keys: StoredKeys;
  readonly wall: () => Ms;
}

/** Everybody, where no key is configured: allowed on a loopback listener only. */
export const ANONYMOUS: Key = {
  id: "anonymous",
  privacy: undefined,
  allow: undefined,
  streamFailure: undefined,
  onLoss: undefined,
  limits: UNLIMITED,
};

export interface OtherKeys {
  readonly stored?: StoredRing | undefined;
  readonly signed?: SignedRing | undefined;
}

export function keyRing(keys: readonly KeyConfig[], { stored, signed }: OtherKeys = {}): KeyRing {
  return {
    open: keys.length === 0 && stored === undefined && signed === undefined,
    stored,
    signed,
    byDigest: new Map(keys.map((key) => [key.digest, key])),
    byId: new Map(keys.map((key) => [key.id, key])),
  };
}

/**
 * The key a request shows, in the order Bearer, `x-api-key`, `x-goog-api-key`, Gemini's `?key=`.
 *
 * Found by its SHA-256: how far a lookup gets depends on a digest nobody can choose, so the time it
 * takes says nothing of the secret.
 */
export function authenticate(headers: Headers, ring: KeyRing, query = ""): Key | Rejection {
  if (ring.open) return looksLikeOurs(headers, query) ? new Rejection(UNKNOWN) : ANONYMOUS;
  const authorization = headers.get("authorization");
  if (authorization !== null && isSigV4(authorization)) return claimed(authorization, ring);
  const shown = shownSecret(headers) ?? shownInQuery(query);
  if (shown === undefined) {
    const detail = "no API key: send it as 'Authorization: Bearer KEY' or 'x-api-key: KEY'";
    return new Rejection({ kind: "unauthenticated", detail });
  }
  const { kind, digest } = credentialKind(shown, ring.byDigest);
  if (kind === "signed") return ring.signed?.check(shown, digest) ?? new Rejection(UNKNOWN);
  return ring.byDigest.get(digest) ?? storedKey(digest, ring) ?? new Rejection(UNKNOWN);
}

/** Who shows a key of ours means to be known, even where everybody is let in. */
function looksLikeOurs(headers: Headers, query: string): boolean {
  const shown = shownSecret(headers) ?? shownInQuery(query);
  return (
    shown !== undefined && (shown.startsWith(SIGNED_PREFIX) || shown.startsWith(STORED_PREFIX))
  );
}

const UNKNOWN = { kind: "unauthenticated", detail: "this API key is not known here" } as const;

function storedKey(digest: string, { stored }: KeyRing): Key | undefined {
  if (stored === undefined) return undefined;
  const found = findStoredKey(digest, { keys: stored.keys, wall: stored.wall() });
  return typeof found === "string" ? undefined : asKey(found, digest, stored);
}

/** By its text, for while a key is rotated it has two. */
const known = new WeakMap<StoredKey, Map<string, Key>>();

/** The same object for the same key as long as it lives: what counts for it is found by it. */
function asKey(stored: StoredKey, digest: string, { keys, wall }: StoredRing): Key {
  let texts = known.get(stored);
  if (texts === undefined) known.set(stored, (texts = new Map()));
  let key = texts.get(digest);
  if (key === undefined) {
    const { privacy, allow } = stored.limits;
    const limits = limitsOf(stored.limits, stored.expires);
    const isValid = () => typeof findStoredKey(digest, { keys, wall: wall() }) !== "string";
    const unset = { streamFailure: undefined, onLoss: undefined };
    key = { id: stored.id, privacy, allow, ...unset, limits, isValid };
    texts.set(digest, key);
  }
  return key;
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

/** Gemini's older clients put their key there; it never goes further than here. */
function shownInQuery(query: string): string | undefined {
  const pair = query.split("&").find((each) => each.startsWith("key="));
  // As the name is not decoded, none is taken here that calls.ts would leave in the query.
  return pair === undefined ? undefined : (new URLSearchParams(pair).get("key") ?? undefined);
}

const BEARER = "bearer ";

function shownSecret(headers: Headers): string | undefined {
  const authorization = headers.get("authorization");
  if (authorization !== null) {
    const isBearer = authorization.slice(0, BEARER.length).toLowerCase() === BEARER;
    return isBearer ? authorization.slice(BEARER.length).trim() : undefined;
  }
  return headers.get("x-api-key") ?? headers.get("x-goog-api-key") ?? undefined;
}
