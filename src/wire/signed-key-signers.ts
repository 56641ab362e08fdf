import { createPublicKey, type KeyObject } from "node:crypto";
import { KID_MAX } from "./signed-key.ts";

/** One public key that signed keys may be signed by. */
export interface SignerEntry {
  readonly kid: number;
  /** 32 raw bytes, or their base64 in either alphabet, padded or not. */
  readonly publicKey: string | Uint8Array;
}

/** What is wrong with one entry, for the configuration's list of findings. */
export interface SignerProblem {
  readonly kid: number | undefined;
  readonly reason: string;
  readonly fix: string;
}

const KEY_BYTES = 32;
const ASK = "give the 32 bytes of an Ed25519 public key as base64: interlock key pair prints one";

/**
 * The signers by their kid; several, so that one can be replaced while keys of the last still live.
 * None at all is a problem and not a mode: it would leave every signed key refused, in silence.
 */
export function readSigners(
  entries: readonly SignerEntry[],
): ReadonlyMap<number, KeyObject> | readonly SignerProblem[] {
  const signers = new Map<number, KeyObject>();
  const problems: SignerProblem[] = [];
  for (const { kid, publicKey } of entries) {
    const bytes = typeof publicKey === "string" ? keyBytes(publicKey) : publicKey;
    const problem = entryProblem(kid, bytes) ?? (signers.has(kid) ? TWICE : undefined);
    if (problem !== undefined) problems.push({ kid, ...problem });
    else signers.set(kid, publicKeyOf(bytes));
  }
  if (entries.length === 0) {
    problems.push({ kid: undefined, reason: "no signing key is listed", fix: ASK });
  }
  return problems.length === 0 ? signers : problems;
}

const TWICE = { reason: "this kid is listed twice", fix: "give each public key a kid of its own" };

function entryProblem(kid: number, bytes: Uint8Array): Omit<SignerProblem, "kid"> | undefined {
  if (!Number.isInteger(kid) || kid < 0 || kid > KID_MAX) {
    return { reason: "the kid is not a whole number", fix: `give one from 0 to ${KID_MAX}` };
  }
  if (bytes.length !== KEY_BYTES) return { reason: "is not an Ed25519 public key", fix: ASK };
  if (!isWeak(bytes)) return undefined;
  return { reason: "is a public key that anybody can sign for", fix: ASK };
}

/** Empty when the text is not base64 through and through: Buffer would skip what is not. */
function keyBytes(text: string): Uint8Array {
  return /^[\w+/-]{43}=?$/.test(text) ? Buffer.from(text, "base64") : new Uint8Array();
}

/**
 * The points of small order in every encoding, sign bit off: a signature under one of them can be
 * made without a private key, and all zeros is what a forgotten placeholder decodes to.
 * https://eprint.iacr.org/2020/1244.
 */
const WEAK = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);

function isWeak(bytes: Uint8Array): boolean {
  const unsigned = Buffer.from(bytes);
  unsigned[KEY_BYTES - 1] = (bytes[KEY_BYTES - 1] ?? 0) & 0x7f;
  return WEAK.has(unsigned.toString("hex"));
}

function publicKeyOf(bytes: Uint8Array): KeyObject {
  const x = Buffer.from(bytes).toString("base64url");
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
}
