import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { codec } from "../../../src/protocol/anthropic/codec.ts";
import { streamTap } from "../../../src/protocol/anthropic/tap.ts";
import type { Block } from "../../../src/protocol/ir/block.ts";
import type { Delta, IrEvent } from "../../../src/protocol/ir/event.ts";
import { haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";
import { CLIENTS } from "./clients.ts";
import { completed, context, eventsOf, readAll, textOf, writeAll } from "./pieces.ts";

const start: IrEvent = { t: "start", id: "chatcmpl-1", model: "m-1" };
const end: IrEvent = { t: "end" };
const begin = (b: number, block: Block): IrEvent => ({ t: "block_start", c: 0, b, block });
const grow = (b: number, d: Delta): IrEvent => ({ t: "delta", c: 0, b, d });
const stopped = (b: number): IrEvent => ({ t: "block_stop", c: 0, b });
const says = (b: number, text: string) => grow(b, { k: "text", text });
const args = (b: number, text: string) => grow(b, { k: "args", text });
const call = (id: string): Block => ({ type: "tool_call", callId: id, name: `f_${id}`, args: "" });
const TEXT: Block = { type: "text", text: "" };
const THOUGHT: Block = { type: "reasoning" };
const stop = (kind: "end" | "tool_call" | "content_filter"): IrEvent => ({
  t: "stop",
  c: 0,
  stop: { kind, raw: "word" },
});
const usage: IrEvent = {
  t: "usage",
  usage: { inputTotal: 10, cacheRead: 4, cacheWrite: 1, outputTotal: 7, reasoning: 2, raw: {} },
};
const foreign = (value: string) => ({ value, encoding: "plain", family: "openai" }) as const;

/** The message each SDK puts together; both must see the same content. */
async function messageOf(events: readonly IrEvent[]) {
  const { body, codes } = writeAll(events);
  expectGrammar(events);
  const messages = await Promise.all(CLIENTS.map(async (client) => await client.stream(body)));
  for (const { error } of messages) if (error !== undefined) throw error;
  const [older, newer] = messages.map(({ message }) => message as Record<string, unknown>);
  expect(newer!["content"]).toEqual(older!["content"]);
  return { message: newer!, codes };
}

/** The order this wire demands: protocols.md 5.3. */
function expectGrammar(events: readonly IrEvent[]) {
  const written = eventsOf(writeAll(events).body).filter(({ event }) => event !== "ping");
  let open: number | undefined;
  let next = 0;
  for (const [at, { event, data }] of written.entries()) {
    expect(data["type"]).toBe(event);
    expect(event === "message_start").toBe(at === 0);
    if (event === "content_block_start") {
      expect(open).toBeUndefined();
      expect(data["index"]).toBe(next);
      open = next++;
    } else if (event === "content_block_delta") {
      expect(data["index"]).toBe(open);
    } else if (event === "content_block_stop") {
      expect(data["index"]).toBe(open);
      open = undefined;
    } else if (event === "message_delta") {
      expect(open).toBeUndefined();
      expect(at).toBe(written.length - 2);
    } else if (event === "message_stop") {
      expect(at).toBe(written.length - 1);
    }
  }
  expect(written.at(-1)!.event).toMatch(/^(message_stop|error)$/);
}

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  const streams = recordingsOf("anthropic").filter(
    ({ streamed, name }) => streamed && name !== "vercel-ai--spliced-message-start",
  );
  for (const { name, response } of streams) {
    for (const client of CLIENTS) {
      test(`${name}: ${client.name} makes the same message of it, rewritten`, async () => {
        const direct = await client.stream(completed(response));
        const rewritten = await client.stream(writeAll(readAll(response.slice())).body);
        expect(direct.error).toBeUndefined();
        expect(rewritten).toEqual(direct);
      });
    }
  }
});

describe("a stream from elsewhere", () => {
  test("is a message of a minted id, with zeros first and the right usage at the end", async () => {
    const { message, codes } = await messageOf([
      start,
      begin(0, TEXT),
      says(0, "Hel"),
      says(0, "lo"),
      stopped(0),
      stop("end"),
      usage,
      end,
    ]);
    expect(message).toMatchObject({
      id: "msg_1",
      model: "m-1",
      role: "assistant",
      content: [{ type: "text", text: "Hello" }],
      stop_reason: "end_turn",
      stop_sequence: null,
      stop_details: null,
      usage: {
        input_tokens: 5,
        cache_read_input_tokens: 4,
        cache_creation_input_tokens: 1,
        output_tokens: 7,
        output_tokens_details: { thinking_tokens: 2 },
      },
    });
    expect(codes).toEqual([]);
  });
  test("has a ping behind its start", () => {
    const [first, second] = eventsOf(writeAll([start, end]).body);
    expect([first!.event, second!.event]).toEqual(["message_start", "ping"]);
    expect(first!.data["message"]).toMatchObject({ usage: { input_tokens: 0, output_tokens: 0 } });
  });
  test("has interleaved calls put one after another", async () => {
    const { message, codes } = await messageOf([
      start,
      begin(0, TEXT),
      says(0, "calling"),
      stopped(0),
      begin(3, call("a")),
      begin(5, call("b")),
      args(5, '{"y":'),
      args(3, '{"x":'),
      args(5, "2}"),
      args(3, "1}"),
      stopped(5),
      stopped(3),
      stop("tool_call"),
      usage,
      end,
    ]);
    expect(message["content"]).toEqual([
      { type: "text", text: "calling" },
      expect.objectContaining({ type: "tool_use", id: "a", input: { x: 1 } }),
      expect.objectContaining({ type: "tool_use", id: "b", input: { y: 2 } }),
    ]);
    expect(message["stop_reason"]).toBe("tool_use");
    expect(codes).toEqual(["L-BUFFERED"]);
  });
  test("has blocks that nobody stopped stopped at its end", async () => {
    const { message } = await messageOf([
      start,
      begin(0, call("a")),
      begin(1, call("b")),
      args(1, "{}"),
      args(0, '{"x":1}'),
      stop("tool_call"),
      usage,
      end,
    ]);
    expect(message["content"]).toMatchObject([
      { id: "a", input: { x: 1 } },
      { id: "b", input: {} },
    ]);
  });
  test("may bring a call whole with its start, or its arguments with its stop only", async () => {
    const whole: Block = { type: "tool_call", callId: "a", name: "f", argsValue: { x: 1 } };
    const late: Block = { type: "tool_call", callId: "b", name: "f", args: '{"y":2}' };
    const { message } = await messageOf([
      start,
      begin(0, whole),
      stopped(0),
      begin(1, { ...late, args: "" }),
      { t: "block_stop", c: 0, b: 1, final: late },
      stop("tool_call"),
      usage,
      end,
    ]);
    expect(message["content"]).toMatchObject([{ input: { x: 1 } }, { input: { y: 2 } }]);
  });
  test("shows reasoning with its signature, and with an empty one where nobody signed", async () => {
    const { message } = await messageOf([
      start,
      begin(0, THOUGHT),
      grow(0, { k: "reasoning", text: "hm" }),
      grow(0, { k: "signature", signed: foreign("gw1.x") }),
      stopped(0),
      begin(1, THOUGHT),
      grow(1, { k: "reasoning", text: "so" }),
      stopped(1),
      stop("end"),
      usage,
      end,
    ]);
    expect(message["content"]).toEqual([
      { type: "thinking", thinking: "hm", signature: "gw1.x" },
      { type: "thinking", thinking: "so", signature: "" },
    ]);
  });
  test("joins the parts of a summary, and puts a seal into a block of its own", async () => {
    const { message } = await messageOf([
      start,
      begin(0, THOUGHT),
      grow(0, { k: "summary", part: 0, text: "one" }),
      grow(0, { k: "summary", part: 1, text: "two" }),
      grow(0, { k: "sealed", signed: foreign("SEAL") }),
      stopped(0),
      begin(1, TEXT),
      says(1, "x"),
      stopped(1),
      stop("end"),
      usage,
      end,
    ]);
    expect(message["content"]).toEqual([
      { type: "thinking", thinking: "one\n\ntwo", signature: "" },
      { type: "redacted_thinking", data: "SEAL" },
      { type: "text", text: "x" },
    ]);
  });
  test("has a block of reasoning that turns out to be sealed only as redacted", async () => {
    const sealed = { ...THOUGHT, sealed: foreign("SEAL") };
    const { message } = await messageOf([
      start,
      begin(0, THOUGHT),
      { t: "block_stop", c: 0, b: 0, final: sealed },
      begin(1, sealed),
      stopped(1),
      begin(2, THOUGHT),
      stopped(2),
      stop("end"),
      usage,
      end,
    ]);
    const redacted = { type: "redacted_thinking", data: "SEAL" };
    expect(message["content"]).toEqual([redacted, redacted]);
  });
  test("has a carrier as thinking without text", async () => {
    const carrier: Block = {
      type: "reasoning",
      text: "",
      signature: foreign("gw1.call"),
      carries: { proofOf: "call", callId: "a" },
    };
    const { message } = await messageOf([start, begin(0, carrier), stopped(0), usage, end]);
    expect(message["content"]).toEqual([{ type: "thinking", thinking: "", signature: "gw1.call" }]);
  });
  test("tells a refusal by its stop reason, and says it as text", async () => {
    const { message, codes } = await messageOf([
      start,
      begin(0, { type: "refusal", text: "" }),
      grow(0, { k: "refusal", text: "no" }),
      stopped(0),
      stop("end"),
      usage,
      end,
    ]);
    expect(message["content"]).toEqual([{ type: "text", text: "no" }]);
    expect(message["stop_reason"]).toBe("refusal");
    expect(codes).toEqual([]);
  });
  test("has a web citation on its block; other places and late ones are lost and said to be", async () => {
    const web = {
      place: { kind: "web" },
      sources: [{ url: "https://x.test", title: "X" }],
    } as const;
    const { message, codes } = await messageOf([
      start,
      begin(0, TEXT),
      says(0, "cited"),
      grow(0, { k: "citation", citation: web }),
      grow(0, {
        k: "citation",
        citation: { place: { kind: "file" }, sources: [{ documentId: "f" }] },
      }),
      stopped(0),
      grow(0, { k: "citation", citation: web }),
      stop("end"),
      usage,
      end,
    ]);
    expect(message["content"]).toMatchObject([
      { citations: [{ type: "web_search_result_location", url: "https://x.test", title: "X" }] },
    ]);
    expect(codes).toEqual(["L-CITE"]); // Said once of each block.
  });
  test("leaves out what this wire does not show, and says so", async () => {
    const raw = { type: "web_search_call" };
    const { message, codes } = await messageOf([
      start,
      begin(0, { type: "hosted_call", vendor: "responses", toolType: "web_search", raw }),
      args(0, "{}"),
      stopped(0),
      begin(1, { type: "opaque", vendor: "gemini", wireType: "x", raw }),
      stopped(1),
      begin(2, { type: "media", kind: "image", source: { kind: "base64", data: "AA" } }),
      stopped(2),
      begin(3, TEXT),
      says(3, "x"),
      grow(3, { k: "logprobs", tokens: [{ token: "x", logprob: -1 }] }),
      stopped(3),
      { t: "block_start", c: 1, b: 4, block: TEXT },
      { t: "delta", c: 1, b: 4, d: { k: "text", text: "second" } },
      stop("content_filter"),
      end,
    ]);
    expect(message["content"]).toEqual([{ type: "text", text: "x" }]);
    expect(message["stop_reason"]).toBe("refusal");
    expect(codes).toEqual([
      "L-HOSTED",
      "L-UNKNOWN-BLOCK",
      "L-ASSISTANT-MEDIA",
      "L-LOGPROBS",
      "L-N",
      "L-USAGE",
      "L-STOP",
    ]);
  });
  test("of a blocked prompt is empty and refused", async () => {
    const blocked = { t: "meta", patch: { blocked: { reason: "SAFETY" } } } as const;
    const { message } = await messageOf([start, blocked, usage, end]);
    expect(message).toMatchObject({ content: [], stop_reason: "refusal" });
    expect(message["stop_details"]).toMatchObject({ type: "refusal", explanation: "SAFETY" });
  });
  test("needs no start event, and no end event where its source just ends well", async () => {
    const { message } = await messageOf([begin(0, TEXT), says(0, "x"), usage]);
    expect(message).toMatchObject({ id: "msg_1", model: "m", content: [{ text: "x" }] });
  });
  test("may tell its usage behind its stop", () => {
    const { body } = writeAll([start, stop("end"), usage, end]);
    const told = eventsOf(body).find(({ event }) => event === "message_delta")!;
    expect(told.data["usage"]).toMatchObject({ output_tokens: 7 });
  });
});

describe("a stream that ends badly", () => {
  const partial = [start, begin(0, TEXT), says(0, "x")];
  const broken = {
    mode: "surface",
    why: "truncated",
    requestId: "req_1",
    atBoundary: false,
    id: undefined,
    model: undefined,
  } as const;
  const joined = (...chunks: Uint8Array[]) => new Uint8Array(Buffer.concat(chunks));

  for (const client of CLIENTS) {
    test(`throws in ${client.name}: an error event, and nothing behind it`, async () => {
      const error = { class: "overloaded", status: 529, message: "Busy" } as const;
      const { body } = writeAll([...partial, { t: "error", error }, says(0, "more"), end]);
      expect(eventsOf(body).at(-1)).toMatchObject({
        event: "error",
        data: { error: { message: "Busy" } },
      });
      expect((await client.stream(body)).error).toMatchObject({ type: "overloaded_error" });
    });
    test(`throws in ${client.name}: a source that broke off`, async () => {
      const writer = codec.streamWriter(context());
      const body = joined(...partial.map((event) => writer.write(event)), writer.fail(broken));
      const { error } = await client.stream(body);
      expect(error).toMatchObject({ type: "api_error" });
      expect(String(error)).toContain("The response stream was interrupted.");
      expect(writer.end()).toHaveLength(0);
      expect(writer.write(end)).toHaveLength(0);
    });
    test(`throws in ${client.name}: a source that stopped on an error`, async () => {
      const { body } = writeAll([
        ...partial,
        { t: "stop", c: 0, stop: { kind: "timeout" } },
        usage,
        end,
      ]);
      expect((await client.stream(body)).error).toMatchObject({ type: "timeout_error" });
    });
  }
  test("has one end, however often it is told to end", () => {
    const { body } = writeAll([start, end, end, { t: "ping" }, usage]);
    expect(textOf(body).match(/message_stop/g)).toHaveLength(2); // The event's name and its type.
  });
});

// Any order of any events of up to three blocks.
const block = fc.constantFrom<Block>(
  TEXT,
  THOUGHT,
  call("a"),
  { type: "refusal", text: "" },
  {
    type: "opaque",
    vendor: "openai",
    wireType: "x",
    raw: {},
  },
);
const delta = fc.oneof(
  fc.record({ k: fc.constant("text" as const), text: fc.string() }),
  fc.record({ k: fc.constant("reasoning" as const), text: fc.string({ unit: "binary" }) }),
  fc.record({
    k: fc.constant("args" as const),
    text: fc.constantFrom("{", "}", "\n\nevent: error"),
  }),
  fc.constant<Delta>({ k: "sealed", signed: foreign("S") }),
  fc.constant<Delta>({ k: "raw", data: { type: "message_stop" } }),
);
const b = fc.nat(2);
const anyEvent = fc.oneof(
  fc.record({ t: fc.constant("block_start" as const), c: fc.constant(0), b, block }),
  fc.record({ t: fc.constant("delta" as const), c: fc.constant(0), b, d: delta }),
  fc.record({ t: fc.constant("block_stop" as const), c: fc.constant(0), b }),
  fc.constant<IrEvent>({ t: "ping" }),
  fc.constant<IrEvent>(usage),
);

test("any events in any order give a stream of this wire's grammar that is complete", () => {
  const property = fc.property(fc.array(anyEvent, { maxLength: 30 }), (events) => {
    expectGrammar([start, ...events, end]);
    const tap = streamTap();
    tap.feed(writeAll([start, ...events, end]).body);
    tap.end();
    expect(tap.complete).toBe(true);
    expect(tap.fault).toBeUndefined();
  });
  fc.assert(property, { numRuns: 300 });
});
