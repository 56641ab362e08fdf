import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Chunk } from "../../../src/core/units.ts";
import { streamTap } from "../../../src/protocol/cohere/tap.ts";
import { parseSse } from "../../../src/wire/sse.ts";
import { haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";

const utf8 = (text: string): Chunk => new TextEncoder().encode(text);
const frame = (data: object & { type?: string }) =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const START = frame({ type: "message-start", ...{ id: "1-2" } });
const text = (content: string) =>
  frame({
    type: "content-delta",
    ...{ index: 0, delta: { message: { content: { text: content } } } },
  });
const end = (delta: object) => frame({ type: "message-end", ...{ delta } });
const COMPLETE = end({
  finish_reason: "COMPLETE",
  usage: { tokens: { input_tokens: 3, output_tokens: 4 } },
});
const DONE = "data: [DONE]\n\n";

/** Each chunk is overwritten once it was fed: a tap that kept it would show it. */
function tapOf(chunks: readonly Chunk[]) {
  const tap = streamTap();
  for (const chunk of chunks) {
    const own = chunk.slice();
    tap.feed(own);
    own.fill(0x22);
  }
  tap.end();
  return tap;
}
const tapOfText = (body: string) => tapOf([utf8(body)]);
const bytewise = (body: Chunk): Chunk[] => Array.from(body, (_, at) => body.slice(at, at + 1));

/** Text in an event, found by looking everywhere for the four members that hold it. */
function slowText(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let bytes = 0;
  for (const [name, member] of Object.entries(value)) {
    const isText = ["text", "thinking", "tool_plan", "arguments"].includes(name);
    bytes += isText && typeof member === "string" ? Buffer.byteLength(member) : slowText(member);
  }
  return bytes;
}

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  const streams = recordingsOf("cohere").filter(({ streamed }) => streamed);
  const FAILED = ["langchain-cohere--test_sql_agent.0", "langchain-cohere--test_sql_agent.1"];

  test("all twenty-one are complete, but for the two of which a fault is told", () => {
    const taps = streams.map(({ name, response }) => ({ name, tap: tapOf([response.slice()]) }));
    const failed = taps.filter(({ tap }) => tap.fault !== undefined);
    expect(failed.map(({ name }) => name)).toEqual(FAILED);
    expect(failed.map(({ tap }) => tap.fault)).toEqual([
      { kind: "client_error" },
      { kind: "client_error" },
    ]);
    expect(taps.filter(({ tap }) => !tap.complete)).toEqual([]);
  });

  for (const { name, response } of streams) {
    const body = response.slice();
    const events = parseSse(body);
    const parsed = events
      .filter(({ data }) => data !== "[DONE]")
      .map(({ data }) => JSON.parse(data));
    test(`${name} is read as by a full parse, whole and by the byte`, () => {
      const last = parsed.at(-1);
      const tokens = last.delta.usage.tokens;
      for (const tap of [tapOf([body]), tapOf(bytewise(body))]) {
        expect(tap.id).toBe(parsed[0].id);
        expect(tap.model).toBeUndefined();
        expect(tap.eventCount).toBe(events.length);
        expect(tap.textBytes).toBe(
          parsed
            .filter(({ type }) => !type.startsWith("citation"))
            .reduce((sum, each) => sum + slowText(each), 0),
        );
        if (tokens === undefined) expect(tap.usage).toBeUndefined();
        else {
          expect(tap.usage).toMatchObject({
            inputTokens: tokens.input_tokens + (tokens.image_tokens ?? 0),
            outputTokens: tokens.output_tokens,
            cacheReadTokens: last.delta.usage.cached_tokens ?? 0,
          });
        }
      }
    });
    test(`${name} is incomplete wherever it is cut before its end`, () => {
      const latin1 = new TextDecoder("latin1").decode(body);
      const at = latin1.indexOf('data: {"type":"message-end"');
      const tap = streamTap();
      for (let byte = 0; byte < at; byte++) {
        tap.feed(body.slice(byte, byte + 1));
        expect(tap.complete).toBe(false);
      }
      for (let cut = at; cut < latin1.indexOf("\n\n", at); cut++) {
        expect(tapOf([body.slice(0, cut)]).complete).toBe(false);
      }
    });
  }
});

describe("a stream is complete", () => {
  test.each(["COMPLETE", "MAX_TOKENS", "STOP_SEQUENCE", "TOOL_CALL", "A_WORD_OF_TOMORROW"])(
    "with %s",
    (finish_reason) => {
      const tap = tapOfText(START + text("a") + end({ finish_reason }));
      expect([tap.complete, tap.fault]).toEqual([true, undefined]);
    },
  );
  test("with its mark, whatever came before", () =>
    expect(tapOfText(START + DONE).complete).toBe(true));
  test("not with an end that gives no reason", () => {
    expect(tapOfText(START + end({})).complete).toBe(false);
    expect(tapOfText(START + end({ finish_reason: null })).complete).toBe(false);
    expect(tapOfText(START + text('"finish_reason":"COMPLETE"')).complete).toBe(false);
  });
  test("and says what it used", () =>
    expect(tapOfText(START + COMPLETE).usage).toEqual({
      inputTokens: 3,
      outputTokens: 4,
      cacheReadTokens: 0,
      reasoningTokens: 0,
    }));
});

describe("a fault", () => {
  test.each([
    ["ERROR", {}, "server_error"],
    ["ERROR", { error: "x", error_type: "INVALID_TOOL_GENERATION" }, "client_error"],
    ["ERROR", { error: "too many tokens: size limit exceeded by 3 tokens" }, "context_length"],
    ["TIMEOUT", {}, "timeout"],
    ["ERROR_TOXIC", {}, "client_error"],
    ["ERROR_LIMIT", {}, "context_length"],
    ["ERROR_OF_TOMORROW", {}, "server_error"],
  ])("is told by %s %o", (finish_reason, rest, kind) => {
    const tap = tapOfText(START + text("a") + end({ finish_reason, ...rest }));
    expect(tap.fault?.kind).toBe(kind as "timeout");
    expect([tap.complete, tap.eventsBeforeFault]).toEqual([false, 2]);
  });
  test.each([
    ["an error event", 'event: error\ndata: {"message":"x"}\n\n', "server_error"],
    ["an error event of no JSON", "event: error\ndata: x\n\n", "server_error"],
    ["an error body among events", 'data: {"message":"invalid api token"}\n\n', "auth"],
  ])("is told by %s", (_, last, kind) =>
    expect(tapOfText(START + last).fault?.kind).toBe(kind as "auth"),
  );
  test("is none where a text speaks of one", () => {
    const told = text('{"error":"x","finish_reason":"ERROR"}');
    expect(tapOfText(START + told + told + COMPLETE)).toMatchObject({
      complete: true,
      fault: undefined,
    });
  });
});

const word = fc.oneof(
  fc.constantFrom('"error":', "finish_reason", "data: [DONE]\n\n", "é𝄞\u2028", "message-end"),
  fc.string({ unit: "binary" }),
);
const anEvent = fc.oneof(
  word.map(text),
  word.map((plan) =>
    frame({ type: "tool-plan-delta", ...{ delta: { message: { tool_plan: plan } } } }),
  ),
  word.map((id) => frame({ type: "message-start", ...{ id } })),
  fc.constantFrom(
    START,
    COMPLETE,
    DONE,
    ": ping\n\n",
    "data: no\n\n",
    "data:\n\n",
    "event: error\n\n",
  ),
  fc.constantFrom("ERROR", "COMPLETE", "").map((finish_reason) => end({ finish_reason })),
);
const aStream = fc.array(anEvent, { maxLength: 12 }).map((all) => utf8(all.join("")));
const learnt = (chunks: readonly Chunk[]) => {
  const { complete, fault, eventCount, eventsBeforeFault, usage, textBytes, id } = tapOf(chunks);
  return { complete, fault, eventCount, eventsBeforeFault, usage, textBytes, id };
};

test("any stream is read alike, whole and by the byte", () => {
  fc.assert(
    fc.property(aStream, (body) => expect(learnt(bytewise(body))).toEqual(learnt([body]))),
    { numRuns: 300 },
  );
});

test("what was complete or at fault stays so, whatever follows", () => {
  fc.assert(
    fc.property(aStream, (body) => {
      const tap = streamTap();
      let was = { complete: false, isFault: false };
      for (const byte of bytewise(body)) {
        tap.feed(byte);
        const is = { complete: tap.complete, isFault: tap.fault !== undefined };
        expect([was.complete && !is.complete, was.isFault && !is.isFault]).toEqual([false, false]);
        was = is;
      }
    }),
  );
});

test("bytes that are no event stream at all are survived", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      const body = Uint8Array.from([...utf8('data: {"delta":'), ...noise, ...utf8(`\n\n${DONE}`)]);
      expect(tapOf([body]).complete).toBe(true);
    }),
  );
});
