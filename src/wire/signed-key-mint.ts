import { createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";
import { type SignedKey, SIGNED_VERSION } from "./signed-key.ts";

/** The bytes an Ed25519 private key is made from. */
export const SEED_BYTES = 32;

/** What stands before the seed in PKCS #8: RFC 8410 §7. */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");

/**
 * Makes the signed key that says this. Ed25519 has no chance in it, so the same words by the same
 * signer are the same key. The command line alone imports this: a gateway verifies and cannot mint.
 */
export function mintSignedKey({ kid, tenant, vpc }: SignedKey, signer: KeyObject): string {
  const payload = Buffer.alloc(16);
  payload.writeBigUInt64LE(tenant, 0);
  payload.writeBigUInt64LE(vpc, 8);
  const message = `${SIGNED_VERSION}.${kid}.${payload.toString("base64url")}`;
  const signature = sign(null, Buffer.from(message, "latin1"), signer);
  return `${message}.${signature.toString("base64url")}`;
}

/** The signer a seed stands for. */
export function signerOf(seed: Uint8Array): KeyObject {
  const key = Buffer.concat([PKCS8_HEAD, seed]);
  return createPrivateKey({ key, format: "der", type: "pkcs8" });
}

/** The public half as a configuration lists it: base64 of 32 raw bytes. */
export function publicKeyText(signer: KeyObject): string {
  const { x = "" } = createPublicKey(signer).export({ format: "jwk" });
  return Buffer.from(x, "base64url").toString("base64");
}
