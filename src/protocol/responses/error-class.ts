import type { Chunk } from "../../core/units.ts";
import type { ErrorClass } from "../wire-error.ts";
import type { Complaint } from "./complaint.ts";
import { CLASS_OF_CODE, CONTEXT_WORDS, MESSAGE_STARTS, STATUS_OF_TYPE } from "./fault-words.ts";

/** What an error is: code before message before status, protocols.md §6.3. */
export function classOf(complaint: Complaint, status: number): ErrorClass {
  if (complaint.flagged && status < 500) return "content_filter";
  if (complaint.messages.some((message) => message.startsWith(MESSAGE_STARTS[0]![0]))) {
    if (status < 500) return "request_too_large";
  }
  for (const code of complaint.codes) {
    const found = CLASS_OF_CODE.get(code);
    if (found !== undefined && isCredible(found, status)) return found;
  }
  for (const message of complaint.messages) {
    const found = classOfMessage(message, status);
    if (found !== undefined) return found;
  }
  return classOfStatus(status);
}

/** The status of an error inside a 200: it names one, or its type implies one, or it is 500. */
export function impliedStatus(complaint: Complaint): number {
  return complaint.status ?? complaint.codes.map(statusOfCode).find(Boolean) ?? 500;
}

/** HTML or XML: something between us and the host has answered. */
export function isMarkup(body: Chunk): boolean {
  const first = body.find((byte) => byte > 0x20 && byte !== 0xef && byte !== 0xbb && byte !== 0xbf);
  return first === 0x3c;
}

function statusOfCode(code: string): number | undefined {
  switch (CLASS_OF_CODE.get(code)) {
    case "context_length":
    case "content_filter":
    case "model_not_found":
      return 400;
    default:
      return STATUS_OF_TYPE.get(code);
  }
}

/** A broken backend may not pass for a caller's mistake: features.md b-R30. */
function isCredible(found: ErrorClass, status: number): boolean {
  if (found === "context_length") return status === 400 || status === 413;
  return status < 500 || !CALLERS.has(found);
}
const CALLERS: ReadonlySet<ErrorClass> = new Set([
  "content_filter",
  "model_not_found",
  "request_too_large",
]);

function classOfMessage(message: string, status: number): ErrorClass | undefined {
  const begun = MESSAGE_STARTS.find(([start]) => message.startsWith(start));
  if (begun !== undefined && isCredible(begun[1], status)) return begun[1];
  if (isCredible("context_length", status)) {
    const fits = CONTEXT_WORDS.some((words) => words.every((word) => message.includes(word)));
    return fits ? "context_length" : undefined;
  }
  const mayBeOverload = status === 429 || status >= 500;
  return mayBeOverload && message.includes("overloaded") ? "overloaded" : undefined;
}

function classOfStatus(status: number): ErrorClass {
  return CLASS_OF_STATUS[status] ?? (status < 500 ? "invalid_request" : "server");
}

const CLASS_OF_STATUS: Readonly<Record<number, ErrorClass>> = {
  401: "auth",
  402: "quota",
  403: "permission",
  404: "not_found",
  408: "timeout",
  409: "conflict",
  413: "request_too_large",
  424: "bad_upstream",
  429: "rate_limit",
  498: "overloaded",
  499: "cancelled",
  502: "bad_upstream",
  503: "overloaded",
  504: "timeout",
  529: "overloaded",
};
