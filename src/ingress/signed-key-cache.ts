import type { KeyObject } from "node:crypto";
import {
  parseSignedKey,
  proveSignedKey,
  type SignedKey,
  type SignedKeyFault,
} from "../wire/signed-key.ts";

/** Keys whose proof is remembered. Each costs about 300 bytes. */
export const VERIFIED_KEYS_MAX = 65_536;

/**
 * Signed keys against one set of signers, and which of them were proven before.
 *
 * Remembered by the digest of the whole text, so no two texts share a proof, and only what
 * verified, so a flood of forgeries evicts nothing. A new set of signers needs a new one of these:
 * then a signer that was taken out counts no more at once.
 */
export class VerifiedKeys {
  readonly #signers: ReadonlyMap<number, KeyObject>;
  readonly #generationMax: number;
  /** Two generations: what is used moves to the young one, and the old one is dropped whole. */
  #young = new Map<string, SignedKey>();
  #old = new Map<string, SignedKey>();

  constructor(signers: ReadonlyMap<number, KeyObject>, max = VERIFIED_KEYS_MAX) {
    this.#signers = signers;
    this.#generationMax = Math.max(1, Math.floor(max / 2));
  }

  /** What the text proves, `digest` being its own SHA-256. */
  check(text: string, digest: string): SignedKey | SignedKeyFault {
    const known = this.#young.get(digest);
    if (known !== undefined) return known;
    const before = this.#old.get(digest);
    if (before !== undefined) return this.#remember(digest, before);
    const parsed = parseSignedKey(text);
    if (typeof parsed === "string") return parsed;
    const proven = proveSignedKey(parsed, this.#signers);
    return typeof proven === "string" ? proven : this.#remember(digest, proven);
  }

  /** How many proofs are held. Never more than were asked for. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  #remember(digest: string, key: SignedKey): SignedKey {
    if (this.#young.size >= this.#generationMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(digest, key);
    this.#old.delete(digest);
    return key;
  }
}
