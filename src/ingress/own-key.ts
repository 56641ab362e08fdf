import { UNLIMITED } from "../core/limits.ts";
import { Secret } from "../core/secret.ts";
import type { OwnKeysConfig } from "../config/config.ts";
import type { Key } from "./authenticate.ts";

/** A credential as a request shows it. */
export interface Shown {
  readonly header: "authorization" | "x-api-key" | "x-goog-api-key";
  readonly text: string;
}

/** A caller's own key for a provider. It lives as long as its request and is kept nowhere. */
export interface OwnKey {
  /** The only backend it is shown to. */
  readonly provider: string;
  readonly header: Shown["header"];
  readonly secret: Secret;
  /** Tells this key from others, and says nothing of it. */
  readonly digest: string;
}

/** What those are called who show a key that only its provider knows. */
export const OWN_KEY_ID = "own";

/** One header's worth of visible text without a comma, which would join two headers. */
const PLAIN = /^[\x21-\x2b\x2d-\x7e]{1,4096}$/;
/**
 * A key of ours behind whatever stands before it: none of it may reach a provider. Inside a word
 * its start alone is chance in a long key of another's, so that more of it is asked for.
 */
const HOLDS_OURS = /(?:^|[^\w-]|%[\da-f]{2})(?:bai|ilk)_|bai_v\d|ilk_[\da-f]{8}/i;

/** The caller's own key, if what it shows can be nothing else. */
export function ownKeyOf(
  { header, text }: Shown,
  { provider, digest }: Pick<OwnKey, "provider" | "digest">,
): OwnKey | undefined {
  if (!PLAIN.test(text) || HOLDS_OURS.test(text)) return undefined;
  return { provider, header, secret: new Secret(text), digest };
}

/** Who brings an own key: held to what the operator says of all such, and to its providers. */
export function ownCaller(own: OwnKey, { providers, privacy }: OwnKeysConfig): Key {
  const unset = { streamFailure: undefined, onLoss: undefined, limits: UNLIMITED };
  return { id: OWN_KEY_ID, privacy, allow: [...providers], ...unset, own };
}
