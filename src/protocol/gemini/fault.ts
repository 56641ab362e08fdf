import type { Fault } from "../../core/fault.ts";
import type { Chunk, Ms } from "../../core/units.ts";
import { type Foreign, parseForeign } from "../../wire/foreign.ts";
import { readRetryAfter } from "../../wire/retry-after.ts";
import { type Complaint, readComplaint } from "./complaint.ts";
import {
  CONTEXT_WORDS,
  DAILY_QUOTA,
  KIND_OF_REASON,
  MESSAGE_STARTS,
  type SaidKind,
} from "./fault-words.ts";

/** Whose fault an error answer is: reason before message before status, protocols.md §6.3. */
export function readFault(status: number, headers: Headers, body: Chunk): Fault {
  const complaint = readComplaint(parseForeign(body));
  if (status < 400) {
    return complaint === undefined ? faultOfStatus(status, undefined) : faultInside(complaint);
  }
  if (complaint === undefined) {
    const isProxys = isMarkup(body) && !isPlainOfProxies(status);
    return isProxys ? { kind: "server_error" } : faultOfStatus(status, readRetryAfter(headers));
  }
  const retryAfterMs = complaint.retryAfterMs ?? readRetryAfter(headers);
  return classify(complaint, { status, retryAfterMs });
}

/** Whose fault an error chunk inside a stream is; undefined when the chunk is none. */
export function faultOfEvent(chunk: Foreign): Fault | undefined {
  if (!Boolean(chunk["error"])) return undefined;
  const complaint = readComplaint(chunk);
  return complaint === undefined ? { kind: "server_error" } : faultInside(complaint);
}

/** An error inside a 200 names its own status, or the host is at fault. */
function faultInside(complaint: Complaint): Fault {
  const { code = 500, retryAfterMs } = complaint;
  return classify(complaint, { status: code, retryAfterMs });
}

interface Circumstances {
  readonly status: number;
  readonly retryAfterMs: Ms | undefined;
}

function classify(complaint: Complaint, { status, retryAfterMs }: Circumstances): Fault {
  const kind = saidKind(complaint, status);
  switch (kind) {
    case "auth":
    case "billing":
    case "context_length":
      return { kind };
    case "region":
      return { kind: "server_error" }; // The lane cannot serve from here; another may.
    case undefined:
      break;
  }
  // The message blames "your current quota" for a minute's limit too: only the id tells.
  if (status === 429 && isDaily(complaint)) return { kind: "billing" };
  if (status === 403 && complaint.status === "PERMISSION_DENIED") return { kind: "client_error" };
  return faultOfStatus(status, retryAfterMs);
}

/** What the reasons say, else the message; a broken backend may not pass for a caller's mistake. */
export function saidKind({ reasons, message }: Complaint, status: number): SaidKind | undefined {
  for (const reason of reasons) {
    const kind = KIND_OF_REASON.get(reason);
    if (kind !== undefined) return kind;
  }
  const lower = message.toLowerCase();
  const begun = MESSAGE_STARTS.find(([start]) => lower.startsWith(start));
  if (begun !== undefined) return begun[1];
  if (status !== 400 && status !== 413) return undefined; // features.md b-R30.
  const fits = CONTEXT_WORDS.some((words) => words.every((word) => lower.includes(word)));
  return fits ? "context_length" : undefined;
}

/** Whether what is used up comes back only with the next day. */
export function isDaily({ quotas }: Complaint): boolean {
  return quotas.some((quota) => quota.includes(DAILY_QUOTA));
}

/** features.md b.1.4; reliability.md §3.3. */
function faultOfStatus(status: number, retryAfterMs: Ms | undefined): Fault {
  if (status >= 300 && status < 400) return { kind: "redirect" };
  if (status < 400 || status > 599) return { kind: "protocol", what: "status" };
  switch (status) {
    case 401:
    case 403:
      return { kind: "auth" };
    case 402:
      return { kind: "billing" };
    case 429:
      return { kind: "rate_limited", retryAfterMs };
    case 499: // CANCELLED, though we did not.
      return { kind: "server_error" };
    case 503:
    case 529:
      return { kind: "overloaded", retryAfterMs };
    case 504:
      return { kind: "timeout", phase: "first_event" };
  }
  return { kind: status < 500 ? "client_error" : "server_error" };
}

/** Statuses that mean the same from a proxy in front of the host as from the host. */
function isPlainOfProxies(status: number): boolean {
  return [401, 402, 413, 429, 503, 529].includes(status);
}

/** HTML or XML: something between us and the host has answered. */
function isMarkup(body: Chunk): boolean {
  const first = body.find((byte) => byte > 0x20 && byte !== 0xef && byte !== 0xbb && byte !== 0xbf);
  return first === 0x3c;
}
