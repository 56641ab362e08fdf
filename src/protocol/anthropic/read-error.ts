import type { Chunk } from "../../core/units.ts";
import { parseForeign } from "../../wire/foreign.ts";
import { readRetryAfter } from "../../wire/retry-after.ts";
import type { ErrorClass, TokenLimits, WireError } from "../wire-error.ts";
import { type Complaint, readComplaint } from "./complaint.ts";
import type { SaidKind } from "./fault-words.ts";
import { impliedStatus, mayAskToWait, saidKind } from "./fault.ts";
import { scrub } from "./scrub.ts";

const NO_WORDS = "The model failed to answer. Please try again later.";
const TOO_LONG = /(\d{1,12}) tokens > (\d{1,12}) maximum/;
const TOO_LONG_TOGETHER = /context limit: (\d{1,12}) \+ (\d{1,12}) > (\d{1,12})/;

/** What an error answer says, to be spelled in another protocol: protocols.md 6.1, 6.3. */
export function readError(status: number, headers: Headers, body: Chunk): WireError {
  const complaint = readComplaint(parseForeign(body));
  const error = errorOf(complaint, status < 400 ? undefined : status);
  if (!mayAskToWait(status)) return error;
  return { ...error, retryAfterMs: readRetryAfter(headers) };
}

/** The same for an error event inside a stream, whatever stands in it. */
export function errorOfEvent(event: unknown): WireError {
  return errorOf(readComplaint(event), undefined);
}

function errorOf(complaint: Complaint | undefined, said: number | undefined): WireError {
  const status = said ?? (complaint === undefined ? 502 : (statusOfType(complaint) ?? 500));
  const message = complaint?.message;
  const kind = classOf(complaint, status);
  return {
    class: kind,
    status,
    message: message === undefined ? NO_WORDS : scrub(message),
    code: complaint?.errorCode ?? CODES[kind],
    tokens: kind === "context_length" ? tokensIn(message ?? "") : undefined,
    limit: kind === "rate_limit" ? limitIn(message ?? "") : undefined,
  };
}

function statusOfType(complaint: Complaint): number | undefined {
  const kind = complaint.type === undefined ? undefined : STATUS_OF_CLASS.get(complaint.type);
  return kind ?? impliedStatus(complaint);
}

function classOf(complaint: Complaint | undefined, status: number): ErrorClass {
  const said = complaint && saidKind(complaint, status);
  switch (said) {
    case "auth":
      return complaint?.type === "permission_error" ? "permission" : "auth";
    case "rate_limited":
    case "overloaded":
    case "billing":
    case "context_length":
    case "client_error":
      return CLASSES[said];
    case undefined:
      return classOfStatus(status, complaint?.message ?? "");
  }
}

function classOfStatus(status: number, message: string): ErrorClass {
  switch (status) {
    case 401:
      return "auth";
    case 402:
      return "quota";
    case 403:
      return "permission";
    case 404:
      return message.startsWith("model:") ? "model_not_found" : "not_found";
    case 409:
      return "conflict";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit";
    case 499:
      return "cancelled";
    case 500:
      return "server";
    case 503:
    case 529:
      return "overloaded";
    case 504:
      return "timeout";
  }
  return status >= 400 && status < 500 ? "invalid_request" : "bad_upstream";
}

function tokensIn(message: string): TokenLimits | undefined {
  const alone = TOO_LONG.exec(message);
  if (alone !== null) return { requested: Number(alone[1]), max: Number(alone[2]) };
  const both = TOO_LONG_TOGETHER.exec(message);
  if (both === null) return undefined;
  return { requested: Number(both[1]) + Number(both[2]), max: Number(both[3]) };
}

/** "… of 20,000 input tokens per minute", as recorded. */
function limitIn(message: string): "requests" | "tokens" {
  return /tokens per minute/i.test(message) ? "tokens" : "requests";
}

const CLASSES: Readonly<Record<Exclude<SaidKind, "auth">, ErrorClass>> = {
  rate_limited: "rate_limit",
  overloaded: "overloaded",
  billing: "quota",
  context_length: "context_length",
  client_error: "invalid_request",
};

/** Statuses that an event's type implies beyond those that decide a fault. */
const STATUS_OF_CLASS: ReadonlyMap<string, number> = new Map([
  ["authentication_error", 401],
  ["billing_error", 402],
  ["permission_error", 403],
  ["rate_limit_error", 429],
  ["api_error", 500],
  ["overloaded_error", 529],
]);

/** Words for programs, as OpenAI has them: this wire mostly has none of its own. */
const CODES: { readonly [C in ErrorClass]?: string } = {
  context_length: "context_length_exceeded",
  request_too_large: "request_too_large",
  model_not_found: "model_not_found",
  auth: "invalid_api_key",
  rate_limit: "rate_limit_exceeded",
  quota: "insufficient_quota",
  overloaded: "overloaded",
  timeout: "timeout",
};
