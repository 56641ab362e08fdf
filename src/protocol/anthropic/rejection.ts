import type { RequestId } from "../../core/ids.ts";
import type { ErrorAnswer } from "../dialect.ts";
import { retryHeaders } from "../retry-headers.ts";
import type { ErrorClass, WireError } from "../wire-error.ts";
import { CONTEXT_WORDS } from "./fault-words.ts";

/** How every message of Anthropic's begins that means a prompt too long: clients look for it. */
const TOO_LONG = "prompt is too long";
/** Statuses of HTTP itself, which say more than 400 and are the caller's all the same. */
const HTTP_STATUSES: ReadonlySet<number> = new Set([405, 415, 422]);

/** An error as Anthropic would write it: protocols.md §6.2. */
export function writeError(error: WireError, requestId: RequestId): ErrorAnswer {
  return {
    status: statusOf(error),
    headers: {
      "content-type": "application/json",
      "request-id": requestId,
      ...retryHeaders(error),
    },
    body: JSON.stringify(errorBody(error, requestId)),
  };
}

/** The body of an error, which is also the data of an `error` event. */
export function errorBody(error: WireError, requestId: RequestId): object {
  const details = error.code === undefined ? null : { error_code: error.code };
  return {
    type: "error",
    error: { details, type: SPELLED[error.class].type, message: messageOf(error) },
    request_id: requestId,
  };
}

function statusOf({ class: kind, status }: WireError): number {
  return kind === "invalid_request" && HTTP_STATUSES.has(status) ? status : SPELLED[kind].status;
}

/** Coding tools shorten their history when they read the native sentence. */
function messageOf({ class: kind, message, tokens }: WireError): string {
  if (kind !== "context_length") return message;
  const { requested, max } = tokens ?? {};
  if (requested !== undefined && max !== undefined) {
    return `${TOO_LONG}: ${requested} tokens > ${max} maximum`;
  }
  const isNative = CONTEXT_WORDS.some((words) => message.toLowerCase().includes(words));
  return isNative ? message : `${TOO_LONG}: ${message}`;
}

interface Spelled {
  readonly status: number;
  readonly type: string;
}
const INVALID: Spelled = { status: 400, type: "invalid_request_error" };

const SPELLED: Readonly<Record<ErrorClass, Spelled>> = {
  invalid_request: INVALID,
  context_length: INVALID,
  request_too_large: { status: 413, type: "request_too_large" },
  unsupported: INVALID,
  not_found: { status: 404, type: "not_found_error" },
  model_not_found: { status: 404, type: "not_found_error" },
  auth: { status: 401, type: "authentication_error" },
  permission: { status: 403, type: "permission_error" },
  rate_limit: { status: 429, type: "rate_limit_error" },
  quota: { status: 402, type: "billing_error" },
  overloaded: { status: 529, type: "overloaded_error" },
  server: { status: 500, type: "api_error" },
  bad_upstream: { status: 502, type: "api_error" },
  timeout: { status: 504, type: "timeout_error" },
  content_filter: INVALID,
  conflict: { status: 409, type: "invalid_request_error" },
  cancelled: { status: 499, type: "invalid_request_error" },
};
