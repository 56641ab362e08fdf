import type { Delivery, Ending, Stopped, Translated } from "../core/outcome.ts";
import type { Bytes, Chunk } from "../core/units.ts";
import type { MeteredUsage, Usage } from "../core/usage.ts";
import type { BrokenStream, StreamTap } from "../protocol/dialect.ts";
import { relay, type RelayOwner } from "../relay/relay.ts";
import { WebSink } from "../relay/web-sink.ts";
import { wireOf } from "../upstream/prepare.ts";
import type { Committed, Guess, StreamedAnswer, WholeAnswer } from "../upstream/committed.ts";
import { logBug } from "./log-bug.ts";
import { addOwnHeaders } from "./own-headers.ts";
import { noteLane } from "./fact.ts";
import { budgetRule } from "./stream-rules.ts";
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
  const { body, status, headers, refusal, usage, guess } = answer;
  const delivery = deliveryOf(visit, answer, {
    byteCount: body.byteLength,
    usage:
      refusal === undefined
        ? metered(visit, { usage, textBytes: body.byteLength, guess })
        : NOTHING_USED,
  });
  if (refusal !== undefined) settle(visit, { kind: "relayed_error", fault: refusal, delivery });
  else settle(visit, { kind: "answered", ending: { kind: "completed" }, delivery });
  const said = body.byteLength === 0 ? null : body; // A 204 may have no body at all.
  return new Response(said, { status, headers: addOwnHeaders(headers, visit, answer) });
}

/** Means nothing between two elements of an array, where a comment would be an error. */
const WHITE_SPACE: Chunk = new TextEncoder().encode("\n");

/** A stream on its way to the client: answers what the relay asks, settles when it ends. */
class StreamDelivery implements RelayOwner {
  readonly #visit: Visit;
  readonly #answer: StreamedAnswer;
  readonly stopBefore: (() => Stopped | undefined) | undefined;
  #unwatch: (() => void) | undefined;

  constructor(visit: Visit, answer: StreamedAnswer) {
    this.#visit = visit;
    this.#answer = answer;
    this.stopBefore = budgetRule(visit, answer.tap);
  }

  respond(clientGone: boolean): Response {
    noteLane(this.#visit, this.#answer.lane);
    const { config, runtime } = this.#visit.gateway;
    const { lane, status, headers, framing } = this.#answer;
    const { stallMs, totalMs } = lane.backend.deadlines;
    const { heartbeat: own, brokenEnd } = this.#visit.dialect;
    const heartbeat = framing === "json-array" ? WHITE_SPACE : own;
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
    const { key, gateway } = this.#visit;
    if (key !== undefined && config.relay.onRevoked === "cut") {
      this.#unwatch = gateway.keyWatch.watch(key, relaying);
    }
    sink.onGone(() => relaying.leave());
    if (clientGone) relaying.leave();
    headers["cache-control"] = "no-cache"; // A proxy must neither keep nor gather events.
    headers["x-accel-buffering"] = "no";
    addOwnHeaders(headers, this.#visit, this.#answer);
    return new Response(sink.body, { status, headers });
  }

  writeError(broken: Pick<BrokenStream, "mode" | "why" | "atBoundary">): Chunk {
    const { dialect, id: requestId } = this.#visit;
    const { tap, edit, framing } = this.#answer;
    const whole = { ...broken, requestId, id: tap?.id, model: tap?.model, framing };
    return edit?.fail?.(whole) ?? dialect.writeStreamError(whole);
  }

  bug(error: unknown): void {
    logBug(this.#visit.gateway.runtime.log, error);
  }

  passed(byteCount: Bytes): void {
    const bytes = this.#answer.tap?.textBytes ?? byteCount;
    this.#visit.permit?.delivered(Math.ceil(bytes / BYTES_PER_TOKEN));
  }

  done(ending: Ending, byteCount: Bytes): void {
    this.#unwatch?.();
    const { tap, guess } = this.#answer;
    const usage = metered(this.#visit, { ...readTap(tap, byteCount), guess });
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

/** Nobody bills a refusal. */
const NOTHING_USED: MeteredUsage = {
  ...{ inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, reasoningTokens: 0 },
  provenance: "reported",
};

/** English text runs at about four bytes a token: OpenAI's own rule of thumb. */
const BYTES_PER_TOKEN = 4;

/** The provider's own count where there is one; else an estimate that says it is one. */
function metered(
  visit: Visit,
  { usage, textBytes, guess = "all" }: Seen & { readonly guess: Guess | undefined },
): MeteredUsage {
  const { bound } = visit;
  if (bound !== undefined) {
    const { tokens, outputTokens } = bound;
    const rest = { cacheReadTokens: 0, reasoningTokens: 0, provenance: "estimated" } as const;
    return { inputTokens: tokens - outputTokens, outputTokens, ...rest };
  }
  if (usage !== undefined) return { ...usage, provenance: "reported" };
  return {
    inputTokens: guess === "nothing" ? 0 : Math.ceil(visit.bodyBytes / BYTES_PER_TOKEN),
    outputTokens: guess === "all" ? Math.ceil(textBytes / BYTES_PER_TOKEN) : 0,
    cacheReadTokens: 0,
    reasoningTokens: 0,
    provenance: "estimated",
  };
}
