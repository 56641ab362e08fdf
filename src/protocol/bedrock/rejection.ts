import type { RequestId } from "../../core/ids.ts";
import type { ErrorAnswer } from "../dialect.ts";
import { retryHeaders } from "../retry-headers.ts";
import type { ErrorClass, WireError } from "../wire-error.ts";

/** An error as Bedrock would write it: its SDKs throw the class that the header names. */
export function writeError(error: WireError, requestId: RequestId): ErrorAnswer {
  return {
    status: error.class === "cancelled" ? error.status : STATUS_OF_CLASS[error.class],
    headers: {
      "content-type": "application/json",
      "x-amzn-errortype": EXCEPTION_OF_CLASS[error.class],
      "x-amzn-requestid": requestId,
      ...retryHeaders(error),
    },
    body: JSON.stringify({ message: messageOf(error) }),
  };
}

/** The message, opened with the sentence Bedrock's own clients look for. */
export function messageOf(error: WireError): string {
  const { message, tokens } = error;
  switch (error.class) {
    case "context_length": {
      if (tokens?.requested === undefined || tokens.max === undefined) return TOO_LONG;
      return `${TOO_LONG} prompt is too long: ${tokens.requested} tokens > ${tokens.max} maximum`;
    }
    case "model_not_found":
      return message.startsWith(NO_MODEL) ? message : `${NO_MODEL} ${message}`;
    case "invalid_request":
    case "request_too_large":
    case "unsupported":
    case "not_found":
    case "auth":
    case "permission":
    case "rate_limit":
    case "quota":
    case "overloaded":
    case "server":
    case "bad_upstream":
    case "timeout":
    case "content_filter":
    case "conflict":
    case "cancelled":
      return message;
  }
}

const TOO_LONG = "Input is too long for requested model.";
const NO_MODEL = "The provided model identifier is invalid.";

type ByClass<T> = Readonly<Record<ErrorClass, T>>;

/** protocols.md §6.2. */
export const STATUS_OF_CLASS: ByClass<number> = {
  invalid_request: 400,
  context_length: 400,
  request_too_large: 413,
  unsupported: 400,
  not_found: 404,
  model_not_found: 400,
  auth: 403,
  permission: 403,
  rate_limit: 429,
  quota: 400,
  overloaded: 503,
  server: 500,
  bad_upstream: 424,
  timeout: 408,
  content_filter: 400,
  conflict: 400,
  cancelled: 499,
};

const EXCEPTION_OF_CLASS: ByClass<string> = {
  invalid_request: "ValidationException",
  context_length: "ValidationException",
  request_too_large: "ValidationException",
  unsupported: "ValidationException",
  not_found: "ResourceNotFoundException",
  model_not_found: "ValidationException",
  auth: "UnrecognizedClientException",
  permission: "AccessDeniedException",
  rate_limit: "ThrottlingException",
  quota: "ServiceQuotaExceededException",
  overloaded: "ServiceUnavailableException",
  server: "InternalServerException",
  bad_upstream: "ModelErrorException",
  timeout: "ModelTimeoutException",
  content_filter: "ValidationException",
  conflict: "ConflictException",
  cancelled: "ValidationException",
};
