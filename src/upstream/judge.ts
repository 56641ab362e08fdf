import { type ErrorMeaning, meaningOf } from "../core/error-rule.ts";
import type { Fault } from "../core/fault.ts";
import type { Lane } from "../core/pool.ts";
import type { Placement } from "../core/privacy.ts";
import type { Chunk, Ms } from "../core/units.ts";
import type { Dialect, StreamTap } from "../protocol/dialect.ts";
import { errorWords, eventWords } from "../protocol/error-words.ts";
import type { ErrorClass, WireError } from "../protocol/wire-error.ts";
import { readRetryAfter } from "../wire/retry-after.ts";

/** Whose fault an error of an upstream is, and what its host's rules said of it, if anything. */
export interface Judgement {
  readonly fault: Fault;
  readonly meaning: ErrorMeaning | undefined;
}

export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Chunk;
}

/** Request Timeout, Conflict, Too Early: RFC 9110 §15.5.9, §15.5.10; RFC 8470. */
const ASKS_AGAIN: ReadonlySet<number> = new Set([408, 409, 425]);

/** The host's rules first, then what its protocol says, then the status: features.md b.1.4. */
export function judge(lane: Lane<Placement>, wire: Dialect, answer: ErrorAnswer): Judgement {
  const { status, headers, body } = answer;
  const { errorRules } = lane.backend;
  const meaning =
    errorRules.length === 0 ? undefined : meaningOf(errorRules, errorWords(status, headers, body));
  if (meaning === undefined) {
    const fault = wire.readFault(status, headers, body);
    return { fault: faultTold(fault, status), meaning };
  }
  return { fault: faultMeant(meaning, readRetryAfter(headers)), meaning };
}

function faultTold(fault: Fault, status: number): Fault {
  if (fault.kind === "client_error" && ASKS_AGAIN.has(status)) return { kind: "not_now" };
  // An error inside a 200 that this protocol has no words for.
  return status < 300 && fault.kind === "protocol" ? { kind: "server_error" } : fault;
}

/** The same of the error that a stream told of; undefined while it has told of none. */
export function judgeEvent(lane: Lane<Placement>, tap: StreamTap): Fault | undefined {
  const { fault, faultEvent } = tap;
  const { errorRules } = lane.backend;
  if (fault === undefined || faultEvent === undefined || errorRules.length === 0) return fault;
  const meaning = meaningOf(errorRules, eventWords(faultEvent));
  return meaning === undefined ? fault : faultMeant(meaning, undefined);
}

/** An error as a rule has it: its class follows the rule's meaning. */
export function reworded(error: WireError, meaning: ErrorMeaning | undefined): WireError {
  switch (meaning) {
    case "context_length":
    case "content_filter":
      return { ...error, class: meaning };
    case "client_error":
      return CALLERS.has(error.class) ? error : { ...error, class: "invalid_request" };
    case "rate_limit":
    case "overloaded":
    case "server_error":
    case "timeout":
    case "auth":
    case "billing":
    case undefined:
      return error;
  }
}

const CALLERS: ReadonlySet<ErrorClass> = new Set([
  "invalid_request",
  "context_length",
  "request_too_large",
  "unsupported",
  "not_found",
  "model_not_found",
  "content_filter",
  "conflict",
]);

function faultMeant(meaning: ErrorMeaning, retryAfterMs: Ms | undefined): Fault {
  switch (meaning) {
    case "rate_limit":
      return { kind: "rate_limited", retryAfterMs };
    case "overloaded":
      return { kind: meaning, retryAfterMs };
    case "timeout":
      return { kind: meaning, phase: "first_event" };
    case "server_error":
    case "auth":
    case "billing":
    case "context_length":
    case "client_error":
      return { kind: meaning };
    case "content_filter":
      return { kind: "client_error" };
  }
}
