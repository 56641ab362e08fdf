import type { Ms } from "../core/units.ts";
import type { StoredKey, StoredSecret } from "../state/keys/stored-key.ts";

/** Why a stored key opens nothing: for the log alone, a caller hears `INVALID_KEY` for each. */
export type StoredKeyFault = "unknown" | "expired" | "revoked";

/** The stored keys, as far as a request needs them. */
export interface StoredKeys {
  find(digest: string): StoredSecret | undefined;
}

/** The key whose text has this digest, if it is valid at `wall`. One look-up in a map. */
export function findStoredKey(
  digest: string,
  { keys, wall }: { readonly keys: StoredKeys; readonly wall: Ms },
): StoredKey | StoredKeyFault {
  const secret = keys.find(digest);
  if (secret === undefined) return "unknown";
  const { key, expires } = secret;
  if (key.revoked !== undefined) return "revoked";
  if (hasEnded(expires, wall) || hasEnded(key.expires, wall)) return "expired";
  return key;
}

function hasEnded(expires: Ms | undefined, wall: Ms): boolean {
  return expires !== undefined && expires <= wall;
}
