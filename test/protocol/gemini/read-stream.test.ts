import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { codec } from "../../../src/protocol/gemini/codec.ts";
import type { IrEvent } from "../../../src/protocol/ir/event.ts";
import { haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";
import { array, cut, cuts, json, readStream, sse, utf8 } from "./harness.ts";

const chunkOf = (parts: readonly object[], rest: object = {}) => ({
  candidates: [{ content: { parts, role: "model" }, ...rest }],
});
/** What another protocol's writer does something with. */
const eventsOf = (...chunks: readonly object[]): IrEvent[] =>
  readStream([utf8(sse(...chunks))]).filter(({ t }) => t !== "meta");
const DONE = { finishReason: "STOP" };
const PROOF = { value: "c2ln", encoding: "plain", family: "google" } as const;

describe("the parts of a stream", () => {
  test("grow one block as long as they are of one kind", () => {
    const events = eventsOf(
      { ...chunkOf([{ text: "h", thought: true }]), responseId: "r", modelVersion: "m" },
      chunkOf([{ text: "m", thought: true }, { text: "4" }]),
      chunkOf([{ text: "2", thoughtSignature: "c2ln" }]),
      chunkOf([{ text: "!" }], DONE),
    );
    expect(json(events)).toEqual(
      json([
        { t: "start", id: "r", model: "m" },
        { t: "block_start", c: 0, b: 0, block: { type: "reasoning", text: "" } },
        { t: "delta", c: 0, b: 0, d: { k: "reasoning", text: "h" } },
        { t: "delta", c: 0, b: 0, d: { k: "reasoning", text: "m" } },
        { t: "block_stop", c: 0, b: 0 },
        { t: "block_start", c: 0, b: 1, block: { type: "text", text: "" } },
        { t: "delta", c: 0, b: 1, d: { k: "text", text: "4" } },
        { t: "delta", c: 0, b: 1, d: { k: "text", text: "2" } },
        { t: "delta", c: 0, b: 1, d: { k: "proof", signed: PROOF } },
        { t: "block_stop", c: 0, b: 1 },
        { t: "block_start", c: 0, b: 2, block: { type: "text", text: "" } },
        { t: "delta", c: 0, b: 2, d: { k: "text", text: "!" } },
        { t: "block_stop", c: 0, b: 2 },
        { t: "stop", c: 0, stop: { kind: "end", raw: "STOP" } },
        { t: "end" },
      ]),
    );
  });

  test("give calls whole, their proof with their start; STOP then means calls", () => {
    const events = eventsOf(
      chunkOf([{ functionCall: { name: "f", args: { a: 1 } }, thoughtSignature: "c2ln" }]),
      chunkOf([{ functionCall: { name: "f" } }]),
      chunkOf([{ text: "" }], DONE),
    );
    const call = { type: "tool_call", name: "f", args: "" };
    expect(json(events.slice(1))).toEqual(
      json([
        { t: "block_start", c: 0, b: 0, block: { ...call, proof: PROOF } },
        { t: "delta", c: 0, b: 0, d: { k: "args", text: '{"a":1}' } },
        { t: "block_stop", c: 0, b: 0 },
        { t: "block_start", c: 0, b: 1, block: call },
        { t: "block_stop", c: 0, b: 1 },
        { t: "stop", c: 0, stop: { kind: "tool_call", raw: "STOP" } },
        { t: "end" },
      ]),
    );
  });

  test("give a call in pieces its arguments at its end", () => {
    const piece = (functionCall: object) => chunkOf([{ functionCall }]);
    const events = eventsOf(
      piece({ name: "f", willContinue: true }),
      piece({
        partialArgs: [{ jsonPath: "$.a", stringValue: "x", willContinue: true }],
        willContinue: true,
      }),
      piece({ partialArgs: [{ jsonPath: "$.a", stringValue: "y" }], willContinue: true }),
      piece({ partialArgs: [{ jsonPath: "$.b[0].c", numberValue: 2 }], willContinue: true }),
      piece({}),
      chunkOf([{ functionCall: { name: "g", args: {} } }], DONE),
    );
    const args = events.flatMap((event) =>
      event.t === "delta" && event.d.k === "args" ? [event.d.text] : [],
    );
    expect(args).toEqual(['{"a":"xy","b":[{"c":2}]}', "{}"]);
  });

  test("give the last usage, and a stop for each candidate, at the end", () => {
    const usage = (candidatesTokenCount: number) => ({
      usageMetadata: { promptTokenCount: 3, candidatesTokenCount },
    });
    const events = eventsOf(
      {
        candidates: [
          { content: { parts: [{ text: "a" }] }, index: 0 },
          { content: { parts: [{ text: "b" }] }, index: 1, finishReason: "MAX_TOKENS" },
        ],
        ...usage(1),
      },
      { candidates: [{ index: 0, finishReason: "SAFETY", finishMessage: "no" }], ...usage(2) },
      usage(4),
    );
    const usages = events.flatMap((event) =>
      event.t === "usage" ? [event.usage.outputTotal] : [],
    );
    expect(usages).toEqual([1, 2, 4]);
    expect(json(events.slice(-5))).toEqual(
      json([
        { t: "block_stop", c: 0, b: 0 },
        { t: "stop", c: 0, stop: { kind: "content_filter", raw: "SAFETY", detail: "no" } },
        { t: "block_stop", c: 1, b: 0 },
        { t: "stop", c: 1, stop: { kind: "length", raw: "MAX_TOKENS" } },
        { t: "end" },
      ]),
    );
  });
});

test("what is cited late belongs to the text, its bytes counted as characters", () => {
  const groundingMetadata = {
    groundingChunks: [{ web: { uri: "https://a", title: "A" } }],
    groundingSupports: [
      { segment: { startIndex: 8, endIndex: 14, text: "zwölf" }, groundingChunkIndices: [0] },
      { segment: { startIndex: 90, endIndex: 99, text: "Größe" }, groundingChunkIndices: [0] },
      { segment: { startIndex: 90, endIndex: 99, text: "never said" }, groundingChunkIndices: [0] },
    ],
  };
  const events = eventsOf(
    chunkOf([{ text: "Größe " }]),
    chunkOf([{ text: "zwölf" }], { groundingMetadata }),
    chunkOf([{ text: "" }], { groundingMetadata, ...DONE }), // Hosts repeat themselves.
  );
  const spans = events.flatMap((event) =>
    event.t === "delta" && event.d.k === "citation" ? [event.d.citation.span ?? null] : [],
  );
  expect(spans).toEqual([
    { start: 6, end: 11, of: "message" },
    { start: 0, end: 5, of: "message" },
    null,
  ]);
});

describe("a stream that ends otherwise", () => {
  test("has no end when it was cut, in either framing", () => {
    for (const framed of [sse, array]) {
      const body = utf8(framed(chunkOf([{ text: "a" }]), chunkOf([{ text: "b" }], DONE)));
      for (let end = 0; end < body.lastIndexOf(0x7d); end += 3) {
        const kinds = readStream([body.slice(0, end)]).map(({ t }) => t);
        expect(kinds).not.toContain("end");
        expect(kinds).not.toContain("stop");
      }
    }
  });
  test("has an error last, and nothing behind it", () => {
    const error = { error: { code: 429, message: "slow", status: "RESOURCE_EXHAUSTED" } };
    const bare = sse(chunkOf([{ text: "a" }])) + JSON.stringify(error, null, 2);
    const late = sse(chunkOf([{ text: "a" }], DONE), error);
    for (const body of [sse(chunkOf([{ text: "a" }]), error, chunkOf([], DONE)), late, bare]) {
      const last = readStream([utf8(body)]).at(-1);
      expect(last).toMatchObject({ t: "error", error: { class: "rate_limit", message: "slow" } });
    }
  });
  test("has a stop when its prompt was blocked", () => {
    const body = sse({ promptFeedback: { blockReason: "SAFETY", blockReasonMessage: "no" } });
    const events = readStream([utf8(body)]);
    expect(events).toContainEqual(
      expect.objectContaining({ patch: { blocked: { reason: "SAFETY", message: "no" } } }),
    );
    expect(json(events.slice(-2))).toEqual(
      json([{ t: "stop", c: 0, stop: { kind: "content_filter", raw: "SAFETY" } }, { t: "end" }]),
    );
  });
});

test("the grammar holds, whatever comes and however it is cut", () => {
  const part = fc.oneof(
    fc.constantFrom<object[]>(
      { text: "a" },
      { text: "" },
      { text: "b", thought: true },
      { text: "", thoughtSignature: "c2ln" },
      { functionCall: { name: "f", args: { a: 1 } } },
      { functionCall: { name: "f", willContinue: true } },
      {
        functionCall: { partialArgs: [{ jsonPath: "$.a", stringValue: "x" }], willContinue: true },
      },
      { functionCall: {} },
      { inlineData: { mimeType: "image/png", data: "AA==" } },
      { executableCode: {} },
    ),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const chunk = fc.record(
    {
      candidates: fc.array(
        fc.record(
          {
            content: fc.record({ parts: fc.array(part, { maxLength: 3 }) }),
            index: fc.oneof(fc.nat(2), fc.jsonValue({ maxDepth: 1 })),
            finishReason: fc.oneof(fc.constantFrom("STOP", "SAFETY", "NEW"), fc.jsonValue()),
            groundingMetadata: fc.jsonValue({ maxDepth: 3 }),
            logprobsResult: fc.jsonValue({ maxDepth: 2 }),
          },
          { requiredKeys: [] },
        ),
        { maxLength: 2 },
      ),
      usageMetadata: fc.jsonValue({ maxDepth: 1 }),
      promptFeedback: fc.jsonValue({ maxDepth: 1 }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 4 }), cuts, (chunks, points) => {
      const body = utf8(sse(...chunks));
      const events = readStream(cut(body, points));
      expectGrammar(events);
      expect(readStream([body])).toEqual(events);
    }),
    { numRuns: 500 },
  );
});

/** One block of a candidate is open at a time; stops come once, and last. */
function expectGrammar(events: readonly IrEvent[]): void {
  const open = new Map<number, number>();
  const last = new Map<number, number>();
  const stopped = new Set<number>();
  for (const [place, event] of events.entries()) {
    if (event.t === "start") expect(place).toBe(0);
    if (event.t === "end") expect(place).toBe(events.length - 1);
    if (!("c" in event)) continue;
    expect(stopped.has(event.c)).toBe(false);
    if (event.t === "stop") {
      expect(open.has(event.c)).toBe(false);
      stopped.add(event.c);
    } else if (event.t === "block_start") {
      expect(open.has(event.c)).toBe(false);
      expect(event.b).toBeGreaterThan(last.get(event.c) ?? -1);
      last.set(event.c, event.b);
      open.set(event.c, event.b);
    } else {
      expect(open.get(event.c)).toBe(event.b);
      if (event.t === "block_stop") open.delete(event.c);
    }
  }
}

test("a chunk deeper than any answer is no reason to fall over", () => {
  const deep = '{"a":'.repeat(200_000) + "1" + "}".repeat(200_000);
  const body = `data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":${deep}}}]}}]}\n\n`;
  expect(readStream([utf8(body)])).toEqual([]);
});

const streams = recordingsOf("gemini").filter(({ streamed, status }) => streamed && status === 200);
(haveRecordings ? test : test.skip)(
  haveRecordings
    ? "every recorded stream keeps to the grammar, and says what its chunks say together"
    : `recorded streams ${NO_RECORDINGS}`,
  () => {
    for (const { response } of streams) {
      const events = readStream([response.slice()]);
      expectGrammar(events);
      expect(events.at(-1)).toEqual({ t: "end" });
      const text = events.flatMap((event) =>
        event.t === "delta" && event.d.k === "text" ? [event.d.text] : [],
      );
      const said = [...new TextDecoder().decode(response).matchAll(/^data: ?(.*)/gm)].flatMap(
        ([, data]) => codec.readAnswer(JSON.parse(data!)).candidates[0]?.blocks ?? [],
      );
      const whole = said.flatMap((block) => (block.type === "text" ? [block.text] : []));
      expect(text.join("")).toBe(whole.join(""));
    }
  },
);
