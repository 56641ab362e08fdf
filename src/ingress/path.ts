import type { Operation } from "../core/ids.ts";
import { Rejection } from "../core/rejection.ts";

/** The one path a request is authorised and dispatched by. */
export interface CanonicalPath {
  readonly path: string;
  readonly query: string;
}

/** What a path asks for. */
export type Route =
  | { readonly kind: "operation"; readonly operation: Operation }
  | { readonly kind: "models" }
  | { readonly kind: "model"; readonly name: string }
  | { readonly kind: "health" }
  | { readonly kind: "livez" }
  | { readonly kind: "readyz" };

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
  const problem = problemOf(path);
  return problem === undefined
    ? { path, query }
    : new Rejection({ kind: "bad_path", detail: problem });
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

const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ["/v1/chat/completions", "chat"],
  ["/v1/completions", "completions"],
  ["/v1/embeddings", "embeddings"],
]);
const MODEL_PREFIX = "/v1/models/";

/** The route of a canonical path; undefined when there is none. */
export function findRoute(path: string): Route | undefined {
  const operation = OPERATIONS.get(path);
  if (operation !== undefined) return { kind: "operation", operation };
  switch (path) {
    case "/v1/models":
      return { kind: "models" };
    case "/health":
    case "/healthz":
      return { kind: "health" };
    case "/livez":
    case "/live":
      return { kind: "livez" };
    case "/readyz":
    case "/ready":
      return { kind: "readyz" };
  }
  if (!path.startsWith(MODEL_PREFIX)) return undefined;
  const name = decodeSegment(path.slice(MODEL_PREFIX.length));
  return name === undefined ? undefined : { kind: "model", name };
}

/** Model names may hold slashes and colons; the rest of the path is the name. */
function decodeSegment(text: string): string | undefined {
  try {
    return text === "" ? undefined : decodeURIComponent(text);
  } catch {
    return undefined; // Not an encoding of any name: it names no model.
  }
}
