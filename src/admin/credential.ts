import { timingSafeEqual } from "node:crypto";
import type { AdminToken } from "../config/config.ts";
import type { Secret } from "../core/secret.ts";

/** Whose token a request carries, by Bearer or `x-admin-token`; undefined when it is nobody's. */
export function callerOf(headers: Headers, tokens: readonly AdminToken[]): AdminToken | undefined {
  const offered = headers.get("x-admin-token") ?? bearer(headers.get("authorization"));
  if (offered === undefined) return undefined;
  const digest = digestOf(offered);
  let caller: AdminToken | undefined;
  // All are compared, so that the time taken does not tell which one it was.
  for (const token of tokens) {
    if (timingSafeEqual(digest, expected(token.secret))) caller = token;
  }
  return caller;
}

/** Digests have one length, so a comparison takes the same time whatever was sent. */
const digests = new WeakMap<Secret, Uint8Array>();

function expected(secret: Secret): Uint8Array {
  let digest = digests.get(secret);
  if (digest === undefined) {
    digest = digestOf(secret.expose());
    digests.set(secret, digest);
  }
  return digest;
}

function bearer(header: string | null): string | undefined {
  return /^bearer +(\S+)$/i.exec(header ?? "")?.[1];
}

function digestOf(text: string): Uint8Array {
  return new Bun.CryptoHasher("sha256").update(text).digest();
}
