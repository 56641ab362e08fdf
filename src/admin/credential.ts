import { timingSafeEqual } from "node:crypto";
import type { Secret } from "../core/secret.ts";

/** Shorter ones can be guessed. 16 characters of a random alphabet hold about 80 bits. */
export const TOKEN_LENGTH_MIN = 16;

/** Tells whether a request carries the admin token, by Bearer or `x-admin-token`. */
export type TokenCheck = (headers: Headers) => boolean;

/** Digests have one length, so the comparison takes the same time whatever was sent. */
export function tokenCheck(token: Secret): TokenCheck {
  const expected = digest(token.expose());
  return (headers) => {
    const offered = headers.get("x-admin-token") ?? bearer(headers.get("authorization"));
    return offered !== undefined && timingSafeEqual(digest(offered), expected);
  };
}

function bearer(header: string | null): string | undefined {
  return /^bearer +(\S+)$/i.exec(header ?? "")?.[1];
}

function digest(text: string): Uint8Array {
  return new Bun.CryptoHasher("sha256").update(text).digest();
}
