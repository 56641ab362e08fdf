import type { DialectId } from "../core/ids.ts";
import { Rejection } from "../core/rejection.ts";
import type { CallHead } from "../core/request.ts";
import { dialectOfPath, findCall } from "./calls.ts";

/** The one path a request is authorised and dispatched by. */
export interface CanonicalPath {
  readonly path: string;
  readonly query: string;
}

/** What a path asks for. */
export type Route =
  | CallRoute
  /** The first segment names a provider, pool or model; the rest is for its own surface. */
  | NamedRoute
  | ListRoute
  | { readonly kind: "translate" }
  | { readonly kind: "health" }
  | { readonly kind: "livez" }
  | { readonly kind: "readyz" };
export interface CallRoute {
  readonly kind: "call";
  readonly dialect: DialectId;
  readonly head: CallHead;
}
export interface NamedRoute {
  readonly kind: "named";
  readonly name: string;
  /** With its slash; `/` when there is none. */
  readonly rest: string;
  readonly query: string;
  /** The protocol of the rest, so far as its path tells. */
  readonly dialect: DialectId;
}
/** The name a path begins with, whoever that is. */
export function nameIn(route: Route): string | undefined {
  return route.kind === "named" ? route.name : undefined;
}

export interface ListRoute {
  readonly kind: "models";
  readonly dialect: DialectId;
  /** One model's name; undefined asks for all. */
  readonly name: string | undefined;
}

const HOST = /^(?:[a-z0-9](?:[a-z0-9._-]{0,253})|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

/**
 * The path of a request as it is used everywhere after, or why it cannot be trusted: two readers
 * of `%2f`, a doubled slash or a dot segment may see two different paths (RFC 3986 §6.2.2).
 */
export function canonicalPath(url: string): CanonicalPath | Rejection {
  const from = url.indexOf("/", url.indexOf("//") + 2);
  const target = from === -1 ? "/" : url.slice(from);
  const mark = target.indexOf("?");
  const path = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? "" : target.slice(mark + 1);
  const problem = problemOf(path.startsWith(BEDROCK_PREFIX) ? withoutArn(path) : path);
  return problem === undefined
    ? { path, query }
    : new Rejection({ kind: "bad_path", detail: problem });
}

const BEDROCK_PREFIX = "/model/";

/** A Bedrock model may be a whole ARN, whose slashes its SDK encodes; it is one segment to all. */
function withoutArn(path: string): string {
  return path.replace(/^\/model\/arn(?:%3a|:)[^/]+/i, (segment) => segment.replace(/%2f/gi, ""));
}

function problemOf(path: string): string | undefined {
  if (path.includes("//")) {
    return "the path has a doubled slash, mostly from a base URL that ends in '/': remove that";
  }
  if (path.includes("\\") || path.includes(";")) {
    return "the path has a backslash or a semicolon: use plain segments separated by '/'";
  }
  if (/%(?:2f|5c|00|2e|25)/i.test(path)) {
    return "the path has an encoded slash, backslash, dot, percent or NUL: send it plain";
  }
  if (/%(?![0-9a-f]{2})/i.test(path)) {
    return "the path has a percent sign that encodes nothing: leave it out";
  }
  if (/\/\.{1,2}(?:\/|$)/.test(path)) return "the path has a dot segment: send the path resolved";
  return undefined;
}

/** A `Host` that is one well-formed name or address, and allowed. RFC 9112 §3.2. */
export function checkHost(
  host: string | null,
  allowedHosts: readonly string[],
): Rejection | undefined {
  if (host === null || !HOST.test(host)) {
    const detail = "the Host header must hold exactly one name or address, with a port if any";
    return new Rejection({ kind: "malformed", param: "host", detail });
  }
  if (allowedHosts.length === 0) return undefined;
  const name = host.replace(/:\d+$/, "").toLowerCase();
  if (allowedHosts.includes(name)) return undefined;
  const detail = `the Host '${name}' is not among server.allowed_hosts`;
  return new Rejection({ kind: "malformed", param: "host", detail });
}

/** The route of a canonical path: reserved first, then a name of the configuration's. */
export function findRoute({ path, query }: CanonicalPath, headers: Headers): Route | undefined {
  switch (path) {
    case "/health":
    case "/healthz":
      return { kind: "health" };
    case "/livez":
    case "/live":
      return { kind: "livez" };
    case "/readyz":
    case "/ready":
      return { kind: "readyz" };
    case "/v1/translate":
      return { kind: "translate" };
  }
  const call = findCall(path, query);
  if (call !== undefined) return { kind: "call", ...call };
  return findList(path, headers) ?? findNamed(path, query);
}

const LISTS = [
  ["/v1/models", undefined],
  ["/v1beta/models", "gemini"],
] as const satisfies readonly (readonly [string, DialectId | undefined])[];

function findList(path: string, headers: Headers): ListRoute | undefined {
  for (const [prefix, fixed] of LISTS) {
    if (!path.startsWith(prefix)) continue;
    const dialect = fixed ?? dialectOfHeaders(headers);
    if (path.length === prefix.length) return { kind: "models", dialect, name: undefined };
    if (path[prefix.length] !== "/") continue;
    const name = decodeSegment(path.slice(prefix.length + 1));
    if (name !== undefined) return { kind: "models", dialect, name };
  }
  return undefined;
}

/** Four vendors list their models under one path: their SDKs tell themselves by their headers. */
function dialectOfHeaders(headers: Headers): DialectId {
  if (headers.has("anthropic-version")) return "anthropic";
  if (headers.has("x-goog-api-key") || headers.has("x-goog-api-client")) return "gemini";
  return headers.get("x-fern-sdk-name") === "cohere-ai" ? "cohere" : "openai";
}

const RESERVED = /^\/(?:v1|v1beta|v2|model|models|admin|metrics|dashboard)(?:\/|$)/;

function findNamed(path: string, query: string): NamedRoute | undefined {
  if (RESERVED.test(path)) return undefined;
  const slash = path.indexOf("/", 1);
  const name = decodeSegment(slash === -1 ? path.slice(1) : path.slice(1, slash));
  if (name === undefined) return undefined;
  const rest = slash === -1 ? "/" : path.slice(slash);
  return { kind: "named", name, rest, query, dialect: dialectOfPath(rest) };
}

/** Model names may hold slashes and colons; the rest of the path is the name. */
function decodeSegment(text: string): string | undefined {
  try {
    return text === "" ? undefined : decodeURIComponent(text);
  } catch {
    return undefined; // Not an encoding of any name: it names no model.
  }
}
