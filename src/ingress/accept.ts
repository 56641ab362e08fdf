import type { ServerConfig } from "../config/config.ts";
import type { DialectId, Operation } from "../core/ids.ts";
import { Rejection } from "../core/rejection.ts";
import type { CallHead } from "../core/request.ts";
import type { Bytes, Chunk, Ms } from "../core/units.ts";
import type { Dialect, EnvelopeRead } from "../protocol/dialect.ts";
import { readMark } from "../protocol/envelope-fields.ts";
import { holdsProofs } from "../protocol/translate/proofs.ts";
import type { Clock } from "../runtime/runtime.ts";
import { wantedMembers } from "../wire/json-keys.ts";
import { scanJson } from "../wire/json-scan.ts";
import { readForm } from "./form.ts";
import { canonicalPath, checkHost, findRoute, type Route } from "./path.ts";

/** A request whose head can be trusted: where it goes, and in which protocol it is answered. */
export interface Arrival {
  readonly route: Route;
  readonly query: string;
  /** The protocol its answer is written in, a refusal too. */
  readonly dialect: DialectId;
}

const CALLS: readonly string[] = ["POST"];
const READS: readonly string[] = ["GET", "HEAD"];
/** What a provider's own surface may be asked with. */
const ANY: readonly string[] = [...CALLS, ...READS, "PUT", "PATCH", "DELETE"];
/** Headers that may be said once: the runtime joins repeated ones with a comma. RFC 9110 §5.3. */
const SINGLE_HEADERS = [
  "authorization",
  "x-api-key",
  "x-goog-api-key",
  "content-type",
  "content-length",
];

/** An AWS signature has two commas of its own; said twice it has more. */
const SIGNATURE = /^AWS4-HMAC-SHA256 [^,]*,[^,]*,[^,]*$/;

/** Judges the request line and head, before any byte of the body is read. */
export function accept(http: globalThis.Request, server: ServerConfig): Arrival | Rejection {
  const { headers } = http;
  const badHost = checkHost(headers.get("host"), server.allowedHosts);
  if (badHost !== undefined) return badHost;
  const target = canonicalPath(http.url);
  if (target instanceof Rejection) return target;
  const route = findRoute(target, headers);
  if (route === undefined) return new Rejection({ kind: "not_found", path: target.path });
  const methods = methodsOf(route);
  if (!methods.includes(http.method)) {
    return new Rejection({ kind: "method_not_allowed", allow: methods.join(", ") });
  }
  for (const name of SINGLE_HEADERS) {
    const value = headers.get(name);
    if (value?.includes(",") === true && !SIGNATURE.test(value)) return repeated(name);
  }
  const dialect = "dialect" in route ? route.dialect : "openai";
  return { route, query: target.query, dialect };
}

function methodsOf(route: Route): readonly string[] {
  switch (route.kind) {
    case "call":
    case "translate":
      return CALLS;
    case "named":
      return ANY;
    case "models":
    case "health":
    case "livez":
    case "readyz":
      return READS;
  }
}

function repeated(name: string): Rejection {
  const detail = `the header ${name} is there more than once: send it once`;
  return new Rejection({ kind: "malformed", param: name, detail });
}

/** The server in front, as far as a request may steer it. */
export interface Front {
  /** Seconds without traffic after which this request's connection is closed; 0 for never. */
  setIdleTimeout(seconds: number): void;
  /** The address of who asks, as the connection has it. */
  address(): string;
}

export interface BodyOptions {
  readonly server: ServerConfig;
  readonly clock: Clock;
  readonly dialect: Dialect;
  readonly front: Front;
  readonly operation: Operation;
  /** The body's media type as it came. */
  readonly type: string | null;
}

/** Judges a call's body once it is here: the few facts of it that routing needs. */
export function readCall(
  body: Chunk,
  head: CallHead,
  { server, dialect, type }: BodyOptions,
): EnvelopeRead | Rejection {
  if (type !== null && takesForms(head.operation) && isForm(type)) {
    return readForm(body, { head, type, dialect: dialect.id });
  }
  if (head.operation === "native") {
    return nativeCall(body, head, { server, dialect: dialect.id });
  }
  const read = dialect.readEnvelope(head, body, server);
  if (read instanceof Rejection || !holdsProofs(body)) return read;
  return { ...read, envelope: { ...read.envelope, carriesProofs: true } };
}

const NO_JSON: ReadonlySet<string> = new Set(["syntax", "utf8"]);
const MARK = wantedMembers(["metadata", "metadata.privacy"]);

/** A provider's own path: nothing of its body is read but a mark that keeps it here. */
function nativeCall(
  body: Chunk,
  head: CallHead,
  { server, dialect }: { readonly server: ServerConfig; readonly dialect: DialectId },
): EnvelopeRead {
  const envelope = {
    ...{ dialect, operation: head.operation, model: head.model ?? "", modelSpan: undefined },
    ...{ stream: false, includeUsage: false, streamOptionsSpan: undefined },
    ...{ outputTokensMax: undefined, bodyBytes: body.length, head },
  };
  return { envelope, privacyMark: markIn(body, server) };
}

/** What is no JSON has no mark; one that cannot be read counts as private (classify.ts). */
function markIn(body: Chunk, { depthMax }: ServerConfig): string | undefined {
  const scan = scanJson(body, { depthMax, wanted: MARK });
  if (!scan.ok) return NO_JSON.has(scan.fault.kind) ? undefined : "unreadable";
  const [, mark] = scan.members;
  return mark && readMark(body, mark);
}

function takesForms(operation: Operation): boolean {
  return operation === "audio" || operation === "images";
}
function isForm(type: string): boolean {
  return type.toLowerCase().startsWith("multipart/form-data");
}

function checkContentType(headers: Headers, operation: Operation): Rejection | undefined {
  const encoding = headers.get("content-encoding");
  if (encoding !== null && encoding !== "identity") {
    const detail = `content-encoding '${encoding.slice(0, 32)}' is not accepted: send it plain`;
    return new Rejection({ kind: "unsupported_media_type", detail });
  }
  const type = headers.get("content-type");
  // The AWS SDKs call an invoked model's body bytes, whatever is in it.
  if (operation === "native" || operation === "invoke") return undefined;
  if (type !== null && takesForms(operation) && isForm(type)) return undefined;
  if (type === null || type === "application/json") return undefined;
  if (/^application\/(?:[\w.+-]+\+)?json(?:$|[\s;])/i.test(type)) return undefined;
  const detail = "the body must be JSON: send content-type: application/json";
  return new Rejection({ kind: "unsupported_media_type", detail });
}

/** A body up to this size needs no clock of ours: the listener's idle timeout bounds it. */
export const SMALL_BODY_BYTES: Bytes = 64 * 1024;
/** A larger one may take this long, and longer by its size at 4 KB/s: reliability.md §3.2. */
const BODY_GRACE_MS: Ms = 10_000;
const BODY_BYTES_PER_MS = 4;

/** Reads a call's body whole, to its cap. */
export function readBody(
  http: globalThis.Request,
  options: BodyOptions,
): Promise<Chunk | Rejection> | Rejection {
  const badType = checkContentType(http.headers, options.operation);
  if (badType !== undefined) return badType;
  const limit = options.server.bodyBytesMax;
  const declared = Number(http.headers.get("content-length") ?? Number.NaN);
  if (declared > limit) return new Rejection({ kind: "too_large", limit });
  if (declared <= SMALL_BODY_BYTES) return readDeclared(http).catch(cutBody);
  return readSlowly(http, { ...options, declared, limit });
}

/** A large body, or one of unknown length: read against the clock. */
async function readSlowly(
  http: globalThis.Request,
  options: BodyOptions & { readonly declared: number; readonly limit: Bytes },
): Promise<Chunk | Rejection> {
  const { clock, front, declared, limit } = options;
  front.setIdleTimeout(0);
  const late = Promise.withResolvers<Rejection>();
  const bytesMax = Number.isNaN(declared) ? limit : declared;
  const patience = BODY_GRACE_MS + bytesMax / BODY_BYTES_PER_MS;
  const timer = clock.after(patience, () => late.resolve(cutBody()));
  const reading = Number.isNaN(declared) ? readChunked(http, limit) : readDeclared(http);
  const body = await Promise.race([reading.catch(cutBody), late.promise]);
  timer.cancel();
  if (!Number.isNaN(declared) || body instanceof Rejection) return body;
  // The runtime hands a chunked body over before it has read its end: one turn later it knows.
  await new Promise<void>((resolve) => clock.after(0, resolve));
  return http.signal.aborted ? cutBody() : body;
}

/** Reading fails only when the client breaks off or breaks the framing. */
function cutBody(): Rejection {
  const detail = "the body did not arrive whole: send all of it, and faster";
  return new Rejection({ kind: "malformed", param: undefined, detail });
}

/** The runtime never backs a body with shared memory; its type only does not say so. */
function readDeclared(http: globalThis.Request): Promise<Chunk> {
  return http.bytes() as Promise<Chunk>;
}

/** A body of unknown length is read to the cap and not a byte further. */
async function readChunked(http: globalThis.Request, limit: Bytes): Promise<Chunk | Rejection> {
  if (http.body === null) return new Uint8Array();
  const parts: Uint8Array[] = [];
  let byteCount = 0;
  for await (const part of http.body) {
    byteCount += part.byteLength;
    if (byteCount > limit) return new Rejection({ kind: "too_large", limit });
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts));
}
