import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import type { Fault } from "../../../src/core/fault.ts";
import type { Chunk } from "../../../src/core/units.ts";
import { eventFrame, exceptionFrame } from "../../../src/protocol/bedrock/frames.ts";
import { streamTap } from "../../../src/protocol/bedrock/tap.ts";
import { encodeFrame } from "../../../src/wire/event-stream-frame.ts";
import { fixture, haveRecordings, NO_RECORDINGS } from "../../faultd/recordings.ts";
import { bytewise, framesOf, joined, streamsOf } from "./pieces.ts";

/** Each chunk is overwritten once it was fed: a tap that kept it would show it. */
function tapOf(...chunks: readonly Chunk[]) {
  const tap = streamTap();
  for (const chunk of chunks) {
    const own = chunk.slice();
    tap.feed(own);
    own.fill(0x22);
  }
  tap.end();
  const { complete, fault, atBoundary, eventCount, eventsBeforeFault, textBytes, usage } = tap;
  return { complete, fault, atBoundary, eventCount, eventsBeforeFault, textBytes, usage };
}

type Said = { readonly [name: string]: never } | undefined;
const member = (value: unknown, ...names: readonly string[]): unknown =>
  names.reduce<unknown>((object, name) => (object as Said)?.[name], value);
const bytesOf = (value: unknown): number =>
  typeof value === "string" ? Buffer.byteLength(value) : 0;

/** What a stream of Converse says, read by nothing but JSON.parse. */
function slowly(body: Chunk) {
  let textBytes = 0;
  let tokens: unknown;
  let ends = 0;
  for (const { name, payload } of framesOf(body)) {
    textBytes += bytesOf(member(payload, "delta", "text"));
    textBytes += bytesOf(member(payload, "delta", "toolUse", "input"));
    textBytes += bytesOf(member(payload, "delta", "reasoningContent", "text"));
    tokens = member(payload, "usage") ?? tokens;
    if (name === "messageStop") ends++;
  }
  return { textBytes, tokens, ends };
}

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  for (const { name, body } of streamsOf("bedrock-converse")) {
    test(`${name} is read as by a full parse, whole and by the byte`, () => {
      const { textBytes, tokens, ends } = slowly(body);
      const tap = tapOf(body);
      expect(ends).toBe(1);
      expect(tap).toMatchObject({ complete: true, fault: undefined, atBoundary: true, textBytes });
      expect(tap.eventCount).toBe(framesOf(body).length);
      const read = Number(member(tokens, "cacheReadInputTokens") ?? 0);
      const write = Number(member(tokens, "cacheWriteInputTokens") ?? 0);
      expect(tap.usage).toEqual(
        tokens === undefined
          ? undefined
          : {
              inputTokens: Number(member(tokens, "inputTokens")) + read + write,
              outputTokens: Number(member(tokens, "outputTokens")),
              cacheReadTokens: read,
              cacheWriteTokens: write || undefined,
              reasoningTokens: 0,
            },
      );
      expect(tapOf(...bytewise(body))).toEqual(tap);
    });

    test(`${name} is incomplete wherever it is cut before its stop`, () => {
      const ends = endsOf(body);
      const stop = framesOf(body).findIndex((frame) => frame.name === "messageStop");
      const wrong: number[] = [];
      for (let end = 0; end < body.length; end += 1 + (end % 29)) {
        const { complete, atBoundary, fault } = tapOf(body.slice(0, end));
        const isBetween = end === 0 || ends.includes(end);
        const isRight = complete === (isBetween && end >= ends[stop]!) && atBoundary === isBetween;
        if (!isRight || fault !== undefined) wrong.push(end);
      }
      expect(wrong).toEqual([]);
    });
  }

  for (const { name, body } of streamsOf("bedrock-invoke")) {
    test(`${name} is complete at its very end, and its metrics are its usage`, () => {
      const tap = tapOf(body);
      expect(tap).toMatchObject({ complete: true, fault: undefined, atBoundary: true });
      // Claude 2's one recorded answer is a stop without a word.
      if (!name.startsWith("dd-trace")) expect(tap.textBytes).toBeGreaterThan(0);
      const metrics = framesOf(body)
        .map(({ payload }) => JSON.parse(atob(String(member(payload, "bytes")))))
        .map((event) => member(event, "amazon-bedrock-invocationMetrics"))
        .filter(Boolean)
        .at(-1);
      const tokens = metrics && Number(member(metrics, "outputTokenCount"));
      expect(tap.usage?.outputTokens).toBe(tokens as number);
      expect(tapOf(...bytewise(body))).toEqual(tap);
      // Nova's own end stands one message before the metrics.
      const isNova = name.includes("nova");
      const complete = endsOf(body).filter((end) => tapOf(body.slice(0, end)).complete);
      expect(complete).toEqual(endsOf(body).slice(isNova ? -2 : -1));
      expect(tapOf(body.slice(0, -1)).complete).toBe(false);
    });
  }

  test("each recorded exception is a fault, and each unknown event is none", () => {
    const frames: { name: string; hex: string }[] = JSON.parse(
      readFileSync(fixture("eventstream-bedrock/exceptions.json"), "utf8"),
    );
    const kinds = frames.map(({ name, hex }) => {
      const tap = tapOf(start, new Uint8Array(Buffer.from(hex, "hex")));
      expect(tap.eventsBeforeFault).toBe(1);
      return [name, tap.fault?.kind];
    });
    expect(Object.fromEntries(kinds)).toEqual({
      throttlingException: "rate_limited",
      serviceUnavailableException: "overloaded",
      validationException: "context_length",
      internalServerException: "server_error",
      modelTimeoutException: "timeout",
      modelStreamErrorException: "overloaded",
      "unmodelled-error": "server_error",
      "unknown-event": undefined,
      "initial-response": undefined,
    });
  });
});

/** Where each message of a body ends. */
function endsOf(body: Chunk): number[] {
  const ends: number[] = [];
  const view = new DataView(body.buffer, body.byteOffset);
  for (let at = 0; at < body.length; ends.push(at)) at += view.getUint32(at);
  return ends;
}

const start = eventFrame("messageStart", { role: "assistant" });
const delta = (text: string) =>
  eventFrame("contentBlockDelta", { contentBlockIndex: 0, delta: { text }, p: "abc" });
const stop = eventFrame("messageStop", { stopReason: "end_turn" });
const metadata = (payload: object) => eventFrame("metadata", payload as never);
const usage = { inputTokens: 3, outputTokens: 4, totalTokens: 7 };

describe("a stream", () => {
  test("keeps its last usage where a relay sends metrics behind it", () => {
    const body = joined([
      start,
      stop,
      metadata({ usage }),
      metadata({ metrics: { latencyMs: 1 } }),
    ]);
    expect(tapOf(body).usage?.outputTokens).toBe(4);
  });

  test("that says nothing of usage has none", () => {
    expect(tapOf(start, stop).usage).toBeUndefined();
    expect(tapOf(start, stop, metadata({ usage: {} })).usage).toBeUndefined();
  });

  test("is unfinished while its usage is half there", () => {
    const half = metadata({ usage }).slice(0, 40);
    expect(tapOf(start, stop)).toMatchObject({ complete: true, atBoundary: true });
    expect(tapOf(start, stop, half)).toMatchObject({ complete: false, atBoundary: false });
  });

  test("counts the text of any delta, spelled in any way", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary" })), (texts) => {
        const body = joined([start, ...texts.map(delta), stop]);
        const wanted = texts.reduce((sum, text) => sum + bytesOf(text.toWellFormed()), 0);
        const counted = tapOf(body).textBytes;
        // An escape counts as a character of three bytes where no parse is spent on it.
        expect(Math.abs(counted - wanted)).toBeLessThanOrEqual(3 * texts.join("").length);
      }),
    );
    expect(tapOf(start, delta("ä"), delta('a"b'), delta("日本"), stop).textBytes).toBe(2 + 3 + 6);
  });

  test("with a bit turned anywhere is a protocol fault, or unfinished, and never both", () => {
    const body = joined([start, delta("hi"), stop]);
    for (let bit = 0; bit < body.length * 8; bit++) {
      const turned = body.slice();
      turned[bit >> 3]! ^= 1 << (bit & 7);
      const tap = tapOf(turned, body);
      expect([bit, tap.fault?.kind, tap.complete]).toEqual([bit, "protocol", false]);
    }
  });

  test("that reports an error says how much came before it", () => {
    const failed = exceptionFrame("throttlingException", { message: "Too many requests" });
    const fault: Fault = { kind: "rate_limited", retryAfterMs: undefined };
    expect(tapOf(failed)).toMatchObject({ fault, eventsBeforeFault: 0, complete: false });
    expect(tapOf(start, delta("a"), failed)).toMatchObject({ fault, eventsBeforeFault: 2 });
  });

  test("whose headers cannot be read is a fault", () => {
    expect(tapOf(start, encodeFrame([], new Uint8Array(2))).fault).toEqual({
      kind: "protocol",
      what: "event_stream_headers",
    });
  });

  test("of any messages is read without a throw", () => {
    const names = fc.constantFrom(
      "messageStart",
      "contentBlockDelta",
      "messageStop",
      "metadata",
      "chunk",
      "other",
    );
    const payload = fc.oneof(
      fc.jsonValue(),
      fc.record({ usage: fc.jsonValue(), delta: fc.jsonValue(), bytes: fc.base64String() }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(names, payload)), (messages) => {
        const body = joined(messages.map(([name, said]) => eventFrame(name, said as never)));
        const whole = tapOf(body);
        expect(tapOf(...bytewise(body))).toEqual(whole);
        expect(whole.eventCount).toBe(messages.length);
      }),
    );
  });
});
