import { timingSafeEqual } from "node:crypto";
import type { Ms } from "../core/units.ts";
import {
  canonicalHeaders,
  canonicalRequest,
  type PathRules,
  sha256Hex,
  type SignableRequest,
} from "./sigv4-canonical.ts";
import { ALGORITHM, signatureOf, signingKey, type SigningScope } from "./sigv4.ts";

/** What an `authorization` header of this scheme says; nothing of it is proven yet. */
export interface Authorization {
  readonly accessKeyId: string;
  readonly scope: SigningScope;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

export interface VerifyOptions extends Omit<PathRules, "service"> {
  /** The secret of the key the header names; a made-up one where there is no such key. */
  readonly secretAccessKey: string;
  /** The wall clock. */
  readonly at: Ms;
  /** What a signature must be good for; a caller chooses its region freely. */
  readonly service: string;
}

/** Whether a request is signed, and what is wrong where it is not. */
export type SignatureCheck =
  | { readonly ok: true; readonly authorization: Authorization }
  | { readonly ok: false; readonly why: SignatureProblem };
export type SignatureProblem =
  /** No such header, or none that can be read. */
  "malformed" | "wrong_scope" | "host_unsigned" | "date_unsigned" | "skew" | "mismatch";

/** AWS's own servers take what is younger or older than this for a replay. */
const SKEW_MS_MAX: Ms = 5 * 60 * 1000;
const LENGTH_MAX = 4096;
const CREDENTIAL = /^([^\s,]+)\/(\d{8})\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request$/;
const HEADER = /^AWS4-HMAC-SHA256 +Credential=(\S+), *SignedHeaders=(\S+), *Signature=(\S+)$/;
const HEADER_NAMES = /^[a-z0-9-]+(?:;[a-z0-9-]+)*$/;
const SIGNATURE = /^[0-9a-f]{64}$/;
const STAMP = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** Reads the header, so that the secret of its key can be looked up. */
export function readAuthorization(header: string | undefined): Authorization | undefined {
  if (header === undefined || header.length > LENGTH_MAX) return undefined;
  const [, credential = "", names = "", signature = ""] = HEADER.exec(header) ?? [];
  const [, accessKeyId, date, region, service] = CREDENTIAL.exec(credential) ?? [];
  if (accessKeyId === undefined || !SIGNATURE.test(signature)) return undefined;
  const signedHeaders = names.split(";");
  if (!HEADER_NAMES.test(names) || !isSorted(signedHeaders)) return undefined;
  const scope = { date: date!, region: region!, service: service! };
  return { accessKeyId, scope, signedHeaders, signature };
}

function isSorted(names: readonly string[]): boolean {
  return names.every((name, index) => index === 0 || names[index - 1]! < name);
}

/** Whether `header` was written by that scheme at all, so that no other one need be tried. */
export function isSigV4(header: string): boolean {
  return header.startsWith(`${ALGORITHM} `);
}

/**
 * Checks a signature over method, path, query, signed headers and body. Takes the same time
 * whichever byte of the signature is wrong.
 */
export function verifyRequest(request: SignableRequest, options: VerifyOptions): SignatureCheck {
  const headers = canonicalHeaders(request);
  const authorization = readAuthorization(headers.get("authorization"));
  if (authorization === undefined) return failed("malformed");
  const { scope, signedHeaders: names, signature } = authorization;
  if (scope.service !== options.service) return failed("wrong_scope");
  if (!names.includes("host")) return failed("host_unsigned");
  const stamp = headers.get("x-amz-date");
  if (stamp === undefined || !names.includes("x-amz-date")) return failed("date_unsigned");
  const signedAt = readStamp(stamp);
  if (signedAt === undefined) return failed("malformed");
  if (!stamp.startsWith(scope.date)) return failed("wrong_scope");

  const payloadHash = sha256Hex(request.body ?? "");
  const canonical = canonicalRequest(request, { headers, names, payloadHash, rules: options });
  if (canonical === undefined) return failed("mismatch");
  const key = signingKey(options.secretAccessKey, scope);
  const expected = signatureOf(canonical, { key, scope, stamp });
  if (!timingSafeEqual(Buffer.from(expected), Buffer.from(signature))) return failed("mismatch");
  // Last, so that the clock of a gateway is told to those only who hold the secret.
  if (Math.abs(options.at - signedAt) > SKEW_MS_MAX) return failed("skew");
  return { ok: true, authorization };
}

function readStamp(stamp: string): Ms | undefined {
  const found = STAMP.exec(stamp);
  if (found === null) return undefined;
  const [, year, month, day, hour, minute, second] = found;
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(at) ? undefined : at;
}

function failed(why: SignatureProblem): SignatureCheck {
  return { ok: false, why };
}
