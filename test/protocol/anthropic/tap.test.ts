import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Chunk } from "../../../src/core/units.ts";
import { streamTap } from "../../../src/protocol/anthropic/tap.ts";
import { readUsage } from "../../../src/protocol/anthropic/usage.ts";
import { haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";
import { CLIENTS } from "./clients.ts";
import { completed, textOf, utf8 } from "./pieces.ts";
import { type Learnt, slowTap, slowTextBytes } from "./slow-tap.ts";

const bytewise = (body: Chunk): Chunk[] => Array.from(body, (_, at) => body.slice(at, at + 1));
const sse = (...events: { readonly type?: string }[]): string =>
  events.map((one) => `event: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`).join("");
const message = { id: "msg_1", model: "m", usage: { input_tokens: 3, output_tokens: 1 } };
const START = { type: "message_start", message };
const STOP = { type: "message_stop" };
const delta = (text: unknown) => ({
  type: "content_block_delta",
  index: 0,
  delta: { type: "text_delta", text },
});

function cut(body: Chunk, points: readonly number[]): Chunk[] {
  const ends = [...points.map((point) => Math.floor(point * body.length)), body.length];
  let at = 0;
  return ends.sort((a, b) => a - b).map((end) => body.slice(at, (at = end)));
}
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), {
  maxLength: 20,
});

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
const tapOfText = (text: string) => tapOf([utf8(text)]);

function learnt(chunks: readonly Chunk[]): Learnt {
  const { complete, fault, eventCount, usage, id, model } = tapOf(chunks);
  return {
    complete,
    isFault: fault !== undefined,
    eventCount,
    usage: usage && [
      usage.inputTokens,
      usage.outputTokens,
      usage.cacheReadTokens,
      usage.reasoningTokens,
    ],
    id,
    model,
  };
}
const expectAsSlow = (body: Chunk, chunks: readonly Chunk[]) =>
  expect(learnt(chunks)).toEqual(slowTap(body));

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  const streams = recordingsOf("anthropic").filter(({ streamed }) => streamed);

  test("there are forty-four streams, and all are complete", () => {
    expect(streams).toHaveLength(44);
    expect(streams.filter(({ response }) => !tapOf([response.slice()]).complete)).toEqual([]);
  });

  for (const { name, response } of streams) {
    const body = response.slice();
    test(`${name}, whole, is read as by a full parse`, () => expectAsSlow(body, [body]));
    test(`${name}, cut into chunks anywhere, is read as by a full parse`, () => {
      expectAsSlow(body, bytewise(body));
      const property = fc.property(cuts, (points) => expectAsSlow(body, cut(body, points)));
      fc.assert(property, { numRuns: 10 });
    });
    test(`${name} has its text measured within a tenth`, () => {
      const exact = slowTextBytes(body);
      const { textBytes } = tapOf([body]);
      expect(Math.abs(textBytes - exact)).toBeLessThanOrEqual(Math.max(0.1 * exact, 2));
    });
    test(`${name}, ended early at any event or byte, is not complete`, () => {
      const last = textOf(body).lastIndexOf("}");
      const ends = Array.from({ length: 40 }, (_, at) => Math.floor((at / 40) * last));
      for (const at of [...ends, last]) {
        const early = tapOf([utf8(textOf(body).slice(0, at))]);
        expect(early.complete).toBe(false);
      }
    });
    if (name === "vercel-ai--spliced-message-start") continue;
    for (const client of CLIENTS) {
      test(`${name} used what the message of ${client.name} says it used`, async () => {
        const seen = await client.stream(completed(body));
        const buffered = readUsage(utf8(JSON.stringify(seen.message)));
        expect(tapOf([body]).usage).toEqual(buffered!);
      });
    }
  }

  test.each([
    ["dd-trace--anthropic_completion_stream_cache_read", 1042, 1031],
    ["dd-trace--anthropic_completion_stream_cache_write", 1049, 0],
  ])(
    "%s has every input token once: %i, of which %i were read from the cache",
    (name, input, read) => {
      const { response } = streams.find((one) => one.name === name)!;
      const usage = tapOf([response.slice()]).usage;
      expect(usage).toMatchObject({ inputTokens: input, cacheReadTokens: read });
    },
  );
});

describe("the end", () => {
  test("is message_stop, even without its blank line", () => {
    expect(tapOfText(sse(START, STOP)).complete).toBe(true);
    expect(tapOfText(sse(START, STOP).slice(0, -2)).complete).toBe(true);
    expect(tapOfText(sse(START)).complete).toBe(false);
  });
  test("is not a text that says so", () => {
    const text = 'data: {"type":"message_stop"}\n\n';
    expect(
      tapOfText(sse(START, delta("a"), delta(text), delta('"type":"message_stop"'))).complete,
    ).toBe(false);
  });
  test("is the last thing that is read", () => {
    const tap = tapOfText(sse(START, STOP, { type: "error" }));
    expect(tap.fault).toBeUndefined();
    expect(tap.eventCount).toBe(3);
  });
});

describe("usage", () => {
  const used = (usage: object) => ({ type: "message_delta", delta: {}, usage });
  test("is cumulative: the last one said of each count", () => {
    const tap = tapOfText(
      sse(START, used({ output_tokens: 5 }), used({ output_tokens: 9, input_tokens: 8 })),
    );
    expect(tap.usage).toMatchObject({ inputTokens: 8, outputTokens: 9 });
  });
  test("of the start holds where the end says no more", () => {
    const tap = tapOfText(sse(START, used({ output_tokens: 5, input_tokens: null })));
    expect(tap.usage).toMatchObject({ inputTokens: 3, outputTokens: 5 });
  });
  test("counts no more than a number can bill", () => {
    const tap = tapOfText(sse(START, used({ output_tokens: 1e12, input_tokens: -1 })));
    expect(tap.usage).toMatchObject({ inputTokens: 3, outputTokens: 1 });
  });
});

describe("a fault", () => {
  test("is an error event, and knows what came before it", () => {
    const error = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
    expect(tapOfText(sse(error))).toMatchObject({
      fault: { kind: "overloaded" },
      eventsBeforeFault: 0,
    });
    expect(tapOfText(sse(START, delta("a"), delta("b"), error))).toMatchObject({
      fault: { kind: "overloaded" },
      eventsBeforeFault: 3,
      complete: false,
    });
  });
  test("is an event named so, whatever stands in it", () => {
    const named = `${sse(START, delta("a"), delta("b"))}event: error\ndata: nothing\n\n`;
    expect(tapOfText(named).fault).toEqual({ kind: "server_error" });
  });
  test("is an error member in an event that is like the others", () => {
    const event = { ...delta("c"), error: { message: "x" } };
    expect(tapOfText(sse(START, delta("a"), delta("b"), event)).fault).toBeDefined();
  });
  test("is a stream that starts over", () => {
    expect(tapOfText(sse(START, delta("a"), START)).fault).toMatchObject({ kind: "protocol" });
  });
  test("is none where an event is called so and was cut off", () => {
    expect(tapOfText(`${sse(START)}event: error\ndata: {"ty`).fault).toBeUndefined();
  });
});

test("nothing is at a boundary but what stands between two events", () => {
  const body = utf8(sse(START, delta("a")));
  const tap = streamTap();
  const between = new Set<number>();
  for (const [at, byte] of body.entries()) {
    tap.feed(new Uint8Array([byte]));
    if (tap.atBoundary) between.add(at + 1);
  }
  expect([...between]).toEqual([sse(START).length, body.length]);
});

// Streams of whatever this wire sends, and of what tries to look like it.
const count = fc.oneof(fc.nat(2000), fc.constantFrom(null, -1, 1.5, 1e10, "7", 0, undefined));
const usage = fc.oneof(
  fc.constant(null),
  fc.record(
    {
      input_tokens: count,
      output_tokens: count,
      cache_read_input_tokens: count,
      cache_creation_input_tokens: count,
      output_tokens_details: fc.record({ thinking_tokens: count }),
    },
    { requiredKeys: [] },
  ),
);
const text = fc.oneof(
  fc.string(),
  fc.constantFrom('"error":1', '\\"usage":', 'data: {"type":"message_stop"}\n\n', "\u2028é𝄞", '"'),
);
const grown = fc.oneof(
  fc.record({ type: fc.constant("text_delta"), text }),
  fc.record({ type: fc.constant("thinking_delta"), thinking: text }),
  fc.record({ type: fc.constant("input_json_delta"), partial_json: text }),
  fc.record({ type: fc.constant("signature_delta"), signature: text }),
);
const event = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant("content_block_delta"),
      index: fc.nat(2),
      delta: grown,
    }),
  },
  fc.record({ type: fc.constant("message_delta"), delta: fc.constant({}), usage }),
  fc.record({
    type: fc.constant("message_start"),
    message: fc.record({ id: text, model: text, usage }),
  }),
  fc.constantFrom<object>(STOP, { type: "ping" }, { type: "error", error: {} }, {}),
  fc.record({
    type: fc.constant("content_block_delta"),
    delta: grown,
    error: fc.constantFrom(null, 0, "", "x", {}),
  }),
);
const line = fc.constantFrom("\n", "\r\n", "\r");
const stream = fc
  .tuple(
    fc.array(event, { maxLength: 12 }),
    line,
    fc.nat(12),
    fc.constantFrom("content_block_delta", "error", ""),
  )
  .map(([events, eol, padding, name]) =>
    events
      .map(
        (one) =>
          `event: ${name}${eol}data: ${JSON.stringify(one)}${" ".repeat(padding)}${eol}${eol}`,
      )
      .join(""),
  );

test("any stream in any chunks is read as by a full parse", () => {
  const property = fc.property(stream, cuts, (text, points) => {
    const body = utf8(text);
    expectAsSlow(body, cut(body, points));
  });
  fc.assert(property, { numRuns: 500 });
});
