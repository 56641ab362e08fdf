import type { Fault } from "../core/fault.ts";

/** Codes Bun gives before any byte of the request can have left. */
const NOT_SENT = new Set([
  "ConnectionRefused",
  "ECONNREFUSED",
  "ENOTFOUND",
  "ENOENT",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "FailedToOpenSocket",
  "ERR_PROXY_TUNNEL",
]);

/** OpenSSL's names of what is wrong with a certificate: X509_verify_cert_error_string(3). */
const CERTIFICATE = /CERT|_CRL|UNABLE_TO_VERIFY_LEAF_SIGNATURE|HOSTNAME_MISMATCH|INVALID_CA/;

/** Codes that say the other side spoke, but not HTTP. */
const NOT_HTTP = /^(Invalid|Malformed|Unrequested|ResponseHeadersTooLarge|HTTP2|Zlib|EPROTO)/;

/**
 * What a rejected fetch or read means; an unknown code counts as a lost network. Undefined for what
 * has no code: the runtime gives its errors one, so that is a bug of ours.
 */
export function transportFault(error: unknown): Fault | undefined {
  const code = codeOf(error);
  if (code === undefined) return undefined;
  if (NOT_SENT.has(code)) return { kind: "network", sent: false };
  if (CERTIFICATE.test(code)) return { kind: "tls" };
  if (NOT_HTTP.test(code)) return { kind: "protocol", what: code };
  return { kind: "network", sent: true };
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  const { code } = error;
  return typeof code === "string" || typeof code === "number" ? `${code}` : undefined;
}
