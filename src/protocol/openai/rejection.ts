import type { ErrorAnswer } from "../dialect.ts";
import { retryHeaders } from "../retry-headers.ts";
import type { ErrorClass, WireError } from "../wire-error.ts";

/** An error as OpenAI would write it: protocols.md §6.2. */
export function writeError(error: WireError): ErrorAnswer {
  return {
    status: STATUSES[error.class] ?? error.status,
    headers: { "content-type": "application/json", ...retryHeaders(error) },
    body: JSON.stringify({ error: errorObject(error) }),
  };
}

/** The error object, as it stands in an answer and in a stream. */
export function errorObject(error: WireError): Record<string, string | null> {
  const { param = null, class: kind } = error;
  const code = kind === "context_length" ? CODES[kind] : (error.code ?? CODES[kind]);
  return { message: messageOf(error), type: typeOf(error), param, code: code ?? null };
}

/** Programs look for OpenAI's own sentence, and for its numbers, to make a prompt shorter. */
function messageOf({ class: kind, message, tokens }: WireError): string {
  if (kind !== "context_length" || tokens?.max === undefined) return message;
  const { max, requested } = tokens;
  const sent =
    requested === undefined ? "" : ` However, your messages resulted in ${requested} tokens.`;
  return (
    `This model's maximum context length is ${max} tokens.${sent} ` +
    "Please reduce the length of the messages."
  );
}

/** What an error is called where a status does not say it: in a stream, too. */
export function typeOf({ class: kind, limit }: Pick<WireError, "class" | "limit">): string {
  return kind === "rate_limit" ? (limit ?? "requests") : TYPES[kind];
}

/** Classes that have one status here, whatever status another protocol has for them. */
export const STATUSES: { readonly [C in ErrorClass]?: number } = {
  context_length: 400,
  request_too_large: 413,
  model_not_found: 404,
  auth: 401,
  permission: 403,
  rate_limit: 429,
  quota: 429,
  overloaded: 503,
  server: 500,
  bad_upstream: 502,
  timeout: 504,
  content_filter: 400,
  conflict: 409,
};

/** What programs branch on, where the error itself has no word. */
const CODES: { readonly [C in ErrorClass]?: string } = {
  context_length: "context_length_exceeded",
  request_too_large: "request_too_large",
  unsupported: "unsupported_parameter",
  model_not_found: "model_not_found",
  auth: "invalid_api_key",
  rate_limit: "rate_limit_exceeded",
  quota: "insufficient_quota",
  overloaded: "overloaded",
  timeout: "timeout",
  content_filter: "content_filter",
};

const TYPES: Readonly<Record<Exclude<ErrorClass, "rate_limit">, string>> = {
  invalid_request: "invalid_request_error",
  context_length: "invalid_request_error",
  request_too_large: "invalid_request_error",
  unsupported: "invalid_request_error",
  not_found: "invalid_request_error",
  model_not_found: "invalid_request_error",
  auth: "invalid_request_error",
  permission: "invalid_request_error",
  content_filter: "invalid_request_error",
  conflict: "invalid_request_error",
  cancelled: "invalid_request_error",
  quota: "insufficient_quota",
  overloaded: "server_error",
  server: "server_error",
  bad_upstream: "server_error",
  timeout: "server_error",
};
