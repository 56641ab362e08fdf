import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Fault } from "../../../src/core/fault.ts";
import type { Chunk } from "../../../src/core/units.ts";
import type { TapOptions } from "../../../src/protocol/dialect.ts";
import { streamTap } from "../../../src/protocol/openai/tap.ts";
import { haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";
import { type Learnt, slowTap, slowTextBytes } from "./slow-tap.ts";

type Terminal = TapOptions["terminal"];
const TERMINALS: readonly Terminal[] = ["done", "finish"];
const DONE = "data: [DONE]\n\n";

const utf8 = (text: string): Chunk => new TextEncoder().encode(text);
const bytewise = (body: Chunk): Chunk[] => Array.from(body, (_, at) => body.slice(at, at + 1));
const sse = (...events: object[]): string =>
  events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
const delta = (content: unknown) => ({ choices: [{ index: 0, delta: { content } }] });

function cut(body: Chunk, points: readonly number[]): Chunk[] {
  const ends = [...points.map((point) => Math.floor(point * body.length)), body.length];
  let at = 0;
  return ends.sort((a, b) => a - b).map((end) => body.slice(at, (at = end)));
}
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), {
  maxLength: 20,
});

/** Each chunk is overwritten once it was fed: a tap that kept it would show it. */
function tapOf(chunks: readonly Chunk[], terminal: Terminal) {
  const tap = streamTap({ terminal });
  for (const chunk of chunks) {
    const own = chunk.slice();
    tap.feed(own);
    own.fill(0x22);
  }
  tap.end();
  return tap;
}
const tapOfText = (text: string, terminal: Terminal = "done") => tapOf([utf8(text)], terminal);

function learnt(chunks: readonly Chunk[], terminal: Terminal): Learnt {
  const { complete, fault, eventCount, usage, id, model } = tapOf(chunks, terminal);
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

function expectAsSlow(body: Chunk, chunks: readonly Chunk[]) {
  for (const terminal of TERMINALS) {
    expect(learnt(chunks, terminal)).toEqual(slowTap(body, { terminal }));
  }
}

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  const streams = recordingsOf("openai-chat").filter(({ streamed }) => streamed);

  test("there are sixty-seven streams, and one ends without [DONE]: Perplexity", () => {
    expect(streams).toHaveLength(67);
    const bodies = streams.map(({ response, provider }) => ({ body: response.slice(), provider }));
    const open = bodies.filter(({ body }) => !tapOf([body], "done").complete);
    expect(open.map(({ provider }) => provider)).toEqual(["perplexity"]);
    expect(bodies.filter(({ body }) => !tapOf([body], "finish").complete)).toEqual([]);
  });

  for (const { name, response } of streams) {
    const body = response.slice();
    test(`${name}, whole, is read as by a full parse`, () => expectAsSlow(body, [body]));
    test(`${name}, by the byte, is read as by a full parse`, () =>
      expectAsSlow(body, bytewise(body)));
    test(`${name}, cut anywhere, is read as by a full parse`, () => {
      const property = fc.property(cuts, (points) => expectAsSlow(body, cut(body, points)));
      fc.assert(property, { numRuns: 10 });
    });
    test(`${name} has its text measured within a tenth`, () => {
      const exact = slowTextBytes(body);
      const { textBytes } = tapOf([body], "done");
      expect(Math.abs(textBytes - exact)).toBeLessThanOrEqual(Math.max(0.1 * exact, 2));
    });
  }

  test.each([
    // xAI: reasoning beside completion_tokens, inside the total.
    ["fantasy--xai-grok-4-fast.multi_tool_streaming.0", 432, 204, 153, 136],
    // Vercel's Gemini: outside of both; its `cost` is that of all 113.
    ["fantasy--gemini-3-pro-preview.multi_tool_streaming.0", 57, 113, 0, 95],
    // Grok on Azure: cached beside the prompt's.
    [
      "ruby-llm--chat_function_calling_azure_grok-4-1-fast-non-reasoning_can_use_tools_without_parameters_in_multi-turn_streami.2",
      750,
      18,
      403,
      0,
    ],
    ["ruby-openai--deepseek_deepseek-chat_streamed_chat", 5, 11, 0, 0],
    ["vercel-ai--perplexity-text", 11, 434, 0, 0],
  ])("%s used %i and %i tokens", (name, inputTokens, outputTokens, cacheReadTokens, reasoning) => {
    const body = streams.find((one) => one.name === name)!.response.slice();
    const usage = { inputTokens, outputTokens, cacheReadTokens, reasoningTokens: reasoning };
    expect(tapOf([body], "done").usage).toEqual(usage);
  });
});

// Streams of whatever these hosts have been seen to send, and of what tries to look like it.
const count = fc.oneof(fc.nat(2000), fc.constantFrom(null, -1, 1.5, 1e10, "7", 0, undefined));
const usage = fc.oneof(
  fc.constant(null),
  fc.constant({}),
  fc.record(
    {
      prompt_tokens: count,
      completion_tokens: count,
      total_tokens: count,
      prompt_tokens_details: fc.record({ cached_tokens: count }),
      completion_tokens_details: fc.record({ reasoning_tokens: count }),
      prompt_cache_hit_tokens: count,
    },
    { requiredKeys: [] },
  ),
);
const tricky = fc.constantFrom(
  "error",
  "usage",
  '{"error":{"message":"no"}}',
  '"usage":{"prompt_tokens":1,"completion_tokens":2}',
  'data: {"error":1}\n\n',
  "data: [DONE]\n\n",
  "[DONE]",
  '\\"error":',
  "\u2028é\u0000𝄞",
  "",
);
const text = fc.oneof(tricky, fc.string({ unit: "binary" }));
const choice = fc.record(
  {
    index: fc.nat(2),
    delta: fc.record({
      role: text,
      content: text,
      tool_calls: fc.constant([{ index: 1, id: "c" }]),
    }),
    text,
    finish_reason: fc.constantFrom(null, null, "", "stop", "length", "error"),
    usage,
  },
  { requiredKeys: [] },
);
const event = fc.record(
  {
    id: fc.constantFrom("", "chatcmpl-1", "chatcmpl-2", null),
    model: fc.constantFrom("", "m", null),
    choices: fc.array(choice, { maxLength: 3 }),
    usage,
    x_groq: fc.record({ usage }),
    error: fc.oneof(fc.constantFrom(null, false, "", "no"), fc.record({ message: text })),
    object: fc.constantFrom("error", "chat.completion.chunk"),
  },
  { requiredKeys: [] },
);
/** The same JSON in another spelling: spaces, escaped ASCII, several lines. */
const spelled = fc.tuple(event, fc.nat(4)).map(([value, way]) => {
  const json = JSON.stringify(value);
  if (way === 0) return JSON.stringify(value, null, 1).replaceAll("\n", "\ndata: ");
  if (way === 1)
    return json.replaceAll(/(?<=")(usage|error|id|model|finish_reason)(?=":)/g, escaped);
  if (way === 2) return json.replaceAll('":', '" : ');
  if (way === 3) return json.replaceAll(/[\u0080-\uffff]/g, escaped);
  return json;
});
function escaped(word: string): string {
  return Array.from({ length: word.length }, (_, at) => {
    return `\\u${word.charCodeAt(at).toString(16).padStart(4, "0")}`;
  }).join("");
}
const part = fc.oneof(
  { weight: 8, arbitrary: spelled.map((data) => `data: ${data}\n\n`) },
  { weight: 1, arbitrary: spelled.map((data) => `event: error\ndata: ${data}\n\n`) },
  fc.constantFrom(": ping\n\n", "data: not json\n\n", "data:\n\n", "event: error\n\n", "id: 1\n"),
  fc.constantFrom(
    DONE,
    "data:[DONE]\r\n\r\n",
    "data: [DONE]",
    "data: [DO",
    "event: error\ndata: {",
  ),
);
const stream = fc.array(part, { maxLength: 8 }).map((parts) => utf8(parts.join("")));

test("any stream, cut anywhere, is read as by a full parse", () => {
  fc.assert(
    fc.property(stream, cuts, (body, points) => expectAsSlow(body, cut(body, points))),
    { numRuns: 500 },
  );
});

/** Events of one stream: alike up to the text, and mostly behind it. */
const rare = <T>(often: T, seldom: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(often) }, { weight: 1, arbitrary: seldom });
const alike = fc
  .record({
    id: rare("c", fc.constantFrom("", "d")),
    index: rare(0, fc.constant(1)),
    place: rare("content", fc.constantFrom("reasoning", "refusal", "usage", "error")),
    text: fc.oneof(fc.constantFrom(" the", "word"), text),
    reason: rare<string | null>(null, fc.constantFrom("", "stop", "error")),
    usage: rare<object | null | undefined>(null, usage),
    error: rare<unknown>(undefined, fc.constantFrom(null, false, 0, "no", { message: "x" })),
    late: rare<object>(
      {},
      fc.constantFrom({ index: 1 }, { error: 1 }, { usage: { prompt_tokens: 1 } }),
    ),
    escape: rare(false, fc.constant(true)),
  })
  .map(({ id, index, place, text: said, reason, usage: used, error, late, escape }) => {
    const choice = { index, delta: { [place]: said }, finish_reason: reason, ...late };
    const json = JSON.stringify({ id, model: "m", choices: [choice], usage: used, error });
    return escape ? json.replaceAll(/(?<=")(usage|error|finish_reason)(?=":)/g, escaped) : json;
  });

test("events that look alike are told apart as by a full parse, and measured", () => {
  const events = fc.array(alike, { minLength: 2, maxLength: 24 });
  fc.assert(
    fc.property(events, cuts, fc.boolean(), (all, points, ends) => {
      const body = utf8(all.map((data) => `data: ${data}\n\n`).join("") + (ends ? DONE : ""));
      expectAsSlow(body, cut(body, points));
      const exact = all.some((data) => /\\u|"(usage|error)":"|"index":1/.test(data));
      if (!exact) expect(tapOf([body], "done").textBytes).toBe(slowTextBytes(body));
    }),
    { numRuns: 400 },
  );
});

describe("an event that begins like one before it", () => {
  const text = (content: string, rest: object = {}) => ({
    choices: [{ delta: { content }, ...rest }],
  });
  const asSlow = (...events: object[]) => {
    const body = utf8(sse({ id: "c", model: "m" }, ...events));
    expectAsSlow(body, [body]);
    return body;
  };
  test("is read for a choice that only its end shows", () => {
    const stop = text("", { index: 0, finish_reason: "stop" });
    asSlow(text("a", { index: 0 }), text("b", { index: 1 }), stop);
    asSlow(
      text("a", { index: 1 }),
      text("b", { index: 0 }),
      text("", { index: 1, finish_reason: "stop" }),
    );
  });
  test("is read for usage that was superseded in between", () => {
    const usage = (output: number) => ({ usage: { prompt_tokens: 1, completion_tokens: output } });
    asSlow({ ...usage(1), ...text("a") }, usage(2), { ...usage(1), ...text("b") });
  });
  test("is read for an identity that comes late", () => {
    const body = utf8(sse(text("a"), text("b"), { ...text("c"), id: "late", model: "m" }));
    expectAsSlow(body, [body]);
  });
  test("is read when it is called an error", () => {
    const body = utf8(`${sse({ id: "c", model: "m" }, text("a"))}event: error\n${sse(text("b"))}`);
    expectAsSlow(body, [body]);
  });
  test("is measured in characters that were escaped", () => {
    const body = sse({ id: "c", model: "m" }, text("x"), text("漢字\n")).replaceAll(
      /[^\0-\x7f]/g,
      escaped,
    );
    expect(tapOfText(body).textBytes).toBe(8);
  });
});

test("what was complete or at fault stays so, whatever follows", () => {
  fc.assert(
    fc.property(stream, fc.constantFrom(...TERMINALS), (body, terminal) => {
      const tap = streamTap({ terminal });
      let was = { complete: false, isFault: false };
      for (const byte of bytewise(body)) {
        tap.feed(byte);
        const is = { complete: tap.complete, isFault: tap.fault !== undefined };
        expect(is).toEqual({
          complete: was.complete || is.complete,
          isFault: was.isFault || is.isFault,
        });
        was = is;
      }
    }),
  );
});

test("bytes that are no event stream at all are survived", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), cuts, (noise, points) => {
      const body = Uint8Array.from([...utf8('data: {"usage":'), ...noise, ...utf8(`\n\n${DONE}`)]);
      const tap = tapOf(cut(body, points), "done");
      expect(tap.complete).toBe(true);
    }),
  );
});

describe("an event over a mebibyte", () => {
  const huge = sse(delta("x".repeat(1 << 21)));
  const last = sse({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 4 } });
  test("is not read, and those after it are", () => {
    fc.assert(
      fc.property(cuts, (points) => {
        const tap = tapOf(cut(utf8(huge + last + DONE), points), "done");
        expect(tap).toMatchObject({ complete: true, eventCount: 3, fault: undefined });
        expect(tap.usage).toMatchObject({ inputTokens: 3, outputTokens: 4 });
      }),
      { numRuns: 5 },
    );
  });
});

describe("an error in the stream", () => {
  test.each([
    [sse({ error: { message: "x", type: "server_error", code: null } }), "server_error"],
    [sse({ error: { message: "x", code: 429 } }), "rate_limited"],
    [sse({ error: { message: "x", type: "invalid_request_error" } }), "client_error"],
    [sse({ error: { code: "context_length_exceeded" } }), "context_length"],
    [
      sse({ error: { code: 502, message: "This model's maximum context length is" } }),
      "server_error",
    ],
    [sse({ error: "no" }), "server_error"],
    [sse({ object: "error", message: "x", type: "BadRequestError", code: 400 }), "client_error"],
    [sse({ choices: [{ finish_reason: "error" }] }), "server_error"],
    [`event: error\n${sse({ message: "Our servers are currently overloaded." })}`, "overloaded"],
    ["event: error\ndata: oops\n\n", "server_error"],
    [sse({ error: null }), undefined],
    [sse(delta('{"error":{"message":"no"}}')), undefined],
    [sse({ choices: [{ delta: { error: "no" } }] }), undefined],
    ["event: error\n\n", undefined],
    ["event: error\ndata: {", undefined],
    [DONE + sse({ error: { message: "behind the end" } }), undefined],
  ] as [string, Fault["kind"] | undefined][])("%j is %p", (body, kind) => {
    expect(tapOfText(body).fault?.kind).toBe(kind);
    expect(tapOf(bytewise(utf8(body)), "done").fault?.kind).toBe(kind);
  });
  test("is told although [DONE] follows", () => {
    const tap = tapOfText(sse({ error: { message: "x" } }) + DONE);
    expect(tap).toMatchObject({ complete: true, fault: { kind: "server_error" } });
  });
});

describe("completeness", () => {
  const stop = (index: number, reason: unknown) => ({
    choices: [{ index, finish_reason: reason }],
  });
  test.each([
    [sse(stop(0, "stop")), false, true],
    [sse(stop(0, null)), false, false],
    [sse(stop(0, "")), false, false],
    [sse(stop(0, null), stop(1, null), stop(1, "stop")), false, false],
    [sse(stop(0, null), stop(1, null), stop(1, "stop"), stop(0, "length")), false, true],
    [sse(delta("a"), stop(1, "stop")), false, false],
    [sse(stop(0, "stop"), { choices: [], usage: null }), false, true],
    [DONE, true, true],
    ["data: [DONE]", true, true],
    ["data: [DONE]\n", true, true],
    ["data: [DONE", false, false],
    [sse(delta("[DONE]")), false, false],
    [": [DONE]\n\n", false, false],
  ])("%j: done %p, finish %p", (body, done, finish) => {
    expect(tapOfText(body, "done").complete).toBe(done);
    expect(tapOfText(body, "finish").complete).toBe(finish);
  });
  test("usage behind the stop reason still counts", () => {
    const body = sse(stop(0, "stop"), { usage: { prompt_tokens: 1, completion_tokens: 2 } });
    expect(tapOfText(body, "finish").usage).toMatchObject({ outputTokens: 2 });
  });
});

describe("the text of a stream", () => {
  test.each([
    ["plain", sse(delta("hello")), 5],
    ["escaped", sse(delta('a"\n\\b')), 5],
    ["not ASCII", sse(delta("é☃𝄞")), 9],
    ["reasoning", sse({ choices: [{ delta: { content: "", reasoning: "abc" } }] }), 3],
    ["legacy", sse({ choices: [{ index: 0, text: "abcd" }] }), 4],
    [
      "of two calls",
      sse({
        choices: [
          {
            delta: {
              tool_calls: [{ function: { arguments: "{}" } }, { function: { arguments: "{1}" } }],
            },
          },
        ],
      }),
      5,
    ],
    [
      "beside a copy of all so far",
      sse({ choices: [{ message: { content: "abc" }, delta: { content: "c" } }] }),
      1,
    ],
    ["none", sse({ choices: [{ delta: { role: "assistant" } }] }), 0],
  ])("is measured: %s", (_, body, expected) => {
    expect(tapOfText(body).textBytes).toBe(expected);
  });
  test("escaped beyond ASCII is measured within a tenth", () => {
    const body = sse(delta("漢字仮名交じり文")).replaceAll(/[\u0080-\uffff]/g, escaped);
    expect(tapOfText(body).textBytes).toBe(24);
  });
});

test("a stream's cost is in proportion to its length, one event a chunk or all in one", () => {
  // Searching the rest of a chunk again for every event would take minutes here.
  const body = utf8(sse(delta("word ")).repeat(60_000));
  expect(tapOf([body], "finish").eventCount).toBe(60_000);
});
