import type { Delivery, Ending, Translated } from "../core/outcome.ts";
import type { Bytes, Chunk } from "../core/units.ts";
import type { MeteredUsage, Usage } from "../core/usage.ts";
import type { BrokenStream, StreamTap } from "../protocol/dialect.ts";
import { relay, type RelayOwner } from "../relay/relay.ts";
import { WebSink } from "../relay/web-sink.ts";
import { wireOf } from "../upstream/prepare.ts";
import type { Committed, StreamedAnswer, WholeAnswer } from "../upstream/committed.ts";
import { logBug } from "./log-bug.ts";
import { addOwnHeaders } from "./own-headers.ts";
import { settle, streamFailureOf, type Visit } from "./visit.ts";

/** Passes a committed answer on, and settles the request when the answer has ended. */
export function deliver(visit: Visit, committed: Committed, client: AbortSignal): Response {
  switch (committed.kind) {
    case "whole":
      return deliverWhole(visit, committed);
    case "stream":
      return new StreamDelivery(visit, committed).respond(client.aborted);
  }
}

function deliverWhole(visit: Visit, answer: WholeAnswer): Response {
  const { body, status, headers, refusal, usage } = answer;
  const delivery = deliveryOf(visit, answer, {
    byteCount: body.byteLength,
    usage: metered(visit, { usage, textBytes: body.byteLength }),
  });
  if (refusal !== undefined) settle(visit, { kind: "relayed_error", fault: refusal, delivery });
  else settle(visit, { kind: "answered", ending: { kind: "completed" }, delivery });
  return new Response(body, { status, headers: addOwnHeaders(headers, visit, answer) });
}

/** A stream on its way to the client: answers what the relay asks, settles when it ends. */
class StreamDelivery implements RelayOwner {
  readonly #visit: Visit;
  readonly #answer: StreamedAnswer;

  constructor(visit: Visit, answer: StreamedAnswer) {
    this.#visit = visit;
    this.#answer = answer;
  }

  respond(clientGone: boolean): Response {
    const { config, runtime } = this.#visit.gateway;
    const { lane, status, headers } = this.#answer;
    const { stallMs, totalMs } = lane.backend.deadlines;
    const { heartbeat, brokenEnd } = this.#visit.dialect;
    const sink = new WebSink();
    const relaying = relay(this.#answer, sink, {
      clock: runtime.clock,
      stallMs,
      totalMs,
      heartbeatMs: heartbeat.byteLength === 0 ? 0 : config.relay.heartbeatMs,
      clientStallMs: config.relay.clientStallMs,
      streamFailure: streamFailureOf(this.#visit),
      heartbeat,
      brokenEnd,
      owner: this,
    });
    sink.onGone(() => relaying.leave());
    if (clientGone) relaying.leave();
    headers["cache-control"] = "no-cache"; // A proxy must neither keep nor gather events.
    headers["x-accel-buffering"] = "no";
    addOwnHeaders(headers, this.#visit, this.#answer);
    return new Response(sink.body, { status, headers });
  }

  writeError(broken: Pick<BrokenStream, "mode" | "why" | "atBoundary">): Chunk {
    const { dialect, id: requestId } = this.#visit;
    const { tap, edit } = this.#answer;
    const whole = { ...broken, requestId, id: tap?.id, model: tap?.model };
    return edit?.fail?.(whole) ?? dialect.writeStreamError(whole);
  }

  bug(error: unknown): void {
    logBug(this.#visit.gateway.runtime.log, error);
  }

  done(ending: Ending, byteCount: Bytes): void {
    const usage = metered(this.#visit, readTap(this.#answer.tap, byteCount));
    const delivery = deliveryOf(this.#visit, this.#answer, { byteCount, usage });
    settle(this.#visit, { kind: "answered", ending, delivery });
  }
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
    translated: translatedOf(visit, answer),
  };
}

function translatedOf(
  { dialect }: Visit,
  { lane, translation }: Committed,
): Translated | undefined {
  if (translation === undefined) return undefined;
  const losses = [...new Set(translation.losses.map(({ code }) => code))];
  return { from: dialect.id, to: wireOf(lane, dialect.id), losses };
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
