import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { codec } from "../../../src/protocol/anthropic/codec.ts";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import { plain, readAll, utf8, writeAll } from "./pieces.ts";

const sse = (...events: { readonly type?: string }[]): string =>
  events.map((one) => `event: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`).join("");
const START = { type: "message_start", message: { id: "msg_1", model: "m" } };
const begin = (index: number, content_block: object) => ({
  type: "content_block_start",
  index,
  content_block,
});
const grow = (index: number, delta: object) => ({ type: "content_block_delta", index, delta });
const read = (...events: { readonly type?: string }[]) => readAll(utf8(sse(...events)));
const typesOf = (...events: { readonly type?: string }[]) => read(...events).map(({ t }) => t);

test("a text that stands in its block's start is a delta", () => {
  const events = read(
    START,
    begin(0, { type: "text", text: "a" }),
    begin(1, { type: "thinking", thinking: "b" }),
  );
  expect(plain(events.slice(1))).toMatchObject([
    { t: "block_start", b: 0, block: { type: "text", text: "" } },
    { t: "delta", b: 0, d: { k: "text", text: "a" } },
    { t: "block_start", b: 1, block: { type: "reasoning", text: "" } },
    { t: "delta", b: 1, d: { k: "reasoning", text: "b" } },
  ]);
});
test("arguments that stand in their block's start are a delta; none are none", () => {
  const call = { type: "tool_use", id: "a", name: "f" };
  const events = read(
    START,
    begin(0, { ...call, input: { x: 1 } }),
    begin(1, { ...call, input: {} }),
  );
  expect(plain(events.slice(1))).toMatchObject([
    { t: "block_start", b: 0, block: { type: "tool_call", args: "" } },
    { t: "delta", b: 0, d: { k: "args", text: '{"x":1}' } },
    { t: "block_start", b: 1, block: { args: "" } },
  ]);
});
test("a block of a type to come is kept whole, with its deltas", () => {
  const events = read(START, begin(0, { type: "new", x: 1 }), grow(0, { type: "new_delta", y: 2 }));
  expect(plain(events.slice(1))).toEqual([
    {
      t: "block_start",
      c: 0,
      b: 0,
      block: { type: "opaque", vendor: "anthropic", wireType: "new", raw: { type: "new", x: 1 } },
    },
    { t: "delta", c: 0, b: 0, d: { k: "raw", data: { type: "new_delta", y: 2 } } },
  ]);
});
test("an index that a relay uses again is another block", () => {
  const text = { type: "text", text: "" };
  const stop = { type: "content_block_stop", index: 0 };
  const events = read(START, begin(0, text), stop, begin(0, text), stop);
  expect(events.slice(1).map((event) => ("b" in event ? event.b : undefined))).toEqual([
    0, 0, 1, 1,
  ]);
});
test("a delta without a start begins the block that it tells of", () => {
  const events = read(START, grow(4, { type: "text_delta", text: "a" }));
  expect(plain(events.slice(1))).toMatchObject([
    { t: "block_start", b: 0, block: { type: "text" } },
    { t: "delta", b: 0, d: { text: "a" } },
  ]);
});
test("usage is a total each time, and what one leaves out stays", () => {
  const usage = { input_tokens: 3, cache_read_input_tokens: 2, output_tokens: 1 };
  const events = read(
    { ...START, message: { ...START.message, usage } } as typeof START,
    { type: "message_delta", delta: {}, usage: { output_tokens: 5 } } as { type: string },
    { type: "message_delta", delta: {}, usage: { output_tokens: 9, input_tokens: 8 } } as {
      type: string;
    },
  );
  const totals = events.flatMap((event) =>
    (event.t === "usage" || event.t === "start") && event.usage !== undefined
      ? [[event.usage.inputTotal, event.usage.outputTotal]]
      : [],
  );
  expect(totals).toEqual([
    [5, 1],
    [5, 5],
    [10, 9],
  ]);
});
test("a stream that never came to its end has none", () => {
  expect(typesOf(START, { type: "ping" })).toEqual(["start", "ping"]);
  expect(typesOf(START, { type: "message_stop" })).toEqual(["start", "end"]);
});

describe("an error", () => {
  const error = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
  test("is the last thing that is read", () => {
    const events = read(START, error, { type: "message_stop" });
    expect(plain(events.at(-1))).toMatchObject({
      t: "error",
      error: { class: "overloaded", message: "Overloaded" },
    });
    expect(events).toHaveLength(2);
  });
  test.each([
    ["an event named so", "event: error\ndata: oops\n\n"],
    ["an event that is no JSON", "event: content_block_delta\ndata: {oops\n\n"],
    ["an event that is no object", "data: 7\n\n"],
    ["an event too large to be one", `data: {"type":"ping","x":"${"x".repeat(1 << 21)}"}\n\n`],
    ["a second start", sse(START)],
    ["a block of nothing", sse({ type: "content_block_start" })],
    [
      "arguments of a call nobody made",
      sse(grow(9, { type: "input_json_delta", partial_json: "{}" })),
    ],
    ["an error without a type", 'data: {"error":{"message":"x"}}\n\n'],
  ])("is %s", (_, text) => {
    expect(readAll(utf8(sse(START) + text)).map(({ t }) => t)).toEqual(["start", "error"]);
  });
  test("is not a last event that was cut off: then the end is missing", () => {
    for (const cut of [
      "event: error\nda",
      'event: error\ndata: {"ty',
      'data: {"type":"message_st',
    ]) {
      expect(readAll(utf8(sse(START) + cut)).map(({ t }) => t)).toEqual(["start"]);
    }
  });
});

describe("hostile input", () => {
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom("message_start", "text", "thinking", 0, []),
  );
  const names = [
    "type",
    "index",
    "delta",
    "content_block",
    "message",
    "usage",
    "citation",
    "text",
    "signature",
    "input",
    "citations",
    "content",
    "source",
    "__proto__",
    "constructor",
  ];
  const inner = fc.dictionary(fc.constantFrom(...names), value);
  const type = fc.constantFrom(
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "ping",
    "new",
  );
  const kind = fc.constantFrom(
    "text",
    "thinking",
    "tool_use",
    "redacted_thinking",
    "image",
    "document",
    "tool_result",
    "search_result",
    "x_tool_result",
    "text_delta",
    "signature_delta",
    "citations_delta",
  );
  const typed = fc.tuple(kind, inner).map(([type, rest]) => ({ ...rest, type }));
  const event = fc.record(
    { type, index: fc.nat(2), delta: typed, content_block: typed, message: inner, usage: inner },
    { requiredKeys: ["type"] },
  );

  test("never throws in a stream, and has one end at most; what is read can be written", () => {
    const property = fc.property(fc.array(event, { maxLength: 10 }), (events) => {
      const given = readAll(utf8(sse(...events)));
      expect(given.filter(({ t }) => t === "end" || t === "error").length).toBeLessThanOrEqual(1);
      writeAll(given);
    });
    fc.assert(property, { numRuns: 500 });
  });
  test("never throws in an answer or a message", () => {
    const body = fc.record(
      {
        type: value,
        content: fc.oneof(value, fc.array(typed)),
        stop_reason: value,
        usage: fc.oneof(value, inner),
        stop_details: value,
      },
      { requiredKeys: [] },
    );
    const report = () => {};
    const { capabilities } = codec;
    const property = fc.property(body, (body) => {
      codec.readAnswer(body as JsonObject);
      const messages = [{ role: "user", content: body.content }];
      const request = {
        messages,
        tools: body.content,
        system: body.content,
        thinking: body.usage,
        output_config: body.usage,
        tool_choice: body.usage,
        metadata: body.usage,
        cache_control: body.usage,
      };
      const read = codec.readRequest(request as JsonObject, { model: "m", stream: false });
      if ("messages" in read) codec.writeRequest(read, { model: "m", capabilities, report });
    });
    fc.assert(property, { numRuns: 500 });
  });
});
