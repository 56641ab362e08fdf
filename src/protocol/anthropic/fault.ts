import type { Fault } from "../../core/fault.ts";
import type { Chunk, Ms } from "../../core/units.ts";
import { type Foreign, parseForeign } from "../../wire/foreign.ts";
import { readRetryAfter } from "../../wire/retry-after.ts";
import { type Complaint, readComplaint } from "./complaint.ts";
import {
  CONTEXT_WORDS,
  KIND_OF_CODE,
  MESSAGE_STARTS,
  type SaidKind,
  STATUS_OF_TYPE,
} from "./fault-words.ts";

const NOTHING_SAID: Complaint = { errorCode: undefined, type: undefined, message: undefined };

/** Whose fault an error answer is: code before message before status, protocols.md §6.3. */
export function readFault(status: number, headers: Headers, body: Chunk): Fault {
  const complaint = readComplaint(parseForeign(body));
  if (status < 400) {
    return complaint === undefined ? faultOfStatus(status, undefined) : faultInside(complaint);
  }
  const retryAfterMs = mayAskToWait(status) ? readRetryAfter(headers) : undefined;
  if (complaint === undefined && isMarkup(body) && !isPlainOfProxies(status)) {
    return { kind: "server_error" };
  }
  return classify(complaint ?? NOTHING_SAID, { status, retryAfterMs });
}

/** Whose fault an error event inside a stream is; undefined when the event is none. */
export function faultOfEvent(event: Foreign): Fault | undefined {
  const isError = event["type"] === "error" || Boolean(event["error"]);
  return isError ? faultOfNamedEvent(event) : undefined;
}

/** The same for an event that is called an error, whatever stands in it. */
export function faultOfNamedEvent(event: unknown): Fault {
  return faultInside(readComplaint(event) ?? NOTHING_SAID);
}

/** The status an error inside a 200 would have had: its type's, or the host is at fault. */
export function impliedStatus({ type = "" }: Complaint): number {
  return STATUS_OF_TYPE.get(type) ?? 500;
}

/** What the words of a complaint say, as far as the status lets one believe them. */
export function saidKind(complaint: Complaint, status: number): SaidKind | undefined {
  for (const code of [complaint.errorCode, complaint.type]) {
    const kind = code === undefined ? undefined : KIND_OF_CODE.get(code);
    if (kind !== undefined) return kind;
  }
  const message = complaint.message?.toLowerCase();
  return message === undefined ? undefined : kindOfMessage(message, status);
}

function faultInside(complaint: Complaint): Fault {
  return classify(complaint, { status: impliedStatus(complaint), retryAfterMs: undefined });
}

interface Circumstances {
  readonly status: number;
  readonly retryAfterMs: Ms | undefined;
}

function classify(complaint: Complaint, { status, retryAfterMs }: Circumstances): Fault {
  const kind = saidKind(complaint, status);
  return kind === undefined ? faultOfStatus(status, retryAfterMs) : faultOfKind(kind, retryAfterMs);
}

function kindOfMessage(message: string, status: number): SaidKind | undefined {
  const begun = MESSAGE_STARTS.find(([start]) => message.startsWith(start));
  if (begun !== undefined) return begun[1];
  // A broken backend may not pass for a caller's mistake: features.md b-R30.
  if (status === 400 || status === 413) {
    return CONTEXT_WORDS.some((words) => message.includes(words)) ? "context_length" : undefined;
  }
  const mayBeOverload = status === 429 || status >= 500;
  return mayBeOverload && message.includes("overloaded") ? "overloaded" : undefined;
}

function faultOfKind(kind: SaidKind, retryAfterMs: Ms | undefined): Fault {
  switch (kind) {
    case "rate_limited":
    case "overloaded":
      return { kind, retryAfterMs };
    case "auth":
    case "billing":
    case "context_length":
    case "client_error":
      return { kind };
  }
}

/** features.md b.1.4; reliability.md §3.3 rows 14–22. Row 19 is the caller's: nobody is blamed. */
function faultOfStatus(status: number, retryAfterMs: Ms | undefined): Fault {
  if (status >= 300 && status < 400) return { kind: "redirect" };
  if (status < 400 || status > 599) return { kind: "protocol", what: "status" };
  switch (status) {
    case 401:
    case 403:
      return { kind: "auth" };
    case 402:
      return { kind: "billing" };
    case 424:
      return { kind: "server_error" };
    case 429:
      return { kind: "rate_limited", retryAfterMs };
    case 503:
    case 529:
      return { kind: "overloaded", retryAfterMs };
    case 504:
      return { kind: "timeout", phase: "first_event" };
  }
  return { kind: status < 500 ? "client_error" : "server_error" };
}

/** Anthropic sends `retry-after` on a 200 too: it means nothing there. */
export function mayAskToWait(status: number): boolean {
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
