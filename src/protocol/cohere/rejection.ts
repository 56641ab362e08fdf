import type { RequestId } from "../../core/ids.ts";
import type { ErrorAnswer } from "../dialect.ts";
import { retryHeaders } from "../retry-headers.ts";
import type { ErrorClass, TokenLimits, WireError } from "../wire-error.ts";

/** Classes whose status is not the error's own: protocols.md §6.2. */
const STATUS: { readonly [C in ErrorClass]?: number } = {
  context_length: 400,
  content_filter: 400,
  auth: 401,
  quota: 402,
  permission: 403,
  not_found: 404,
  model_not_found: 404,
  conflict: 409,
  request_too_large: 413,
  rate_limit: 429,
  cancelled: 499,
  server: 500,
  bad_upstream: 502,
  overloaded: 503,
  timeout: 504,
};

/** An error as Cohere would write it: `{"message", "id"}`, the rest is in the status. */
export function writeError(error: WireError, requestId: RequestId): ErrorAnswer {
  const isLong = error.class === "context_length";
  return {
    status: STATUS[error.class] ?? statusOfClient(error.status),
    headers: { "content-type": "application/json", ...retryHeaders(error) },
    body: JSON.stringify({
      id: requestId,
      message: errorMessage(error),
      ...(isLong ? { error_type: "TOO_MANY_TOKENS" } : {}),
    }),
  };
}

/** The message, which for a prompt that is too long is Cohere's own sentence. */
export function errorMessage({ class: kind, message, tokens }: WireError): string {
  return kind === "context_length" ? tooManyTokens(tokens ?? {}) : message;
}

/** Programs look for how it begins. */
function tooManyTokens({ requested, max }: TokenLimits): string {
  const advice = "Try using shorter or fewer inputs.";
  const limit = `The limit for this model is ${max} tokens.`;
  if (max === undefined) return `too many tokens: size limit exceeded. ${advice}`;
  const over = requested === undefined ? 0 : requested - max;
  const by = over > 0 ? ` by ${over} tokens` : "";
  return `too many tokens: size limit exceeded${by}. ${advice} ${limit}`;
}

/** What is wrong with a request, or not there yet (501), may have a finer status of its own. */
function statusOfClient(status: number): number {
  return (status >= 400 && status < 500) || status === 501 ? status : 400;
}
