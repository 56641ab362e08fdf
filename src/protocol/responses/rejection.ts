import type { ErrorAnswer } from "../dialect.ts";
import { retryHeaders } from "../retry-headers.ts";
import type { ErrorClass, WireError } from "../wire-error.ts";

/** An error as OpenAI would write it here: protocols.md §6.2, column Resp. */
export function writeError(error: WireError): ErrorAnswer {
  return {
    status: NATIVE[error.class].status ?? error.status,
    headers: { "content-type": "application/json", ...retryHeaders(error) },
    body: JSON.stringify({ error: errorObject(error) }),
  };
}

/** The error object, as it stands in an answer and in a stream. */
export function errorObject(error: WireError): ErrorObject {
  const native = NATIVE[error.class];
  return {
    message: native.message ?? error.message,
    type: native.type ?? error.limit ?? "requests",
    param: native.param ?? error.param ?? null,
    code: native.isFixed === true ? native.code : (error.code ?? native.code),
  };
}
/** The four members that every error of this wire has. */
export interface ErrorObject {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
}

interface Native {
  /** Undefined where the error's own status stands. */
  readonly status?: number;
  /** Undefined for a rate limit, whose type says which. */
  readonly type?: string;
  readonly code: string | null;
  /** Whatever another protocol calls it, programs look for this code. */
  readonly isFixed?: boolean;
  readonly param?: string;
  readonly message?: string;
}

const INVALID = "invalid_request_error";
/** Coding tools compact their history when they see this sentence: protocols.md §6.2. */
const TOO_LONG =
  "Your input exceeds the context window of this model. Please adjust your input and try again.";

const NATIVE: Readonly<Record<ErrorClass, Native>> = {
  invalid_request: { type: INVALID, code: null },
  context_length: {
    status: 400,
    type: INVALID,
    code: "context_length_exceeded",
    isFixed: true,
    param: "input",
    message: TOO_LONG,
  },
  request_too_large: { status: 413, type: INVALID, code: "request_too_large" },
  unsupported: { type: INVALID, code: "unsupported_parameter" },
  not_found: { type: INVALID, code: null },
  // protocols.md finding 24: 404 on Chat, 400 here.
  model_not_found: {
    status: 400,
    type: INVALID,
    code: "model_not_found",
    isFixed: true,
    param: "model",
  },
  auth: { status: 401, type: INVALID, code: "invalid_api_key" },
  permission: { status: 403, type: INVALID, code: null },
  rate_limit: { status: 429, code: "rate_limit_exceeded", isFixed: true },
  quota: { status: 429, type: "insufficient_quota", code: "insufficient_quota", isFixed: true },
  overloaded: { status: 503, type: "server_error", code: "overloaded" },
  server: { status: 500, type: "server_error", code: null },
  bad_upstream: { status: 502, type: "server_error", code: null },
  timeout: { status: 504, type: "server_error", code: "timeout" },
  content_filter: { status: 400, type: INVALID, code: "content_filter" },
  conflict: { status: 409, type: INVALID, code: null },
  cancelled: { type: INVALID, code: null },
};
