import type { Fault } from "../../core/fault.ts";
import type { Chunk, Ms } from "../../core/units.ts";
import { type Foreign, foreignObject, foreignText, parseForeign } from "../../wire/foreign.ts";
import { readRetryAfter } from "../../wire/retry-after.ts";
import type { ErrorClass } from "../wire-error.ts";
import { type Complaint, complaintOfEnd, readComplaint } from "./complaint.ts";
import { CLASS_OF_CODE, MESSAGE_STARTS, QUOTA_WORDS } from "./fault-words.ts";
import { isFailure, kindOfWord } from "./stop.ts";

/** Whose fault an error answer is: code before message before status, protocols.md §6.3. */
export function readFault(status: number, headers: Headers, body: Chunk): Fault {
  if (status >= 300 && status < 400) return { kind: "redirect" };
  const root = parseForeign(body);
  const complaint = readComplaint(root);
  if (status < 400 || status > 599) {
    const inside = status < 400 ? faultOfEnd(foreignObject(root)) : undefined;
    return inside ?? { kind: "protocol", what: "status" };
  }
  if (complaint === undefined && isMarkup(body) && !isPlainOfProxies(status)) {
    return { kind: "server_error" };
  }
  const retryAfterMs = mayAskToWait(status) ? readRetryAfter(headers) : undefined;
  return faultOf(classify(complaint, status), { complaint, retryAfterMs });
}

/** Whose fault an event inside a stream is; undefined when it tells of none. */
export function faultOfEvent(event: Foreign): Fault | undefined {
  if (event["type"] === "message-end") return faultOfEnd(foreignObject(event["delta"]));
  // Every event of this wire has a type; a body of an error has none.
  return event["type"] === undefined && readComplaint(event) !== undefined
    ? faultOfNamedEvent(event)
    : undefined;
}

/** The same for an event that is called an error, whatever stands in it. */
export function faultOfNamedEvent(event: unknown): Fault {
  const complaint = readComplaint(event);
  return faultOf(classOfEvent(complaint), { complaint, retryAfterMs: undefined });
}

/** What kind of error an event tells of: it has no status, so its words are all there is. */
export function classOfEvent(complaint: Complaint | undefined): ErrorClass {
  return (complaint && classOfWords(complaint)) ?? "server";
}

/** What kind of error it is: protocols.md §6.2. */
export function classify(complaint: Complaint | undefined, status: number): ErrorClass {
  const said = complaint && classOfWords(complaint);
  // A broken backend may not pass for a caller's mistake: features.md b-R30.
  const isCredible = said !== "context_length" && said !== "invalid_request";
  if (said !== undefined && (isCredible || status < 500)) return said;
  return classOfStatus(status);
}

/** What kind of error an answer's end tells of; undefined where it tells of none. */
export function classOfEnd(delta: Foreign): ErrorClass | undefined {
  const word = foreignText(delta["finish_reason"]);
  if (word === undefined || !isFailure(word)) return undefined;
  const said = classOfWords(complaintOfEnd(delta));
  if (said !== undefined) return said;
  switch (kindOfWord(word)) {
    case "timeout":
      return "timeout";
    case "content_filter":
      return "content_filter";
    case "context_window":
      return "context_length";
  }
  return "server";
}

function faultOfEnd(delta: Foreign | undefined): Fault | undefined {
  const kind = delta && classOfEnd(delta);
  const complaint = delta && complaintOfEnd(delta);
  return kind && faultOf(kind, { complaint, retryAfterMs: undefined });
}

function classOfWords({ code, message }: Complaint): ErrorClass | undefined {
  const coded = code === undefined ? undefined : CLASS_OF_CODE.get(code);
  if (coded !== undefined) return coded;
  const text = message.toLowerCase();
  const begun = MESSAGE_STARTS.find(([start]) => text.startsWith(start));
  if (begun !== undefined) return begun[1];
  const isQuota = QUOTA_WORDS.some((words) => words.every((word) => text.includes(word)));
  if (isQuota) return "quota";
  return text.includes("too long") && /token|context|input/.test(text)
    ? "context_length"
    : undefined;
}

/** The vendor's document of errors; 498 is a word on its deny list, in a prompt or an answer. */
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
    case 409:
      return "conflict";
    case 413:
      return "request_too_large";
    case 424:
      return "bad_upstream";
    case 429:
      return "rate_limit";
    case 498:
      return "content_filter";
    case 499:
      return "cancelled";
    case 502:
      return "bad_upstream";
    case 503:
    case 529:
      return "overloaded";
  }
  return status < 500 ? "invalid_request" : "server";
}

interface Circumstances {
  readonly complaint: Complaint | undefined;
  readonly retryAfterMs: Ms | undefined;
}

function faultOf(kind: ErrorClass, { complaint, retryAfterMs }: Circumstances): Fault {
  switch (kind) {
    case "context_length":
      return { kind: "context_length" };
    case "auth":
    case "permission":
      return { kind: "auth" };
    case "quota":
      return { kind: "billing" };
    case "rate_limit":
      return { kind: "rate_limited", retryAfterMs };
    case "overloaded":
      return { kind: "overloaded", retryAfterMs };
    case "timeout":
      return { kind: "timeout", phase: "first_event" };
    case "server":
      return { kind: "server_error" };
    case "bad_upstream":
      // What a model makes of a prompt is no sign of its lane's health: protocols.md 6.3.
      return { kind: complaint?.code === undefined ? "server_error" : "client_error" };
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

/** Statuses that mean the same from a proxy in front of the host as from the host. */
function isPlainOfProxies(status: number): boolean {
  return status === 401 || status === 402 || status === 413 || mayAskToWait(status);
}

/** HTML or XML: something between us and the host has answered. */
function isMarkup(body: Chunk): boolean {
  const first = body.find((byte) => byte > 0x20 && byte !== 0xef && byte !== 0xbb && byte !== 0xbf);
  return first === 0x3c;
}
