import type { Fault } from "../../core/fault.ts";
import type { Chunk, Ms } from "../../core/units.ts";
import { type Foreign, parseForeign } from "../../wire/foreign.ts";
import { readRetryAfter } from "../../wire/retry-after.ts";
import type { ErrorClass } from "../wire-error.ts";
import { NOTHING_SAID, readComplaint } from "./complaint.ts";
import { classOf, impliedStatus, isMarkup } from "./error-class.ts";

/** Whose fault an error answer is: protocols.md §6.3. */
export function readFault(status: number, headers: Headers, body: Chunk): Fault {
  const complaint = readComplaint(parseForeign(body));
  if (status < 400) {
    if (complaint !== undefined) return faultOf(classOf(complaint, impliedStatus(complaint)));
    return status >= 300 ? { kind: "redirect" } : { kind: "protocol", what: "status" };
  }
  if (status > 599) return { kind: "protocol", what: "status" };
  if (complaint === undefined && isMarkup(body) && !isPlainOfProxies(status)) {
    return { kind: "server_error" };
  }
  const retryAfterMs = mayAskToWait(status) ? readRetryAfter(headers) : undefined;
  return faultOf(classOf(complaint ?? NOTHING_SAID, status), retryAfterMs);
}

/** Whose fault an event is that is called an error or holds a failed response. */
export function faultOfEvent(event: Foreign | undefined): Fault {
  const complaint = readComplaint(event) ?? NOTHING_SAID;
  return faultOf(classOf(complaint, impliedStatus(complaint)));
}

/** A refusal of ours to serve a model is nobody's fault; a wrong key is the credential's. */
function faultOf(found: ErrorClass, retryAfterMs?: Ms): Fault {
  switch (found) {
    case "rate_limit":
      return { kind: "rate_limited", retryAfterMs };
    case "overloaded":
      return { kind: "overloaded", retryAfterMs };
    case "auth":
    case "permission":
      return { kind: "auth" };
    case "quota":
      return { kind: "billing" };
    case "context_length":
      return { kind: "context_length" };
    case "server":
    case "bad_upstream":
      return { kind: "server_error" };
    case "timeout":
      return { kind: "timeout", phase: "first_event" };
    case "invalid_request":
    case "request_too_large":
    case "unsupported":
    case "not_found":
    case "model_not_found":
    case "content_filter":
    case "conflict":
    case "cancelled":
      return { kind: "client_error" };
  }
}

/** `retry-after` stands on answers that are no refusals too, and means nothing there. */
function mayAskToWait(status: number): boolean {
  return status === 429 || status === 503 || status === 529;
}

/** Statuses that mean the same from a proxy in front of the host as from the host. */
function isPlainOfProxies(status: number): boolean {
  return status === 401 || status === 402 || status === 413 || mayAskToWait(status);
}
