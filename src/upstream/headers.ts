import type { Backend } from "../core/backend.ts";
import type { Placement } from "../core/privacy.ts";

/** What of the caller's headers goes upstream; everything else stays here. reliability.md §4.4. */
const REQUEST_ALLOWED = [
  "accept",
  "openai-beta",
  "anthropic-version",
  "anthropic-beta",
  "idempotency-key",
];

/** What of the upstream's headers goes to the caller. */
const RESPONSE_ALLOWED = [
  "content-type",
  "content-encoding",
  "retry-after",
  "retry-after-ms",
  "request-id",
  "openai-processing-ms",
  "openai-version",
  "x-ratelimit-limit-requests",
  "x-ratelimit-limit-tokens",
  "x-ratelimit-remaining-requests",
  "x-ratelimit-remaining-tokens",
  "x-ratelimit-reset-requests",
  "x-ratelimit-reset-tokens",
  "x-ratelimit-limit",
  "x-ratelimit-remaining",
  "x-ratelimit-reset",
];

/** A header value longer than this is not relayed: nothing on the list needs it. */
const VALUE_CHARS_MAX = 1024;

export interface UpstreamHeaderOptions {
  readonly host: string | undefined;
  readonly userAgent: string;
}

/** The upstream's request headers, built from nothing: the list, our credential, our own name. */
export function upstreamHeaders(
  client: Headers,
  backend: Backend<Placement>,
  { host, userAgent }: UpstreamHeaderOptions,
): Record<string, string> {
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "accept-encoding": "identity",
    "user-agent": userAgent,
  };
  const connection = client.get("connection");
  for (const name of REQUEST_ALLOWED) {
    const value = client.get(name);
    if (value !== null && !isHopByHop(name, connection)) headers[name] = value;
  }
  headers["accept"] ??= "*/*";
  if (host !== undefined) headers["host"] = host;
  if (backend.credential !== undefined)
    addCredential(headers, backend, backend.credential.expose());
  return headers;
}

/** What `Connection` names is between the client and us: RFC 9110 §7.6.1. */
function isHopByHop(name: string, connection: string | null): boolean {
  if (connection === null || connection === "keep-alive") return false;
  return connection
    .toLowerCase()
    .split(",")
    .some((token) => token.trim() === name);
}

function addCredential(
  headers: Record<string, string>,
  backend: Backend<Placement>,
  credential: string,
): void {
  switch (backend.auth) {
    case "bearer":
      headers["authorization"] = `Bearer ${credential}`;
      return;
    case "x-api-key":
    case "api-key":
    case "x-goog-api-key":
      headers[backend.auth] = credential;
      return;
    case "none":
      return;
  }
}

/** The upstream's answer headers that may go on to the client. */
export function relayedHeaders(upstream: Headers): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of RESPONSE_ALLOWED) {
    const value = upstream.get(name);
    if (value !== null && value.length <= VALUE_CHARS_MAX) headers[name] = value;
  }
  return headers;
}
