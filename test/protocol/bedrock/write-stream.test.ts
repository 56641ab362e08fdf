import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { ConverseStreamOutput } from "@aws-sdk/client-bedrock-runtime";
import type { Chunk } from "../../../src/core/units.ts";
import { streamReader } from "../../../src/protocol/bedrock/read-stream.ts";
import { streamTap } from "../../../src/protocol/bedrock/tap.ts";
import { streamWriter } from "../../../src/protocol/bedrock/write-stream.ts";
import type { BrokenStream } from "../../../src/protocol/dialect.ts";
import type { Block } from "../../../src/protocol/ir/block.ts";
import type { Delta, IrEvent } from "../../../src/protocol/ir/event.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import { contextOf, framesOf, joined, type SeenFrame } from "./pieces.ts";
import { converseStream, streamed, thrownBy } from "./sdk.ts";

const start: IrEvent = { t: "start", id: "x" };
const open = (b: number, block: Block): IrEvent => ({ t: "block_start", c: 0, b, block });
const grow = (b: number, d: Delta): IrEvent => ({ t: "delta", c: 0, b, d });
const close = (b: number): IrEvent => ({ t: "block_stop", c: 0, b });
const stop: IrEvent = { t: "stop", c: 0, stop: { kind: "end", raw: "stop" } };
const usage: IrEvent = { t: "usage", usage: { inputTotal: 3, outputTotal: 4, raw: {} } };
const end: IrEvent = { t: "end" };
const text = (b: number, ...parts: readonly string[]): IrEvent[] => [
  open(b, { type: "text", text: "" }),
  ...parts.map((part) => grow(b, { k: "text", text: part })),
  close(b),
];

function written(events: readonly IrEvent[]) {
  const losses: Loss[] = [];
  const writer = streamWriter(contextOf(losses));
  const chunks = events.map((event) => writer.write(event));
  const body: Chunk = joined([...chunks, writer.end()]);
  return {
    body,
    frames: framesOf(body),
    losses: losses.map(({ code, path }) => `${code} ${path}`),
  };
}
const short = ({ name, payload }: SeenFrame): unknown => [name, payload];
const tail = [
  ["messageStop", { stopReason: "end_turn" }],
  [
    "metadata",
    { usage: { inputTokens: 3, outputTokens: 4, totalTokens: 7 }, metrics: { latencyMs: 0 } },
  ],
];
const head = ["messageStart", { role: "assistant" }];
const deltaOf = (contentBlockIndex: number, delta: object) => [
  "contentBlockDelta",
  { contentBlockIndex, delta },
];
const stopOf = (contentBlockIndex: number) => ["contentBlockStop", { contentBlockIndex }];

describe("a foreign stream", () => {
  const call = (b: number, callId: string): IrEvent =>
    open(b, { type: "tool_call", callId, name: `f${b}`, args: "" });
  const args = (b: number, part: string): IrEvent => grow(b, { k: "args", text: part });

  test("is one of Converse, and complete to a tap only at its end", () => {
    const { frames, body, losses } = written([start, ...text(0, "a", "b"), stop, usage, end]);
    expect(frames.map(short)).toEqual([
      head,
      deltaOf(0, { text: "a" }),
      deltaOf(0, { text: "b" }),
      stopOf(0),
      ...tail,
    ]);
    expect(losses).toEqual([]);
    const tap = streamTap();
    tap.feed(body);
    expect(tap).toMatchObject({ complete: true, textBytes: 2, usage: { outputTokens: 4 } });
  });

  test("is read by the SDK as it was meant", async () => {
    const sealed = { value: "RED", encoding: "plain", family: "anthropic" } as const;
    const signed = { ...sealed, value: "SIG" };
    const { body } = written([
      start,
      open(0, { type: "reasoning" }),
      grow(0, { k: "reasoning", text: "hm" }),
      grow(0, { k: "signature", signed }),
      close(0),
      open(1, { type: "reasoning", sealed }),
      close(1),
      call(2, "c1"),
      args(2, '{"a"'),
      args(2, ":1}"),
      close(2),
      stop,
      usage,
      end,
    ]);
    const events = await converseStream(streamed(body));
    expect(events.map(plain)).toEqual([
      { messageStart: { role: "assistant" } },
      { contentBlockDelta: { contentBlockIndex: 0, delta: { reasoningContent: { text: "hm" } } } },
      {
        contentBlockDelta: {
          contentBlockIndex: 0,
          delta: { reasoningContent: { signature: "SIG" } },
        },
      },
      { contentBlockStop: { contentBlockIndex: 0 } },
      {
        contentBlockDelta: {
          contentBlockIndex: 1,
          delta: { reasoningContent: { redactedContent: "RED" } },
        },
      },
      { contentBlockStop: { contentBlockIndex: 1 } },
      {
        contentBlockStart: {
          contentBlockIndex: 2,
          start: { toolUse: { toolUseId: "c1", name: "f2" } },
        },
      },
      { contentBlockDelta: { contentBlockIndex: 2, delta: { toolUse: { input: '{"a"' } } } },
      { contentBlockDelta: { contentBlockIndex: 2, delta: { toolUse: { input: ":1}" } } } },
      { contentBlockStop: { contentBlockIndex: 2 } },
      { messageStop: { stopReason: "end_turn" } },
      {
        metadata: {
          usage: { inputTokens: 3, outputTokens: 4, totalTokens: 7 },
          metrics: { latencyMs: 0 },
        },
      },
    ]);
  });

  test("whose calls interleave has them one after another, and says so once", () => {
    const { frames, losses } = written([
      start,
      call(0, "a"),
      args(0, "[1"),
      call(1, "b"),
      args(1, "[2"),
      call(2, "c"),
      args(0, "]"),
      args(1, "]"),
      close(1),
      close(0),
      args(2, "{}"),
      stop,
      usage,
      end,
    ]);
    const startOf = (index: number, toolUseId: string) => [
      "contentBlockStart",
      { contentBlockIndex: index, start: { toolUse: { toolUseId, name: `f${index}` } } },
    ];
    const inputOf = (index: number, input: string) => deltaOf(index, { toolUse: { input } });
    expect(frames.map(short)).toEqual([
      head,
      startOf(0, "a"),
      inputOf(0, "[1"),
      inputOf(0, "]"),
      stopOf(0),
      startOf(1, "b"),
      inputOf(1, "[2"),
      inputOf(1, "]"),
      stopOf(1),
      startOf(2, "c"),
      inputOf(2, "{}"),
      stopOf(2),
      ...tail,
    ]);
    expect(losses).toEqual(["L-BUFFERED candidates[0].blocks[1]"]);
  });

  test("never has an empty argument, nor a block without anything in it", () => {
    const whole = open(5, { type: "tool_call", callId: "d", name: "g", argsValue: { a: 1 } });
    const { frames } = written([
      ...[start, ...text(0), open(1, { type: "reasoning" }), close(1)],
      ...[call(2, "c"), close(2), whole, close(5), stop, usage, end],
    ]);
    expect(frames.map(short).slice(1, -2)).toEqual([
      [
        "contentBlockStart",
        { contentBlockIndex: 0, start: { toolUse: { toolUseId: "c", name: "f2" } } },
      ],
      deltaOf(0, { toolUse: { input: "{}" } }),
      stopOf(0),
      [
        "contentBlockStart",
        { contentBlockIndex: 1, start: { toolUse: { toolUseId: "d", name: "g" } } },
      ],
      deltaOf(1, { toolUse: { input: '{"a":1}' } }),
      stopOf(1),
    ]);
  });

  test("keeps the parts of a summary apart, and a seal in a block of its own", () => {
    const sealed = { value: "UkVE", encoding: "base64-of-plain", family: "anthropic" } as const;
    const { frames } = written([
      start,
      open(0, { type: "reasoning" }),
      grow(0, { k: "summary", part: 0, text: "a" }),
      grow(0, { k: "summary", part: 0, text: "b" }),
      grow(0, { k: "summary", part: 1, text: "c" }),
      grow(0, { k: "sealed", signed: sealed }),
      close(0),
      ...[stop, usage, end],
    ]);
    const thought = (said: string) => deltaOf(0, { reasoningContent: { text: said } });
    expect(frames.map(short).slice(1, -2)).toEqual([
      ...["a", "b", "\n\n", "c"].map(thought),
      stopOf(0),
      deltaOf(1, { reasoningContent: { redactedContent: "UkVE" } }),
      stopOf(1),
    ]);
  });

  test("reports what has no place, and numbers what is left without a gap", () => {
    const { frames, losses } = written([
      start,
      open(0, { type: "hosted_call", vendor: "openai", toolType: "x", raw: {} }),
      grow(0, { k: "args", text: "?" }),
      close(0),
      ...text(1, "a"),
      { t: "block_start", c: 1, b: 0, block: { type: "text", text: "other" } },
      ...[stop, usage, end],
    ]);
    expect(frames.map(short)).toEqual([head, deltaOf(0, { text: "a" }), stopOf(0), ...tail]);
    expect(losses).toEqual(["L-HOSTED candidates[0].blocks[0]", "L-N candidates[1]"]);
  });

  test("holds an image, and cites its whole block", () => {
    const source = { kind: "base64", data: "QUJD" } as const;
    const span = { start: 0, end: 1, of: "block" } as const;
    const citation = { quoted: "q", span };
    const { frames, losses } = written([
      start,
      open(0, { type: "media", kind: "image", mime: "image/png", source }),
      close(0),
      open(1, { type: "text", text: "" }),
      grow(1, { k: "text", text: "a" }),
      grow(1, { k: "citation", citation }),
      ...[stop, usage, end],
    ]);
    expect(frames.map(short).slice(1, -2)).toEqual([
      ["contentBlockStart", { contentBlockIndex: 0, start: { image: { format: "png" } } }],
      deltaOf(0, { image: { source: { bytes: "QUJD" } } }),
      stopOf(0),
      deltaOf(1, { text: "a" }),
      deltaOf(1, { citation: { sourceContent: [{ text: "q" }] } }),
      stopOf(1),
    ]);
    expect(losses).toEqual(["L-CITE candidates[0].blocks[1]"]);
  });

  test("takes its usage before or behind its stop, the last of it, and ends once", () => {
    const early: IrEvent = { t: "usage", usage: { inputTotal: 9, outputTotal: 9, raw: {} } };
    const { frames } = written([start, early, stop, early, usage, end, end, stop]);
    expect(frames.map(short)).toEqual([head, ...tail]);
    const late = written([start, stop, usage]);
    expect(late.frames.map(short)).toEqual([head, ...tail]);
  });

  test("that says nothing at all is still one the SDK reads, and says what is missing", () => {
    const { frames, losses } = written([]);
    expect(frames.map(({ name }) => name)).toEqual(["messageStart", "messageStop", "metadata"]);
    expect(losses).toEqual(["L-STOP stop", "L-USAGE usage"]);
  });
});

describe("a stream that fails", () => {
  const error: IrEvent = {
    t: "error",
    error: { class: "overloaded", status: 503, message: "Busy." },
  };
  const broken = (mode: BrokenStream["mode"]): BrokenStream => ({
    ...{ mode, why: "truncated", requestId: "r", atBoundary: false },
    ...{ id: undefined, model: undefined },
  });

  test("by an error of its source is thrown on, and nothing follows", async () => {
    const { body, frames } = written([start, ...text(0, "a"), error, stop, end]);
    expect(frames.at(-1)).toMatchObject({ kind: "exception", name: "serviceUnavailableException" });
    const seen = await thrownBy(converseStream(streamed(body)));
    expect(seen).toMatchObject({ class: "ServiceUnavailableException", message: "Busy." });
  });

  test("by a cut is thrown on although its stop was heard of", async () => {
    const writer = streamWriter(contextOf());
    const begun = [start, ...text(0, "a"), stop].map((event) => writer.write(event));
    const body = joined([...begun, writer.fail(broken("surface")), writer.end()]);
    expect(framesOf(body).at(-1)?.name).toBe("modelStreamErrorException");
    expect((await thrownBy(converseStream(streamed(body))))?.class).toBe(
      "ModelStreamErrorException",
    );
  });

  test("and is to end gracefully ends its block and stops", () => {
    const writer = streamWriter(contextOf());
    const begun = [start, ...text(0, "a").slice(0, 2)].map((event) => writer.write(event));
    const frames = framesOf(joined([...begun, writer.fail(broken("graceful"))]));
    expect(frames.slice(-2).map(short)).toEqual([
      stopOf(0),
      ["messageStop", { stopReason: "malformed_model_output" }],
    ]);
  });
});

describe("whatever happens", () => {
  const block = fc.constantFrom<Block>(
    { type: "text", text: "" },
    { type: "text", text: "x" },
    { type: "reasoning" },
    { type: "tool_call", callId: "c", name: "f", args: "" },
    { type: "hosted_call", vendor: "openai", toolType: "x", raw: {} },
  );
  const delta = fc.constantFrom<Delta>(
    { k: "text", text: "a" },
    { k: "reasoning", text: "b" },
    { k: "args", text: "{}" },
    { k: "summary", part: 1, text: "c" },
    { k: "raw", data: null },
  );
  const number = fc.nat(3);
  const event = fc.oneof(
    fc.tuple(number, block).map(([b, said]) => open(b, said)),
    fc.tuple(number, delta).map(([b, said]) => grow(b, said)),
    number.map(close),
    fc.constantFrom(start, stop, usage),
  );

  test("blocks stand one after another, numbered without a gap, each ended", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        const { frames } = written([...events, end]);
        let current = -1;
        let isOpen = false;
        for (const { name, payload } of frames) {
          const { contentBlockIndex: index } = payload as { contentBlockIndex: number };
          if (name === "contentBlockStop") {
            expect([index, isOpen]).toEqual([current, true]);
            isOpen = false;
          } else if (index !== undefined) {
            if (!isOpen) current++;
            isOpen = true;
            expect(index).toBe(current);
          }
        }
        expect(isOpen).toBe(false);
        expect(frames[0]?.name).toBe("messageStart");
        expect(frames.slice(-2).map(({ name }) => name)).toEqual(["messageStop", "metadata"]);
      }),
    );
  });

  test("what is written is read again as the same text", () => {
    const texts = fc.array(fc.array(fc.string({ unit: "binary", minLength: 1 }), { minLength: 1 }));
    fc.assert(
      fc.property(texts, (blocks) => {
        const events = [
          start,
          ...blocks.flatMap((parts, b) => text(b, ...parts)),
          stop,
          usage,
          end,
        ];
        const reader = streamReader();
        const read = [...reader.feed(written(events).body), ...reader.end()];
        const said = read.map((seen) =>
          seen.t === "delta" && seen.d.k === "text" ? seen.d.text : "",
        );
        expect(said.join("")).toBe(blocks.flat().join(""));
        expect(read.at(-1)).toEqual(end);
      }),
    );
  });
});

/** An event as JSON, its bytes as text. */
function plain(event: ConverseStreamOutput): unknown {
  return JSON.parse(
    JSON.stringify(event, (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString() : value,
    ),
  );
}
