import type { Delivery, Ending } from "../core/outcome.ts";
import type { Bytes } from "../core/units.ts";
import type { MeteredUsage, Usage } from "../core/usage.ts";
import type { StreamTap } from "../protocol/dialect.ts";
import { type Leave, relay } from "../relay/relay.ts";
import { webSink } from "../relay/web-sink.ts";
import type { Committed, StreamedAnswer, WholeAnswer } from "../upstream/committed.ts";
import { addOwnHeaders } from "./own-headers.ts";
import { settle, streamFailureOf, type Visit } from "./visit.ts";

/** Passes a committed answer on, and settles the request when the answer has ended. */
export function deliver(visit: Visit, committed: Committed): Response {
  switch (committed.kind) {
    case "whole":
      return deliverWhole(visit, committed);
    case "stream":
      return deliverStream(visit, committed);
  }
}

function deliverWhole(visit: Visit, answer: WholeAnswer): Response {
  const { body, status, headers, refusal } = answer;
  const delivery = deliveryOf(visit, answer, {
    byteCount: body.byteLength,
    usage: metered(visit, { usage: visit.dialect.readUsage(body), textBytes: body.byteLength }),
  });
  if (refusal !== undefined) settle(visit, { kind: "relayed_error", fault: refusal, delivery });
  else settle(visit, { kind: "answered", ending: { kind: "completed" }, delivery });
  return new Response(body, { status, headers: addOwnHeaders(headers, visit, answer) });
}

function deliverStream(visit: Visit, answer: StreamedAnswer): Response {
  const { config, runtime } = visit.gateway;
  const { deadlines } = answer.lane.backend;
  const { dialect, id } = visit;
  let relaying: Leave | undefined;
  const { sink, body } = webSink(() => relaying?.leave());
  relaying = relay(answer, sink, {
    clock: runtime.clock,
    stallMs: deadlines.stallMs,
    totalMs: deadlines.totalMs,
    heartbeatMs: config.relay.heartbeatMs,
    clientStallMs: config.relay.clientStallMs,
    streamFailure: streamFailureOf(visit),
    heartbeat: dialect.heartbeat,
    writeError: (broken) =>
      dialect.writeStreamError({
        ...broken,
        requestId: id,
        id: answer.tap?.id,
        model: answer.tap?.model,
      }),
    done: (ending, byteCount) => settleStream(visit, answer, { ending, byteCount }),
  });
  if (visit.http.signal.aborted) relaying.leave();
  const { status, headers } = answer;
  headers["cache-control"] = "no-cache"; // A proxy in between must neither keep nor gather events.
  headers["x-accel-buffering"] = "no";
  return new Response(body, { status, headers: addOwnHeaders(headers, visit, answer) });
}

function settleStream(
  visit: Visit,
  answer: StreamedAnswer,
  { ending, byteCount }: { readonly ending: Ending; readonly byteCount: Bytes },
): void {
  const usage = metered(visit, readTap(answer.tap, byteCount));
  const delivery = deliveryOf(visit, answer, { byteCount, usage });
  settle(visit, { kind: "answered", ending, delivery });
}

function deliveryOf(
  visit: Visit,
  answer: Committed,
  rest: Pick<Delivery, "byteCount" | "usage">,
): Delivery {
  return {
    ...rest,
    lane: answer.lane,
    status: answer.status,
    firstEventMs: answer.firstEventAt - visit.startedAt,
    attempts: answer.attempts,
  };
}

interface Seen {
  readonly usage: Usage | undefined;
  /** Bytes of generated text, to estimate by when the provider reports nothing. */
  readonly textBytes: Bytes;
}

function readTap(tap: StreamTap | undefined, byteCount: Bytes): Seen {
  if (tap === undefined) return { usage: undefined, textBytes: byteCount };
  return { usage: tap.usage, textBytes: tap.textBytes };
}

/** English text runs at about four bytes a token: OpenAI's own rule of thumb. */
const BYTES_PER_TOKEN = 4;

/** The provider's own count where there is one; else an estimate that says it is one. */
function metered(visit: Visit, { usage, textBytes }: Seen): MeteredUsage {
  if (usage !== undefined) return { ...usage, provenance: "reported" };
  return {
    inputTokens: Math.ceil(visit.bodyBytes / BYTES_PER_TOKEN),
    outputTokens: Math.ceil(textBytes / BYTES_PER_TOKEN),
    cacheReadTokens: 0,
    reasoningTokens: 0,
    provenance: "estimated",
  };
}
