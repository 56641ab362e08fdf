import type { Backend } from "../core/backend.ts";
import type { DialectId, Operation } from "../core/ids.ts";
import type { Secret } from "../core/secret.ts";
import type { Placement } from "../core/privacy.ts";

/** What of the caller's headers goes upstream; everything else stays here. reliability.md §4.4. */
const REQUEST_ALLOWED = ["accept", "idempotency-key"];

/** And what of those that mean something to one protocol only. */
const REQUEST_OF: Readonly<Record<DialectId, readonly string[]>> = {
  openai: ["openai-beta"],
  responses: ["openai-beta"],
  anthropic: ["anthropic-version", "anthropic-beta"],
  gemini: ["x-goog-api-client", "x-goog-request-params"],
  bedrock: [
    "x-amzn-bedrock-accept",
    "x-amzn-bedrock-trace",
    "x-amzn-bedrock-guardrailidentifier",
    "x-amzn-bedrock-guardrailversion",
    "x-amzn-bedrock-performanceconfig-latency",
    "x-amzn-bedrock-service-tier",
    "x-amzn-bedrock-request-metadata",
  ],
  cohere: [],
};

/** What a protocol's server insists on, where the caller did not say it. */
const REQUEST_DEFAULTS: { readonly [D in DialectId]?: Readonly<Record<string, string>> } = {
  anthropic: { "anthropic-version": "2023-06-01" },
};

/** What of the upstream's headers goes to the caller. */
const RESPONSE_ALLOWED = [
  "content-type",
  "content-encoding",
  "retry-after",
  "retry-after-ms",
  "request-id",
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
const ANTHROPIC_RATES = ["requests", "tokens", "input-tokens", "output-tokens"].flatMap((what) =>
  ["limit", "remaining", "reset"].map((part) => `anthropic-ratelimit-${what}-${part}`),
);
const RESPONSE_OF: Readonly<Record<DialectId, readonly string[]>> = {
  openai: ["openai-processing-ms", "openai-version", "x-should-retry"],
  responses: ["openai-processing-ms", "openai-version", "x-should-retry"],
  anthropic: ["x-should-retry", ...ANTHROPIC_RATES],
  gemini: ["server-timing"],
  bedrock: [
    "x-amzn-requestid",
    "x-amzn-errortype",
    "x-amzn-bedrock-input-token-count",
    "x-amzn-bedrock-output-token-count",
    "x-amzn-bedrock-cache-read-input-token-count",
    "x-amzn-bedrock-cache-write-input-token-count",
    "x-amzn-bedrock-invocation-latency",
    "x-amzn-bedrock-content-type",
  ],
  cohere: [
    "num_tokens",
    "x-api-warning",
    "x-trial-endpoint-call-limit",
    "x-trial-endpoint-call-remaining",
    "x-endpoint-monthly-call-limit",
  ],
};

/** A header value longer than this is not relayed: nothing on the list needs it. */
const VALUE_CHARS_MAX = 1024;

export interface UpstreamHeaderOptions {
  readonly host: string | undefined;
  readonly userAgent: string;
  /** The protocol the lane is spoken to in. */
  readonly wire: DialectId;
  readonly operation: Operation;
  /** The caller's headers mean nothing in the protocol this goes out in. */
  readonly translated: boolean;
  /** The caller's own key, which goes in the place of ours. */
  readonly own?: SentKey | undefined;
}

/** A caller's own key on its way to the provider that the caller named. */
export interface SentKey {
  readonly provider: string;
  readonly header: string;
  readonly secret: Secret;
  /** Whether the path is the provider's own, so that the header is too. */
  readonly asItCame: boolean;
}

/** What headers say of a caller's own account: beside a key of ours it would be none of theirs. */
const ACCOUNT_OF: { readonly [D in DialectId]?: readonly string[] } = {
  openai: ["openai-organization", "openai-project"],
  responses: ["openai-organization", "openai-project"],
};

/** The upstream's request headers, built from nothing: the list, our credential, our own name. */
export function upstreamHeaders(
  client: Headers,
  backend: Backend<Placement>,
  { host, userAgent, wire, operation, translated, own }: UpstreamHeaderOptions,
): Record<string, string> {
  const headers: Record<string, string> = {
    "content-type": typeOf(client, operation),
    "accept-encoding": "identity",
    "user-agent": userAgent,
  };
  if (!translated) {
    const connection = client.get("connection");
    const from = { client, connection };
    take(headers, REQUEST_ALLOWED, from);
    take(headers, REQUEST_OF[wire], from);
    if (own?.asItCame === true) take(headers, ACCOUNT_OF[wire] ?? [], from);
  }
  headers["accept"] ??= "*/*";
  const defaults = REQUEST_DEFAULTS[wire];
  for (const name in defaults) headers[name] ??= defaults[name]!;
  for (const name in backend.headers) headers[name] = backend.headers[name]!;
  if (host !== undefined) headers["host"] = host;
  if (own !== undefined && own.provider !== backend.name) {
    throw new Error(`a caller's own key for ${own.provider} at ${backend.name}`);
  }
  const credential = own?.secret ?? backend.credential;
  if (own?.asItCame === true) headers[own.header] = spelled(own);
  else if (credential !== undefined) addCredential(headers, backend, credential.expose());
  return headers;
}

function spelled({ header, secret }: SentKey): string {
  return header === "authorization" ? `Bearer ${secret.expose()}` : secret.expose();
}

const FREE_TYPES: ReadonlySet<Operation> = new Set(["audio", "images", "native", "invoke"]);

/** JSON, but for calls whose bodies are forms, sounds or whatever a provider's own path takes. */
function typeOf(client: Headers, operation: Operation): string {
  const isFree = FREE_TYPES.has(operation);
  return (isFree ? client.get("content-type") : null) ?? "application/json";
}

interface From {
  readonly client: Headers;
  readonly connection: string | null;
}

function take(
  headers: Record<string, string>,
  names: readonly string[],
  { client, connection }: From,
): void {
  for (const name of names) {
    const value = client.get(name);
    if (value !== null && !isHopByHop(name, connection)) headers[name] = value;
  }
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
    case "sigv4": // Signs when the body is at hand: upstream/sign.ts.
    case "none":
      return;
  }
}

/** The upstream's answer headers that may go on to the client. */
export function relayedHeaders(upstream: Headers, wire: DialectId): Record<string, string> {
  const headers: Record<string, string> = {};
  relay(headers, upstream, RESPONSE_ALLOWED);
  relay(headers, upstream, RESPONSE_OF[wire]);
  return headers;
}

/** Those of a translated answer: what the upstream says of itself is in another vendor's words. */
export function translatedHeaders(upstream: Headers, type: string): Record<string, string> {
  const headers: Record<string, string> = {};
  relay(headers, upstream, ["retry-after", "retry-after-ms"]);
  headers["content-type"] = type;
  return headers;
}

function relay(headers: Record<string, string>, upstream: Headers, names: readonly string[]): void {
  for (const name of names) {
    const value = upstream.get(name);
    if (value !== null && value.length <= VALUE_CHARS_MAX) headers[name] = value;
  }
}
