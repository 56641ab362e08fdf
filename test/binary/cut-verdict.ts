import { APIError } from "openai";
import { eventEnds } from "../faultd/pieces.ts";
import type { CutKind } from "../faultd/script.ts";

const BLANK_LINE = Buffer.from("\n\n");

/** What the SDK made of one cut stream. */
export interface Seen {
  readonly chunks: readonly object[];
  readonly error: unknown;
}

export interface StreamCut {
  readonly body: Uint8Array;
  readonly at: number;
  readonly how: CutKind;
  /** What the SDK makes of the stream when it is whole. */
  readonly full: readonly object[];
}

/** How many whole events with data stand in the first `at` bytes: so many chunks the SDK has. */
export function eventsBefore(body: Uint8Array, at: number): number {
  let from = 0;
  let count = 0;
  for (const end of eventEnds(body)) {
    if (end > at) break;
    if (/^data:/m.test(Buffer.from(body.subarray(from, end)).toString())) count += 1;
    from = end;
  }
  return count;
}

/** What is wrong with how a cut stream ended for the SDK; undefined when nothing is. */
export function streamVerdict({ chunks, error }: Seen, cut: StreamCut): string | undefined {
  const { body, at, how, full } = cut;
  if (error === undefined) return `a quiet success with ${chunks.length} chunks`;
  const before = eventsBefore(body, at);
  if (before === 0) return heldVerdict(error, how);
  // An event that lacks no more than its blank line gets one from the error behind it.
  const most = eventsBefore(Buffer.concat([body.subarray(0, at), BLANK_LINE]), at + 2);
  const { length } = chunks;
  if (length < before || length > most) return `${length} chunks, not the ${before} that came`;
  if (!Bun.deepEquals(chunks, full.slice(0, length))) return "chunks other than those that came";
  // Inside an event the SDK may stumble over the half one before it sees the error behind it.
  if (!eventEnds(body).includes(at) || how === "garbage") return undefined;
  const code = error instanceof APIError ? error.code : undefined;
  const due = how === "stall" ? "stream_timeout" : "stream_truncated";
  return code === due ? undefined : `between two events: ${error} with code ${code}`;
}

/** Before the first event nothing is committed: a plain error status, or an unfinished event. */
function heldVerdict(error: unknown, how: CutKind): string | undefined {
  const status = error instanceof APIError ? error.status : undefined;
  const due = how === "stall" ? 504 : 502;
  return status === due ? undefined : `before the first event: ${error} with status ${status}`;
}

/** What is wrong with the answer to a buffered request whose upstream was cut. */
export function bufferedVerdict(
  seen: { readonly status: number; readonly bytes: Buffer },
  { response, how }: { readonly response: Uint8Array; readonly how: CutKind },
): string | undefined {
  const text = seen.bytes.toString();
  // White space behind a whole JSON text may be missing: nothing of the answer is.
  const isWhole = Buffer.from(response).toString().trimEnd() === text.trimEnd();
  if (seen.status === 200) return isWhole ? undefined : `200 with ${text.length} bytes`;
  const { error } = JSON.parse(text) as { error?: { code?: string } };
  const due = how === "stall" ? 504 : 502;
  return seen.status === due && error?.code ? undefined : `${seen.status} ${text}`;
}
