import type { KeyConfig } from "../config/config.ts";
import { Rejection } from "../core/rejection.ts";
import { isSigV4 } from "../wire/sigv4-verify.ts";
import { type Claim, claimed } from "./signature.ts";

/** Who a request acts for. */
export interface Key extends Omit<KeyConfig, "digest" | "secret"> {
  /** The request only claims to have this key: its signature is checked when its body is here. */
  readonly claim?: Claim;
}

/** The keys by their digest. Built once per configuration. */
export interface KeyRing {
  readonly open: boolean;
  readonly byDigest: ReadonlyMap<string, KeyConfig>;
  readonly byId: ReadonlyMap<string, KeyConfig>;
}

/** Everybody, where no key is configured: allowed on a loopback listener only. */
export const ANONYMOUS: Key = {
  id: "anonymous",
  privacy: undefined,
  allow: undefined,
  streamFailure: undefined,
  onLoss: undefined,
};

export function keyRing(keys: readonly KeyConfig[]): KeyRing {
  return {
    open: keys.length === 0,
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
  if (ring.open) return ANONYMOUS;
  const authorization = headers.get("authorization");
  if (authorization !== null && isSigV4(authorization)) return claimed(authorization, ring);
  const shown = shownSecret(headers) ?? shownInQuery(query);
  if (shown === undefined) {
    const detail = "no API key: send it as 'Authorization: Bearer KEY' or 'x-api-key: KEY'";
    return new Rejection({ kind: "unauthenticated", detail });
  }
  const digest = Bun.SHA256.hash(shown, "hex");
  const key = ring.byDigest.get(digest);
  if (key === undefined) {
    return new Rejection({ kind: "unauthenticated", detail: "this API key is not known here" });
  }
  return key;
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
