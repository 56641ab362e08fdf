import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import type { Chunk } from "../../../src/core/units.ts";
import { codec } from "../../../src/protocol/bedrock/codec.ts";
import { eventFrame, exceptionFrame } from "../../../src/protocol/bedrock/frames.ts";
import { streamReader } from "../../../src/protocol/bedrock/read-stream.ts";
import { streamTap } from "../../../src/protocol/bedrock/tap.ts";
import type { IrEvent } from "../../../src/protocol/ir/event.ts";
import { fixture, haveRecordings, NO_RECORDINGS } from "../../faultd/recordings.ts";
import { bytewise, contextOf, joined, streamsOf } from "./pieces.ts";

function read(...chunks: readonly Chunk[]): IrEvent[] {
  const reader = streamReader();
  const events = chunks.flatMap((chunk) => {
    const own = chunk.slice();
    const read = reader.feed(own);
    own.fill(0x22);
    return read;
  });
  return [...events, ...reader.end()];
}
const kinds = (events: readonly IrEvent[]): string[] => events.map(({ t }) => t);

const start = eventFrame("messageStart", { role: "assistant" });
const delta = (contentBlockIndex: number, said: object) =>
  eventFrame("contentBlockDelta", { contentBlockIndex, delta: said as never });
const stopOf = (contentBlockIndex: number) => eventFrame("contentBlockStop", { contentBlockIndex });
const stop = eventFrame("messageStop", { stopReason: "end_turn" });
const usage = { inputTokens: 3, outputTokens: 4, totalTokens: 7 };
const metadata = eventFrame("metadata", { usage, metrics: { latencyMs: 5 } });

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  for (const { name, body } of streamsOf("bedrock-converse")) {
    test(`${name} has its blocks begun, grown and ended, and its stop before its end`, () => {
      const open = new Set<number>();
      const seen: string[] = [];
      for (const event of read(body)) {
        if (event.t === "block_start") open.add(event.b);
        if (event.t === "delta") expect(open.has(event.b)).toBe(true);
        if (event.t === "block_stop") expect(open.delete(event.b)).toBe(true);
        if (["start", "stop", "end"].includes(event.t)) seen.push(event.t);
        expect(["raw", "error"]).not.toContain(event.t);
      }
      expect([...open]).toEqual([]);
      expect(seen.filter((t) => t !== "start")).toEqual(["stop", "end"]);
      expect(read(...bytewise(body))).toEqual(read(body));
    });

    test(`${name} ends wherever its tap says it is complete, and nowhere else`, () => {
      const wrong: number[] = [];
      for (let end = 0; end <= body.length; end += 1 + (end % 211)) {
        const tap = streamTap();
        tap.feed(body.slice(0, end));
        const isEnded = kinds(read(body.slice(0, end))).includes("end");
        if (isEnded !== tap.complete) wrong.push(end);
      }
      expect(wrong).toEqual([]);
    });
  }

  test("each recorded exception is an error of its class, and unknown events are kept", () => {
    const frames: { name: string; hex: string }[] = JSON.parse(
      readFileSync(fixture("eventstream-bedrock/exceptions.json"), "utf8"),
    );
    const classes = frames.map(({ name, hex }) => {
      const [event] = read(new Uint8Array(Buffer.from(hex, "hex")));
      return [name, event?.t === "error" ? event.error.class : event?.t];
    });
    expect(Object.fromEntries(classes)).toEqual({
      throttlingException: "rate_limit",
      serviceUnavailableException: "overloaded",
      validationException: "context_length",
      internalServerException: "server",
      modelTimeoutException: "timeout",
      modelStreamErrorException: "overloaded",
      "unmodelled-error": "server",
      "unknown-event": "raw",
      "initial-response": "raw",
    });
  });
});

describe("a stream", () => {
  test("begins the blocks that the wire does not", () => {
    expect(read(start, delta(0, { text: "a" }), stopOf(0), stop, metadata)).toEqual([
      { t: "start", ext: { bedrock: {} } },
      { t: "block_start", c: 0, b: 0, block: { type: "text", text: "" } },
      { t: "delta", c: 0, b: 0, d: { k: "text", text: "a" }, ext: undefined },
      { t: "block_stop", c: 0, b: 0, ext: undefined },
      {
        t: "stop",
        c: 0,
        stop: { kind: "end", raw: "end_turn", sequence: undefined },
        ext: undefined,
      },
      {
        t: "usage",
        usage: expect.objectContaining({ inputTotal: 3, outputTotal: 4, raw: { bedrock: usage } }),
        ext: { bedrock: { metrics: { latencyMs: 5 } } },
      },
      { t: "end" },
    ]);
  });

  test("gives an index that comes again a number of its own", () => {
    const again = [delta(0, { text: "a" }), stopOf(0), delta(0, { text: "b" }), stopOf(0)];
    const begun = read(start, ...again).filter((event) => event.t === "block_start");
    expect(begun.map(({ b }) => b)).toEqual([0, 1]);
  });

  test("ends what is still open when it stops", () => {
    const open = [delta(0, { text: "a" }), delta(1, { text: "b" })];
    expect(kinds(read(start, ...open, stop)).slice(-4)).toEqual([
      "block_stop",
      "block_stop",
      "stop",
      "end",
    ]);
  });

  test("says nothing behind an error, and has no end", () => {
    const failed = exceptionFrame("internalServerException", { message: "Oops" });
    expect(kinds(read(start, stop, failed, delta(0, { text: "a" }), stop))).toEqual([
      "start",
      "stop",
      "error",
    ]);
  });

  test("with a bit turned anywhere is an error or has no end", () => {
    const body = joined([start, delta(0, { text: "hi" }), stopOf(0), stop]);
    for (let bit = 0; bit < body.length * 8; bit++) {
      const turned = body.slice();
      turned[bit >> 3]! ^= 1 << (bit & 7);
      const seen = kinds(read(turned, body));
      expect([bit, seen.includes("error"), seen.includes("end")]).toEqual([bit, true, false]);
    }
  });
});

describe("hostile streams", () => {
  test("of any bytes are read without a throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        read(new Uint8Array(bytes));
      }),
    );
  });

  test("of any messages are read, written again and never thrown at", () => {
    const names = fc.constantFrom(
      ...["messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop"],
      ...["messageStop", "metadata", "chunk", "constructor", ""],
    );
    const said = fc.oneof(
      fc.constantFrom<object>(
        { text: "a" },
        { toolUse: { input: "{" } },
        { toolUse: { toolUseId: "c", name: "f" } },
        { toolUse: { toolUseId: "c", name: "f", type: "server_tool_use" } },
        { toolResult: [{ text: "a" }, { json: null }, { odd: 1 }] },
        { toolResult: { toolUseId: "c" } },
        { reasoningContent: { text: "a" } },
        { reasoningContent: { redactedContent: "a", text: "b" } },
        { citation: { title: null, location: { web: 1 } } },
        { image: { source: { bytes: "QQ==" } } },
        { image: { format: "png" } },
      ),
      fc.jsonValue(),
    );
    const payload = fc.oneof(
      fc.record({
        contentBlockIndex: fc.nat(2),
        delta: said,
        start: said,
        stopReason: fc.string(),
      }),
      fc.record({ contentBlockIndex: fc.jsonValue(), usage: fc.jsonValue(), role: fc.jsonValue() }),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(names, payload), { maxLength: 12 }), (messages) => {
        const body = joined(messages.map(([name, data]) => eventFrame(name, data as never)));
        const events = read(body);
        expect(read(...bytewise(body))).toEqual(events);
        const writer = codec.streamWriter(contextOf());
        for (const event of events) writer.write(event);
        writer.end();
      }),
      { numRuns: 500 },
    );
  });
});
