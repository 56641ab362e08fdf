import type { Ms } from "../core/units.ts";
import {
  canonicalHeaders,
  canonicalRequest,
  type PathRules,
  sha256Hex,
  type SignableRequest,
} from "./sigv4-canonical.ts";

/** What AWS identifies a caller by; temporary credentials have a session token. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface SignOptions extends PathRules {
  readonly credentials: AwsCredentials;
  readonly region: string;
  /** The wall clock. */
  readonly at: Ms;
  /** Lower-case names; all that may be are signed where this is not given. */
  readonly signedHeaders?: readonly string[] | undefined;
  /** Send the body's hash as `x-amz-content-sha256`, as Bedrock's SDKs do. */
  readonly sendContentHash?: boolean | undefined;
}

/** Where and when a signing key is good. */
export interface SigningScope {
  /** As `20260102`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** The one algorithm there is, as it opens the header and the string to sign. */
export const ALGORITHM = "AWS4-HMAC-SHA256";

/** Headers that a hop on the way may change, as @smithy/signature-v4 leaves them out. */
const NEVER_SIGNED: ReadonlySet<string> = new Set([
  "authorization",
  "cache-control",
  "connection",
  "expect",
  "from",
  "keep-alive",
  "max-forwards",
  "pragma",
  "referer",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "user-agent",
  "x-amzn-trace-id",
]);
const AWS_DOMAIN =
  /\.(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|api\.aws|c2s\.ic\.gov|sc2s\.sgov\.gov)$/;
const REGION = /^[a-z]{2,4}(?:-[a-z]{2,12}){1,2}-\d{1,2}$/;
const NEVER_SIGNED_PREFIX = /^(?:proxy-|sec-)/;
/** A key is good for a day; more of them than a gateway has accounts are not kept. */
const KEYS_MAX = 64;
const signingKeys = new Map<string, Uint8Array>();

/** The headers that sign a request, to be sent beside those it was signed with. */
export function signRequest(
  request: SignableRequest,
  options: SignOptions,
): Record<string, string> {
  const { credentials, region, service, at } = options;
  const stamp = timestamp(at);
  const payloadHash = sha256Hex(request.body ?? "");
  const added: Record<string, string> = { "x-amz-date": stamp };
  if (credentials.sessionToken !== undefined) {
    added["x-amz-security-token"] = credentials.sessionToken;
  }
  if (options.sendContentHash === true) added["x-amz-content-sha256"] = payloadHash;

  const headers = canonicalHeaders(request);
  for (const name in added) headers.set(name, added[name]!);
  const names = signedNames(headers, { added, chosen: options.signedHeaders });
  const canonical = canonicalRequest(request, { headers, names, payloadHash, rules: options });
  if (canonical === undefined) throw new Error("a header to be signed is not there");
  const scope = { date: stamp.slice(0, 8), region, service };
  const key = signingKey(credentials.secretAccessKey, scope);
  const signature = signatureOf(canonical, { key, scope, stamp });
  added["authorization"] =
    `${ALGORITHM} Credential=${credentials.accessKeyId}/${scopeText(scope)}, ` +
    `SignedHeaders=${names.join(";")}, Signature=${signature}`;
  return added;
}

/** The signature of a canonical request, in hex. */
export function signatureOf(
  canonical: string,
  by: { readonly key: Uint8Array; readonly scope: SigningScope; readonly stamp: string },
): string {
  const text = `${ALGORITHM}\n${by.stamp}\n${scopeText(by.scope)}\n${sha256Hex(canonical)}`;
  return new Bun.CryptoHasher("sha256", by.key).update(text).digest("hex");
}

/** The key derived of a secret, kept as long as it is asked for. */
export function signingKey(secret: string, { date, region, service }: SigningScope): Uint8Array {
  const name = `${date}\n${region}\n${service}\n${secret}`;
  const kept = signingKeys.get(name);
  if (kept !== undefined) return kept;
  const key = [region, service, "aws4_request"].reduce<Uint8Array>(
    hmac,
    hmac(`AWS4${secret}`, date),
  );
  const [oldest] = signingKeys.keys();
  if (oldest !== undefined && signingKeys.size >= KEYS_MAX) signingKeys.delete(oldest);
  signingKeys.set(name, key);
  return key;
}

/** As `20260102T030405Z`. */
export function timestamp(at: Ms): string {
  return new Date(at).toISOString().replace(/[-:]|\.\d+/g, "");
}

/**
 * The region an AWS host name names, as in `bedrock-runtime-fips.us-east-1.amazonaws.com` or in
 * that of a VPC endpoint; undefined when it names none.
 */
export function regionOfHost(host: string): string | undefined {
  const name = host.toLowerCase().replace(/:\d+$/, "");
  if (!AWS_DOMAIN.test(name)) return undefined;
  const labels = name.replace(AWS_DOMAIN, "").split(".");
  return labels.findLast((label) => REGION.test(label));
}

function signedNames(
  headers: ReadonlyMap<string, string>,
  names: {
    readonly added: Readonly<Record<string, string>>;
    readonly chosen: readonly string[] | undefined;
  },
): string[] {
  const { added, chosen } = names;
  const wanted = chosen ?? [...headers.keys()].filter(mayBeSigned);
  return [...new Set([...wanted, ...Object.keys(added), "host"])].sort();
}

function mayBeSigned(name: string): boolean {
  return !NEVER_SIGNED.has(name) && !NEVER_SIGNED_PREFIX.test(name);
}

function scopeText({ date, region, service }: SigningScope): string {
  return `${date}/${region}/${service}/aws4_request`;
}

function hmac(key: string | Uint8Array, text: string): Uint8Array {
  return new Bun.CryptoHasher("sha256", key).update(text).digest();
}
