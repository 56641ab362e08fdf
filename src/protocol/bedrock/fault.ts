import type { Fault } from "../../core/fault.ts";
import type { Chunk, Ms } from "../../core/units.ts";
import { foreignObject, parseForeign } from "../../wire/foreign.ts";
import { readRetryAfter } from "../../wire/retry-after.ts";
import type { ErrorClass } from "../wire-error.ts";
import { type Complaint, complaintOf, readComplaint } from "./complaint.ts";
import {
  CLASS_OF_NAME,
  CONTEXT_WORDS,
  DAILY_WORDS,
  HOST_PREFIX,
  MESSAGE_STARTS,
  MODEL_WORDS,
} from "./fault-words.ts";

/** Whose fault an error answer is: name before message before status, protocols.md §6.3. */
export function readFault(status: number, headers: Headers, body: Chunk): Fault {
  if (status >= 300 && status < 400) return { kind: "redirect" };
  if (status < 400 || status > 599) return { kind: "protocol", what: "status" };
  const complaint = readComplaint(headers.get("x-amzn-errortype"), parseForeign(body));
  const retryAfterMs = mayAskToWait(status) ? readRetryAfter(headers) : undefined;
  if (complaint.name === "" && complaint.message === "" && isMarkup(body)) {
    // Something between us and Bedrock has answered; only a few statuses mean the same from it.
    return faultOf(isPlainOfProxies(status) ? classOfStatus(status) : "server", retryAfterMs);
  }
  return faultOf(classOf(complaint, status), retryAfterMs);
}

/** Whose fault an exception or error frame inside a stream is. */
export function faultOfException(name: string, payload: unknown): Fault {
  return faultOf(classOfException(complaintOf(name, foreignObject(payload) ?? {})), undefined);
}

/** What an error answer is about. */
export function classOf(complaint: Complaint, status: number): ErrorClass {
  const named = CLASS_OF_NAME.get(complaint.name);
  const said = named ?? classOfMessage(complaint.message) ?? classOfStatus(status);
  // A broken backend may not pass for a caller's mistake: features.md b-R30.
  if (status >= 500 && BLAMES_CALLER.has(said)) return classOfStatus(status);
  if (status === 413) return "request_too_large";
  return refined(said, complaint);
}

/** The same of an exception frame, which has no status of its own. */
export function classOfException(complaint: Complaint): ErrorClass {
  const said = CLASS_OF_NAME.get(complaint.name) ?? "server";
  const { originalStatus } = complaint;
  if (said !== "bad_upstream" || originalStatus === undefined) return refined(said, complaint);
  return originalStatus === 429 || originalStatus === 503 || originalStatus === 529
    ? "overloaded"
    : said;
}

const BLAMES_CALLER: ReadonlySet<ErrorClass> = new Set<ErrorClass>([
  "invalid_request",
  "context_length",
  "model_not_found",
  "not_found",
  "conflict",
]);

/** What only the words of a message tell of a class. */
function refined(said: ErrorClass, { message }: Complaint): ErrorClass {
  const words = message.toLowerCase();
  if (said === "rate_limit") return words.includes(DAILY_WORDS) ? "quota" : said;
  if (said !== "invalid_request") return said;
  if (CONTEXT_WORDS.some((parts) => parts.every((part) => words.includes(part)))) {
    return "context_length";
  }
  return MODEL_WORDS.some((start) => words.startsWith(start)) ? "model_not_found" : said;
}

function classOfMessage(message: string): ErrorClass | undefined {
  const words = message.toLowerCase();
  const own = words.startsWith(HOST_PREFIX) ? words.slice(HOST_PREFIX.length) : words;
  return MESSAGE_STARTS.find(([start]) => own.startsWith(start))?.[1];
}

function classOfStatus(status: number): ErrorClass {
  switch (status) {
    case 401:
      return "auth";
    case 402:
      return "quota";
    case 403:
      return "permission";
    case 404:
      return "model_not_found";
    case 408:
    case 504:
      return "timeout";
    case 413:
      return "request_too_large";
    case 424:
      return "bad_upstream";
    case 429:
      return "rate_limit";
    case 503:
    case 529:
      return "overloaded";
  }
  return status < 500 ? "invalid_request" : "server";
}

function faultOf(said: ErrorClass, retryAfterMs: Ms | undefined): Fault {
  switch (said) {
    case "rate_limit":
      return { kind: "rate_limited", retryAfterMs };
    case "overloaded":
      return { kind: "overloaded", retryAfterMs };
    case "server":
    case "bad_upstream":
      return { kind: "server_error" };
    case "timeout":
      return { kind: "timeout", phase: "first_event" };
    case "auth":
    case "permission":
      return { kind: "auth" };
    case "quota":
      return { kind: "billing" };
    case "context_length":
      return { kind: "context_length" };
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

function mayAskToWait(status: number): boolean {
  return status === 429 || status === 503 || status === 529;
}

function isPlainOfProxies(status: number): boolean {
  return status === 401 || status === 402 || status === 413 || mayAskToWait(status);
}

/** HTML or XML. */
function isMarkup(body: Chunk): boolean {
  const first = body.find((byte) => byte > 0x20 && byte !== 0xef && byte !== 0xbb && byte !== 0xbf);
  return first === 0x3c;
}
