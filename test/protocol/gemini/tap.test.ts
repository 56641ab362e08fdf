import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Chunk } from "../../../src/core/units.ts";
import { streamTap } from "../../../src/protocol/gemini/tap.ts";
import { haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";
import { array, bytewise, cut, cuts, sse, textOf, utf8 } from "./harness.ts";
import { type Learnt, slowTap } from "./slow-tap.ts";

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

/** What a tap learnt, as the slow one tells it. */
function briefly(chunks: readonly Chunk[]): Learnt {
  const { complete, fault, textBytes, usage, id, model } = tapOf(chunks);
  const counts = usage && [
    ...[usage.inputTokens, usage.outputTokens, usage.cacheReadTokens, usage.reasoningTokens],
  ];
  return { complete, isFault: fault !== undefined, textBytes, usage: counts, id, model };
}
const isTextOnly = (body: string) => !/"(functionCall|executableCode)"/.test(body);

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  const streams = recordingsOf("gemini").filter(
    ({ streamed, status, response }) => streamed && status === 200 && response[0] !== 0x7b,
  );
  test.each(streams)("$name is read as by a full parse", ({ response }) => {
    const body = response.slice();
    const { textBytes, ...rest } = slowTap(body);
    const wanted = isTextOnly(textOf(body)) ? { ...rest, textBytes } : rest;
    expect(briefly([body])).toMatchObject(wanted);
    expect(briefly(bytewise(body))).toMatchObject(wanted);
  });
  // The recordings are short, and a tap that knows its chunks meets their like over and over.
  test.each(streams)("$name is, with each event many times over and counting", ({ response }) => {
    const events = textOf(response.slice()).split(/(?<=\r\n\r\n|\n\n)/);
    const counting = events.flatMap((event) =>
      Array.from({ length: 5 }, (_, time) =>
        event.replace(/("(?:candidates|total)TokenCount": ?)(\d+)/g, (_, name, count) => {
          return `${name}${Number(count) + time}`;
        }),
      ),
    );
    const body = utf8(counting.join(""));
    const { textBytes, ...rest } = slowTap(body);
    const wanted = isTextOnly(textOf(body)) ? { ...rest, textBytes } : rest;
    expect(briefly([body])).toMatchObject(wanted);
    expect(briefly(cut(body, [0.1, 0.33, 0.6]))).toMatchObject(wanted);
  });
});

describe("chunks that are like those before", () => {
  const counter = fc.oneof(
    fc.nat(3000),
    fc.constantFrom(undefined, null, 0, -1, 1.5, 7e8, 1e9, 1e10, 5e-7, "7", {}),
  );
  const usageMetadata = fc.record(
    {
      promptTokenCount: counter,
      candidatesTokenCount: counter,
      totalTokenCount: counter,
      thoughtsTokenCount: counter,
      promptTokensDetails: fc.constant([{ modality: "TEXT", tokenCount: 3 }]),
    },
    { requiredKeys: [] },
  );
  const text = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 8 }),
    fc.constantFrom(
      "",
      "a",
      '"}',
      '","index":1,"x":"',
      "\\",
      "\u2028é🙂\u0001",
      '"finishReason":"STOP"',
    ),
  );
  const candidate = fc.record(
    {
      content: fc.oneof(
        text.map((said) => ({ parts: [{ text: said }], role: "model" })),
        text.map((said) => ({ parts: [{ text: said, thought: true }], role: "model" })),
        fc.tuple(text, text).map((both) => ({ parts: both.map((said) => ({ text: said })) })),
        fc.constant({}),
      ),
      finishReason: fc.option(fc.constantFrom("STOP", ""), { nil: undefined, freq: 4 }),
      index: fc.constantFrom(undefined, 0, 0, 0, 1),
    },
    { requiredKeys: [] },
  );
  const chunk = fc.record(
    {
      usageMetadata,
      candidates: fc.array(candidate, { maxLength: 2 }),
      modelVersion: fc.constantFrom("m-1", "m-2"),
      responseId: fc.constant("r-1"),
      promptFeedback: fc.constantFrom(undefined, undefined, { blockReason: "OTHER" }),
      error: fc.constantFrom(undefined, undefined, undefined, undefined, { code: 500 }),
    },
    { requiredKeys: ["candidates"] },
  );
  const escaped = (json: string) =>
    json.replace(/[<>\u0080-\uffff]/g, (unit) => {
      return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
    });
  /** Few chunks, and each again with other counts: so a template is met in all its states. */
  const stream = fc
    .tuple(fc.array(chunk, { minLength: 1, maxLength: 4 }), fc.array(fc.nat(), { maxLength: 16 }))
    .map(([kinds, turns]) =>
      turns.map((turn) => {
        const kind = kinds[turn % kinds.length]!;
        const said = kind.usageMetadata;
        const counts = { ...said, candidatesTokenCount: turn % 5000 };
        return turn % 3 === 0 || said === undefined ? kind : { ...kind, usageMetadata: counts };
      }),
    );
  const spelling = fc.constantFrom(
    (event: object) => JSON.stringify(event),
    (event: object) => escaped(JSON.stringify(event)),
    (event: object) => JSON.stringify(event, null, 1).replaceAll("\n", " "),
  );
  test("are read as by a full parse", () => {
    const property = fc.property(stream, spelling, cuts, (events, spell, points) => {
      const body = utf8(events.map((event) => `data: ${spell(event)}\r\n\r\n`).join(""));
      expect(briefly(cut(body, points))).toEqual(slowTap(body));
    });
    fc.assert(property, { numRuns: 3000 });
  });

  const asSlow = (...events: (object | string)[]) => {
    const lines = events.map((one) => (typeof one === "string" ? one : JSON.stringify(one)));
    const body = utf8(lines.map((line) => `data: ${line}\r\n\r\n`).join(""));
    const { textBytes, ...rest } = slowTap(body);
    expect(briefly([body])).toMatchObject(rest);
    return briefly([body]);
  };
  test("tell their usage again where another chunk told another", () => {
    const first = { ...part("a"), ...usageOf(5, 1) };
    expect(asSlow(first, usageOf(5, 7), first).usage).toEqual([5, 1, 0, 0]);
    const uncounted = { ...part("a"), ...usageOf(5) };
    expect(asSlow(uncounted, usageOf(5, 7), uncounted).usage).toEqual([5, 0, 0, 0]);
  });
  test("open a candidate again that had finished", () => {
    expect(asSlow(part("a"), part("b"), LAST, part("c")).complete).toBe(false);
    expect(asSlow(part("a"), part("b"), LAST, part("c"), LAST).complete).toBe(true);
  });
  test("belong to another candidate where only the index differs", () => {
    const at = (index: number, rest: object = {}) => part("a", { index, ...rest });
    const stop = { finishReason: "STOP" };
    expect(asSlow(at(0), at(0), at(1), at(0, stop)).complete).toBe(false);
    expect(asSlow(at(0), at(1), at(0), at(0, stop), at(1, stop)).complete).toBe(true);
  });
  test("count up to the last, whatever came of it", () => {
    const counted = (count: unknown) =>
      `{"candidates":[{"content":{"parts":[{"text":"a"}]}}],"usageMetadata":{"promptTokenCount":2,"candidatesTokenCount":${count}}}`;
    expect(asSlow(counted(1), counted(2), counted(30)).usage).toEqual([2, 30, 0, 0]);
    for (const odd of ["4.5", "-4", "4e3", "04", "4444444444", "null", "", "4]", "4}}]"]) {
      expect(asSlow(counted(1), counted(22), counted(odd)).usage?.[1]).toBe(
        odd === "4e3" ? 4000 : odd === "null" ? 0 : 22,
      );
    }
    expect(asSlow(counted("1e9"), counted("0e9"), counted("2e9")).usage).toEqual([2, 0, 0, 0]);
    expect(asSlow(counted(1), counted(2), part("b")).usage).toEqual([2, 2, 0, 0]);
  });
});

test("bare JSON that no event ends is looked for in linear time", () => {
  // Each line begins as JSON does inside an event, which a search from each line to the end shows.
  const body = utf8(`data: {\n${"{\n".repeat(1_000_000)}`);
  const tap = streamTap();
  tap.feed(body);
  expect(tap.complete).toBe(false);
});
