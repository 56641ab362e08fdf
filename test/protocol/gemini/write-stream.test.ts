import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ApiError, type GenerateContentResponse } from "@google/genai";
import type { BrokenStream } from "../../../src/protocol/dialect.ts";
import { codec } from "../../../src/protocol/gemini/codec.ts";
import { streamTap } from "../../../src/protocol/gemini/tap.ts";
import type { Block, Signed } from "../../../src/protocol/ir/block.ts";
import type { Delta, IrEvent } from "../../../src/protocol/ir/event.ts";
import {
  CALL,
  chunksIn,
  type Context,
  context,
  CURIOUS,
  json,
  readStream,
  sdkOn,
  streamOf,
  textOf,
  utf8,
  writeStream,
} from "./harness.ts";

const SIGNED: Signed = { value: "Z3cxLmFi", encoding: "plain", family: "google" };
const BROKEN: BrokenStream = {
  mode: "surface",
  why: "truncated",
  requestId: "req_1",
  atBoundary: true,
  id: undefined,
  model: undefined,
};

const START: IrEvent = { t: "start", id: "msg_1", model: "claude-x" };
const start = (b: number, block: Block, c = 0): IrEvent => ({ t: "block_start", c, b, block });
const delta = (b: number, d: Delta, c = 0): IrEvent => ({ t: "delta", c, b, d });
const stop = (b: number, c = 0): IrEvent => ({ t: "block_stop", c, b });
const text = (b: number, said: string): IrEvent => delta(b, { k: "text", text: said });
const END: readonly IrEvent[] = [
  { t: "stop", c: 0, stop: { kind: "end", raw: "end_turn" } },
  { t: "usage", usage: { inputTotal: 3, outputTotal: 2, raw: {} } },
  { t: "end" },
];

/** The chunks as the official SDK gives them to its caller. */
async function seen(stream: string): Promise<GenerateContentResponse[]> {
  const chunks: GenerateContentResponse[] = [];
  const client = sdkOn(() => streamOf(stream));
  for await (const chunk of await client.models.generateContentStream(CALL)) chunks.push(chunk);
  return chunks;
}
async function thrown(stream: string): Promise<unknown> {
  return seen(stream).then(
    () => "nothing",
    (error: unknown) => error,
  );
}

const TEXTS: readonly IrEvent[] = [
  START,
  start(0, { type: "text", text: "" }),
  text(0, "Hel"),
  text(0, "lo\n\ndata: x"),
  stop(0),
];
const CALLS: readonly IrEvent[] = [
  START,
  start(2, { type: "tool_call", callId: "c1", name: "f", args: "" }),
  start(5, { type: "tool_call", callId: "c2", name: "g", args: "", proof: SIGNED }),
  delta(2, { k: "args", text: '{"a"' }),
  delta(5, { k: "args", text: '{"b":' }),
  delta(2, { k: "args", text: ":1}" }),
  delta(5, { k: "args", text: "2}" }),
  stop(2),
  stop(5),
];

describe("a stream of another protocol, as the official SDK reads it", () => {
  test("has its text as it came, then why it stopped and what it cost, once", async () => {
    const chunks = await seen(writeStream([...TEXTS, ...END]));
    expect(chunks.map((chunk) => chunk.text)).toEqual(["Hel", "lo\n\ndata: x", ""]);
    const reasons = chunks.map(
      (chunk) => chunk.candidates?.[0]?.finishReason as string | undefined,
    );
    expect(reasons).toEqual([undefined, undefined, "STOP"]);
    const usages = chunks.map((chunk) => chunk.usageMetadata?.totalTokenCount);
    expect(usages).toEqual([undefined, undefined, 5]);
    expect(new Set(chunks.map((chunk) => chunk.responseId)).size).toBe(1);
    expect(new Set(chunks.map((chunk) => chunk.modelVersion))).toEqual(new Set(["claude-x"]));
  });

  test("has calls whole, however their arguments came and interleaved", async () => {
    const chunks = await seen(writeStream([...CALLS, ...END]));
    expect(json(chunks.flatMap((chunk) => chunk.functionCalls ?? []))).toEqual(
      json([
        { id: "c1", name: "f", args: { a: 1 } },
        { id: "c2", name: "g", args: { b: 2 } },
      ]),
    );
    const parts = chunks.flatMap((chunk) => chunk.candidates?.[0]?.content?.parts ?? []);
    expect(parts.map((part) => part.thoughtSignature)).toEqual([
      undefined,
      SIGNED.value,
      undefined,
    ]);
  });

  test("has what stands beside its text in the last chunk", () => {
    const source = { url: "https://a.example", title: "A" };
    const events: IrEvent[] = [
      START,
      start(0, { type: "text", text: "" }),
      text(0, "Größe "),
      text(0, "zwölf"),
      delta(0, { k: "logprobs", tokens: [{ token: "x", logprob: -1 }] }),
      delta(0, {
        k: "citation",
        citation: { sources: [source], span: { start: 6, end: 11, of: "block" } },
      }),
      stop(0),
      ...END,
    ];
    expect(chunksIn(writeStream(events)).at(-1)).toMatchObject({
      candidates: [
        {
          finishReason: "STOP",
          groundingMetadata: {
            groundingChunks: [{ web: { uri: source.url, title: "A" } }],
            groundingSupports: [
              {
                segment: { startIndex: 8, endIndex: 14, text: "zwölf" },
                groundingChunkIndices: [0],
              },
            ],
          },
          logprobsResult: { chosenCandidates: [{ token: "x", logProbability: -1 }] },
        },
      ],
    });
  });

  test("shows thoughts to who asked, and keeps them for a proof otherwise", () => {
    const thought = (proof: boolean): IrEvent[] => [
      START,
      start(0, { type: "reasoning" }),
      delta(0, { k: "reasoning", text: "h" }),
      delta(0, { k: "reasoning", text: "m" }),
      ...(proof ? [delta(0, { k: "signature", signed: SIGNED })] : []),
      stop(0),
      ...END,
    ];
    const partsOf = (events: readonly IrEvent[], given?: Context) =>
      chunksIn(writeStream(events, given)).flatMap((chunk) =>
        json(chunk["candidates"])["0"] === undefined
          ? []
          : (json(json(chunk["candidates"])["0"])["content"] as never)["parts"],
      ) as unknown[];
    const empty = { text: "" };
    const proven = { thought: true, thoughtSignature: SIGNED.value };
    expect(partsOf(thought(false))).toEqual([empty]);
    expect(partsOf(thought(true))).toEqual([{ text: "hm", ...proven }, empty]);
    const asked = [
      { text: "h", thought: true },
      { text: "m", thought: true },
    ];
    expect(partsOf(thought(false), context("events", CURIOUS))).toEqual([...asked, empty]);
    expect(partsOf(thought(true), context("events", CURIOUS))).toEqual([
      ...asked,
      { text: "", ...proven },
      empty,
    ]);
  });

  test("takes what the wire repeated of a block for right", () => {
    const final: Block = { type: "tool_call", callId: "c", name: "f", args: '{"a":2}' };
    const events: IrEvent[] = [
      START,
      start(0, { type: "tool_call", callId: "c", name: "f", args: "" }),
      delta(0, { k: "args", text: '{"a":1}' }),
      { t: "block_stop", c: 0, b: 0, final },
      start(1, { type: "reasoning" }),
      { t: "block_stop", c: 0, b: 1, final: { type: "reasoning", sealed: SIGNED } },
      ...END,
    ];
    const stream = writeStream(events);
    expect(stream).toContain('"args":{"a":2}');
    expect(stream).toContain(SIGNED.value);
  });

  test("has several candidates, each with its own end", () => {
    const events: IrEvent[] = [
      START,
      start(0, { type: "text", text: "" }, 0),
      start(0, { type: "text", text: "" }, 1),
      delta(0, { k: "text", text: "a" }, 0),
      delta(0, { k: "text", text: "b" }, 1),
      { t: "stop", c: 1, stop: { kind: "length" } },
      { t: "stop", c: 0, stop: { kind: "end" } },
      { t: "end" },
    ];
    const chunks = chunksIn(writeStream(events));
    expect(chunks).toHaveLength(3);
    expect(chunks[2]).toMatchObject({
      candidates: [
        { index: 0, finishReason: "STOP" },
        { index: 1, finishReason: "MAX_TOKENS" },
      ],
    });
  });

  test("throws the upstream's error with its status, and has nothing behind it", async () => {
    const events: IrEvent[] = [
      ...TEXTS.slice(0, -1),
      { t: "error", error: { class: "overloaded", status: 529, message: "Overloaded" } },
      text(0, "more"),
      stop(0),
      ...END,
    ];
    const stream = writeStream(events);
    expect(stream).not.toContain("more");
    const error = await thrown(stream);
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).status).toBe(503);
  });

  test.each(["truncated", "timeout", "shutdown", "bug"] as const)(
    "throws when it broke: %s",
    async (why) => {
      const writer = codec.streamWriter(context());
      const began = TEXTS.map((event) => textOf(writer.write(event))).join("");
      const failed = textOf(writer.fail({ ...BROKEN, why }));
      expect(textOf(writer.fail({ ...BROKEN, why })) + textOf(writer.end())).toBe("");
      const error = await thrown(began + failed);
      expect(error).toBeInstanceOf(ApiError);
      expect([500, 502, 503, 504]).toContain((error as ApiError).status);
    },
  );
});

describe("in the framing of an array", () => {
  test("the same chunks are the elements of one", () => {
    for (const events of [TEXTS, CALLS]) {
      const inArray = writeStream([...events, ...END], context("json-array"));
      expect(JSON.parse(inArray)).toEqual(chunksIn(writeStream([...events, ...END])));
    }
  });
  test("no chunk is an empty array, an error its last element", () => {
    const writer = codec.streamWriter(context("json-array"));
    writer.write({ t: "error", error: { class: "server", status: 500, message: "m" } });
    expect(textOf(writer.end())).toBe("");
    const errors = writeStream(
      [...TEXTS, { t: "error", error: { class: "server", status: 500, message: "m" } }],
      context("json-array"),
    );
    expect(JSON.parse(errors).at(-1)).toMatchObject({ error: { code: 500 } });
  });
});

test("what was written is read again as what was meant, and is complete", () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary", minLength: 1 }).map((said) => ({ kind: "text", said }) as const),
    fc.jsonValue().map((value) => ({ kind: "call", value }) as const),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      const events: IrEvent[] = [START];
      for (const [b, each] of pieces.entries()) {
        if (each.kind === "text") {
          events.push(start(b, { type: "text", text: "" }), text(b, each.said), stop(b));
        } else {
          const args = JSON.stringify({ v: each.value });
          events.push(start(b, { type: "tool_call", name: "f", args: "" }));
          events.push(delta(b, { k: "args", text: args }), stop(b));
        }
      }
      const stream = writeStream([...events, ...END]);
      const tap = streamTap();
      tap.feed(utf8(stream));
      tap.end();
      expect(tap.complete).toBe(true);
      const said = readStream([utf8(stream)]).flatMap((event) => {
        if (event.t !== "delta") return [];
        return event.d.k === "text" || event.d.k === "args" ? [event.d.text] : [];
      });
      const meant = pieces.map((each) =>
        each.kind === "text" ? each.said.toWellFormed() : JSON.stringify({ v: each.value }),
      );
      expect(said.join("").toWellFormed()).toBe(meant.join("").toWellFormed());
    }),
  );
});
