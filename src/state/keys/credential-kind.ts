/** How a credential is judged. Its format decides, never who happens to know it. */
export type CredentialKind = "signed" | "stored" | "configured" | "foreign";

export interface Credential {
  readonly kind: CredentialKind;
  /** SHA-256 of the whole text, lower-case hex: what every lookup of it goes by. */
  readonly digest: string;
}

/** Begins every key that is signed. */
export const SIGNED_PREFIX = "bai_";
/** Begins every key that is stored. */
export const STORED_PREFIX = "ilk_";

/** What every refused credential is told: the same words whatever is wrong with it. */
export const INVALID_KEY = "invalid API key";

/**
 * Ours also where it was pasted badly: in capitals, in quotes, behind a second `Bearer`. Such a
 * text verifies as nothing, but it holds a key of ours and must not reach a provider either.
 */
const OURS = /^(?:bearer|[\s:="'`<([{])*(bai|ilk)_/i;

/** Whether a text is, or holds, a key of ours. */
export function isOurs(text: string): boolean {
  return OURS.test(text);
}

/**
 * Signed and stored keys are told by their prefix and never taken for anything else; then come the
 * configured ones; the rest is foreign, a caller's own key for a provider.
 */
export function credentialKind(
  text: string,
  configured: { has(digest: string): boolean },
): Credential {
  const digest = Bun.SHA256.hash(text, "hex");
  const ours = OURS.exec(text)?.[1];
  if (ours !== undefined) {
    return { kind: ours.toLowerCase() === "bai" ? "signed" : "stored", digest };
  }
  return { kind: configured.has(digest) ? "configured" : "foreign", digest };
}
