import { type KeyObject, verify } from "node:crypto";

/** What a signed key says once it is proven. */
export interface SignedKey {
  readonly kid: number;
  readonly tenant: bigint;
  readonly vpc: bigint;
}

/** A text of the right shape whose signature nobody has looked at. */
export interface UnprovenKey extends SignedKey {
  /** What is signed: the text before the last point. */
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** Why a text is no signed key: for the log alone, a caller hears `INVALID_KEY` for each. */
export type SignedKeyFault = "malformed" | "bad_version" | "unknown_kid" | "bad_signature";

/** The version this gateway reads, with the prefix of all of them: features.md d-R1. */
export const SIGNED_VERSION = "bai_v1";
export const KID_MAX = 0xffff_ffff;

/**
 * `bai_v1.{kid}.{payload}.{signature}`, base64url without padding. 16 and 64 bytes leave four bits
 * over in the last character: they must be zero, or one key would have sixteen spellings.
 */
const SHAPE = /^bai_v1\.(0|[1-9]\d{0,9})\.([\w-]{21}[AQgw])\.([\w-]{85}[AQgw])$/;
const LENGTH_MAX = "bai_v1.4294967295.".length + 22 + 1 + 86;
/** Another version's prefix. Only ours is read further. */
const OTHER_VERSION = /^bai_(?!v1\.)[^.]*\./;

/** Reads the text of a signed key. Nothing of it is to be believed yet. */
export function parseSignedKey(text: string): UnprovenKey | SignedKeyFault {
  if (text.length > LENGTH_MAX) return OTHER_VERSION.test(text) ? "bad_version" : "malformed";
  const parts = SHAPE.exec(text);
  if (parts === null) return OTHER_VERSION.test(text) ? "bad_version" : "malformed";
  const [, digits = "", payload = "", signed = ""] = parts;
  const kid = Number(digits);
  if (kid > KID_MAX) return "malformed";
  const numbers = Buffer.from(payload, "base64url");
  return {
    kid,
    tenant: numbers.readBigUInt64LE(0),
    vpc: numbers.readBigUInt64LE(8),
    message: Buffer.from(text.slice(0, text.length - signed.length - 1), "latin1"),
    signature: Buffer.from(signed, "base64url"),
  };
}

/** Whether its signer is known and did sign it. About 50 µs: see `VerifiedKeys`. */
export function proveSignedKey(
  key: UnprovenKey,
  signers: ReadonlyMap<number, KeyObject>,
): SignedKey | SignedKeyFault {
  const signer = signers.get(key.kid);
  if (signer === undefined) return "unknown_kid";
  if (!verify(null, key.message, signer, key.signature)) return "bad_signature";
  const { kid, tenant, vpc } = key;
  return { kid, tenant, vpc };
}
