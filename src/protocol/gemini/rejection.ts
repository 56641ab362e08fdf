import type { RequestId } from "../../core/ids.ts";
import type { ErrorAnswer } from "../dialect.ts";
import type { JsonObject } from "../ir/json.ts";
import { retryHeaders } from "../retry-headers.ts";
import type { ErrorClass, WireError } from "../wire-error.ts";

const TYPE = "type.googleapis.com/google.rpc.";

/** An error as Google would write it: protocols.md §6.2. */
export function writeError(error: WireError, requestId: RequestId): ErrorAnswer {
  return {
    status: error.class === "content_filter" ? 200 : httpStatus(error),
    headers: { "content-type": "application/json", ...retryHeaders(error) },
    body: JSON.stringify({ ...blockedPrompt(error), error: errorObject(error, requestId) }),
  };
}

/** The error object, as it stands in an answer and in a stream. */
export function errorObject(error: WireError, requestId: RequestId): JsonObject {
  return {
    code: httpStatus(error),
    message: sentence(error),
    status: statusWord(error),
    details: detailsOf(error, requestId),
  };
}

/**
 * A refused prompt is an answer here, with status 200. The error stands beside it for who asked for
 * a stream: the SDK throws on it there, and would find no event otherwise.
 */
function blockedPrompt({ class: kind, message }: WireError): JsonObject {
  if (kind !== "content_filter") return {};
  return { promptFeedback: { blockReason: "PROHIBITED_CONTENT", blockReasonMessage: message } };
}

function httpStatus({ class: kind, status }: WireError): number {
  return STATUSES[kind]?.[0] ?? (status >= 400 && status <= 501 ? status : 400);
}

function statusWord({ class: kind, status }: WireError): string {
  const own = STATUSES[kind]?.[1];
  if (own !== undefined) return own;
  return status === 501 ? "UNIMPLEMENTED" : "INVALID_ARGUMENT";
}

/**
 * Status and canonical word. A bad key is 400 at Google's API and 401 at Vertex: 401 is what the
 * SDK's callers look at, and the reason in the details is the same.
 */
const STATUSES: { readonly [C in ErrorClass]?: readonly [number, string] } = {
  context_length: [400, "INVALID_ARGUMENT"],
  request_too_large: [413, "INVALID_ARGUMENT"],
  not_found: [404, "NOT_FOUND"],
  model_not_found: [404, "NOT_FOUND"],
  auth: [401, "UNAUTHENTICATED"],
  permission: [403, "PERMISSION_DENIED"],
  rate_limit: [429, "RESOURCE_EXHAUSTED"],
  quota: [429, "RESOURCE_EXHAUSTED"],
  overloaded: [503, "UNAVAILABLE"],
  server: [500, "INTERNAL"],
  bad_upstream: [502, "UNAVAILABLE"],
  timeout: [504, "DEADLINE_EXCEEDED"],
  content_filter: [400, "INVALID_ARGUMENT"],
  conflict: [409, "ABORTED"],
  cancelled: [499, "CANCELLED"],
};

/** Programs look for Google's own sentence when a prompt is too long. */
function sentence({ class: kind, message, tokens }: WireError): string {
  if (kind !== "context_length" || tokens?.max === undefined) return message;
  const sent = tokens.requested === undefined ? "" : ` (${tokens.requested})`;
  const allowed = `exceeds the maximum number of tokens allowed (${tokens.max}).`;
  return `The input token count${sent} ${allowed}`;
}

/** The `google.rpc` details that Google's own clients read (googleapis' error_details.proto). */
function detailsOf(error: WireError, requestId: RequestId): JsonObject[] {
  const { class: kind, param, message, retryAfterMs } = error;
  const details: JsonObject[] = [];
  if (kind === "auth") {
    const [reason, domain] = ["API_KEY_INVALID", "googleapis.com"];
    details.push({ "@type": `${TYPE}ErrorInfo`, reason, domain });
  }
  if (param !== undefined) {
    const fieldViolations = [{ field: param, description: message }];
    details.push({ "@type": `${TYPE}BadRequest`, fieldViolations });
  }
  // A quota that no waiting brings back has none.
  if (retryAfterMs !== undefined && kind !== "quota") {
    const retryDelay = `${Math.max(1, Math.ceil(retryAfterMs)) / 1000}s`;
    details.push({ "@type": `${TYPE}RetryInfo`, retryDelay });
  }
  details.push({ "@type": `${TYPE}RequestInfo`, requestId });
  return details;
}
