import type { Ms } from "../../core/units.ts";
import { type Foreign, foreignList, foreignObject, foreignText } from "../../wire/foreign.ts";
import { retryAfterMs } from "../../wire/retry-after.ts";

/** What an upstream says is wrong: a `google.rpc.Status` under `error`, protocols.md §6.1. */
export interface Complaint {
  /** The HTTP status it names itself: the only one there is inside a 200. */
  readonly code: number | undefined;
  /** The canonical word, as `RESOURCE_EXHAUSTED`. */
  readonly status: string | undefined;
  /** Cut: a validation message may echo the whole prompt. */
  readonly message: string;
  /** `ErrorInfo` reasons. */
  readonly reasons: readonly string[];
  /** `RetryInfo`. */
  readonly retryAfterMs: Ms | undefined;
  /** `QuotaFailure`: the ids and metrics of what is used up. */
  readonly quotas: readonly string[];
  /** `BadRequest`: the first field it names. */
  readonly field: string | undefined;
}

const MESSAGE_LENGTH_MAX = 4096;
/** As protobuf's JSON has a Duration: `34.4s`. */
const DURATION = /^(\d{1,12}(?:\.\d{1,9})?)s$/;

/** The complaint in a body; undefined when it is not JSON or holds no error. */
export function readComplaint(body: unknown): Complaint | undefined {
  // A stream without `alt=sse` was to be an array, and so is its error.
  const root = foreignObject(Array.isArray(body) ? body[0] : body);
  const error = root?.["error"];
  if (typeof error === "string") return complaintOf({ ...root, message: error }); // Proxies.
  const nested = foreignObject(error);
  return nested === undefined ? undefined : complaintOf(nested);
}

function complaintOf(error: Foreign): Complaint {
  const details = objectsIn(error["details"]);
  const violations = details.flatMap((detail) => objectsIn(detail["violations"]));
  const fields = details.flatMap((detail) => objectsIn(detail["fieldViolations"]));
  return {
    code: statusIn(error["code"]),
    status: foreignText(error["status"]),
    message: (foreignText(error["message"]) ?? "").slice(0, MESSAGE_LENGTH_MAX),
    reasons: textsIn(details, "reason"),
    retryAfterMs: textsIn(details, "retryDelay").map(durationMs).find(isKnown),
    quotas: [...textsIn(violations, "quotaId"), ...textsIn(violations, "quotaMetric")],
    field: textsIn(fields, "field")[0],
  };
}

function objectsIn(value: unknown): Foreign[] {
  return foreignList(value).map(foreignObject).filter(isObject);
}

function textsIn(all: readonly Foreign[], name: string): string[] {
  return all.flatMap((each) => foreignText(each[name]) ?? []);
}

function durationMs(text: string): Ms | undefined {
  const seconds = DURATION.exec(text)?.[1];
  return seconds === undefined ? undefined : retryAfterMs(seconds, undefined);
}

function isObject(value: Foreign | undefined): value is Foreign {
  return value !== undefined;
}

function isKnown(ms: Ms | undefined): ms is Ms {
  return ms !== undefined;
}

function statusIn(value: unknown): number | undefined {
  const isStatus = typeof value === "number" && Number.isInteger(value);
  return isStatus && value >= 400 && value <= 599 ? value : undefined;
}
