import type { KeyConfig } from "../config/config.ts";
import { Rejection } from "../core/rejection.ts";

/** Who a request acts for. */
export type Key = Omit<KeyConfig, "digest">;

/** The keys by their digest. Built once per configuration. */
export interface KeyRing {
  readonly open: boolean;
  readonly byDigest: ReadonlyMap<string, KeyConfig>;
}

/** Everybody, where no key is configured: allowed on a loopback listener only. */
export const ANONYMOUS: Key = {
  id: "anonymous",
  privacy: undefined,
  allow: undefined,
  streamFailure: undefined,
};

export function keyRing(keys: readonly KeyConfig[]): KeyRing {
  return { open: keys.length === 0, byDigest: new Map(keys.map((key) => [key.digest, key])) };
}

/**
 * The key a request shows, in the order Bearer, `x-api-key`, `x-goog-api-key`.
 *
 * Found by its SHA-256: how far a lookup gets depends on a digest nobody can choose, so the time it
 * takes says nothing of the secret.
 */
export function authenticate(headers: Headers, ring: KeyRing): Key | Rejection {
  if (ring.open) return ANONYMOUS;
  const shown = shownSecret(headers);
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

const BEARER = "bearer ";

function shownSecret(headers: Headers): string | undefined {
  const authorization = headers.get("authorization");
  if (authorization !== null) {
    const isBearer = authorization.slice(0, BEARER.length).toLowerCase() === BEARER;
    return isBearer ? authorization.slice(BEARER.length).trim() : undefined;
  }
  return headers.get("x-api-key") ?? headers.get("x-goog-api-key") ?? undefined;
}
