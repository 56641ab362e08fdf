import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Chunk } from "../../../src/core/units.ts";
import { streamTap } from "../../../src/protocol/gemini/tap.ts";
import { array, bytewise, cut, cuts, sse, utf8 } from "./harness.ts";

function tapOf(chunks: readonly Chunk[]) {
  const tap = streamTap();
  for (const chunk of chunks) {
    const own = chunk.slice();
    tap.feed(own);
    own.fill(0x22); // A tap that kept it would show it.
  }
  tap.end();
  return tap;
}
function learnt(chunks: readonly Chunk[]) {
  const { complete, fault, eventsBeforeFault, eventCount, textBytes, usage, id, model } =
    tapOf(chunks);
  return { complete, fault, eventsBeforeFault, eventCount, textBytes, usage, id, model };
}

const usageOf = (promptTokenCount: number, candidatesTokenCount?: number) => ({
  usageMetadata: { promptTokenCount, candidatesTokenCount },
});
const part = (text: string, rest: object = {}) => ({
  candidates: [{ content: { parts: [{ text }], role: "model" }, ...rest }],
});
const FIRST = { ...part("Hél"), responseId: "r-1", modelVersion: "m-1", ...usageOf(5) };
const LAST = { ...part("lo", { finishReason: "STOP" }), ...usageOf(5, 9) };
const ERROR = { error: { code: 503, message: "The model is overloaded.", status: "UNAVAILABLE" } };

describe.each([
  ["events", sse],
  ["an array", array],
] as const)("a stream of %s", (_, framed) => {
  test("tells who it is, what it said and what it cost", () => {
    expect(learnt([utf8(framed(FIRST, LAST))])).toEqual({
      complete: true,
      fault: undefined,
      eventsBeforeFault: 1,
      eventCount: 2,
      textBytes: 6,
      usage: { inputTokens: 5, outputTokens: 9, cacheReadTokens: 0, reasoningTokens: 0 },
      id: "r-1",
      model: "m-1",
    });
  });

  test("is complete only when each candidate that was seen has finished", () => {
    const both = { candidates: [{ index: 0, finishReason: "STOP" }, { index: 1 }] };
    const other = { candidates: [{ index: 1, finishReason: "MAX_TOKENS" }] };
    expect(learnt([utf8(framed(FIRST))]).complete).toBe(false);
    expect(learnt([utf8(framed(both))]).complete).toBe(false);
    expect(learnt([utf8(framed(both, other))]).complete).toBe(true);
    expect(learnt([utf8(framed(usageOf(5)))]).complete).toBe(false);
  });

  test("is not complete when more came behind a finish, but for its usage", () => {
    expect(learnt([utf8(framed(LAST, part("more")))]).complete).toBe(false);
    expect(learnt([utf8(framed(LAST, part("more"), LAST))]).complete).toBe(true);
    const { complete, usage } = learnt([utf8(framed(LAST, usageOf(5, 10)))]);
    expect([complete, usage?.outputTokens]).toEqual([true, 10]);
    expect(learnt([utf8(framed(LAST, { candidates: [{ index: 0 }] }))]).complete).toBe(true);
  });

  test("is complete when its prompt was blocked", () => {
    expect(learnt([utf8(framed({ promptFeedback: { blockReason: "SAFETY" } }))]).complete).toBe(
      true,
    );
    expect(learnt([utf8(framed({ promptFeedback: { safetyRatings: [] } }))]).complete).toBe(false);
  });

  test("has failed when it says so, at its start or later", () => {
    const overloaded = { kind: "overloaded", retryAfterMs: undefined } as const;
    expect(learnt([utf8(framed(ERROR))])).toMatchObject({
      fault: overloaded,
      eventsBeforeFault: 0,
    });
    expect(learnt([utf8(framed(FIRST, LAST, ERROR))])).toMatchObject({
      complete: false,
      fault: overloaded,
      eventsBeforeFault: 2,
    });
  });

  test("tells the same byte by byte and in any other pieces", () => {
    const body = utf8(framed(FIRST, part("🙂 \n\n{"), usageOf(6), LAST));
    expect(learnt(bytewise(body))).toEqual(learnt([body]));
    fc.assert(
      fc.property(cuts, (points) => expect(learnt(cut(body, points))).toEqual(learnt([body]))),
    );
  });

  test("is incomplete wherever it is cut before its last brace", () => {
    const body = utf8(framed(FIRST, LAST));
    for (let end = 0; end < body.lastIndexOf(0x7d); end++) {
      expect(tapOf([body.slice(0, end)]).complete).toBe(false);
    }
  });
});

test("an array is complete with its bracket only", () => {
  const body = array(FIRST, LAST).trimEnd();
  expect(tapOf([utf8(body)]).complete).toBe(true);
  expect(tapOf([utf8(body.slice(0, -1))]).complete).toBe(false);
});

describe("an error that follows in no frame at all", () => {
  const bare = JSON.stringify(ERROR, null, 2);
  const fault = { kind: "overloaded", retryAfterMs: undefined } as const;
  test.each([
    ["behind events", sse(FIRST) + bare],
    ["behind a line more", `${sse(FIRST)}\r\n${bare}\n`],
    ["in a list", `${sse(FIRST)}[${bare}]`],
    ["behind events of line feeds", `data: ${JSON.stringify(FIRST)}\n\n${bare}`],
  ])("is heard %s, however it is cut", (_, text) => {
    const body = utf8(text);
    const wanted = { fault, eventsBeforeFault: 1, complete: false, id: "r-1" };
    expect(learnt([body])).toMatchObject(wanted);
    expect(learnt(bytewise(body))).toMatchObject(wanted);
  });
  test("as the whole answer", () => {
    expect(learnt([utf8(bare)])).toMatchObject({ fault, eventsBeforeFault: 0 });
    expect(learnt([utf8(`[${bare}]`)])).toMatchObject({ fault, eventsBeforeFault: 0 });
  });
  test("is none inside an event", () => {
    const inside = `data: {"a":\r\ndata: 1}\r\n${bare}\r\n\r\n`;
    expect(learnt([utf8(inside)]).fault).toBeUndefined();
  });
});

test("bytes of ours may stand between two events, and nowhere in an array", () => {
  const atBoundary = (text: string) => {
    const tap = streamTap();
    tap.feed(utf8(text));
    return tap.atBoundary;
  };
  expect([atBoundary(""), atBoundary(sse(FIRST)), atBoundary(sse(FIRST).slice(0, -1))]).toEqual([
    true,
    true,
    false,
  ]);
  expect([atBoundary("["), atBoundary('[{"a":1}'), atBoundary("[{}]")]).toEqual([
    false,
    false,
    false,
  ]);
});

test("what is no chunk is stepped over, whatever it is", () => {
  const piece = fc.oneof(
    fc.constantFrom("data: ", "\r\n\r\n", "\n\n", "{", "[", "]", '{"candidates":', '"', ": x\n\n"),
    fc.constantFrom(...[FIRST, LAST, ERROR].map((chunk) => sse(chunk))),
    fc.jsonValue().map((value) => `data: ${JSON.stringify({ candidates: value })}\n\n`),
    fc.jsonValue().map((value) => `data: ${JSON.stringify({ candidates: [value] })}\n\n`),
    fc.string({ unit: "binary" }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), cuts, (pieces, points) => {
      const body = utf8(pieces.join(""));
      expect(learnt(cut(body, points))).toEqual(learnt([body]));
    }),
    { numRuns: 500 },
  );
});

test("a picture of several megabytes in one event is no reason to miss its end", () => {
  const inlineData = { mimeType: "image/png", data: "A".repeat(5 << 20) };
  const chunk = { candidates: [{ content: { parts: [{ inlineData }] }, finishReason: "STOP" }] };
  const body = utf8(sse(chunk));
  const pieces: Chunk[] = [];
  for (let at = 0; at < body.length; at += 65_536) pieces.push(body.slice(at, at + 65_536));
  expect(tapOf(pieces).complete).toBe(true);
});
