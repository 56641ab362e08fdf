import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Chunk } from "../../../src/core/units.ts";
import { streamReader } from "../../../src/protocol/cohere/read-stream.ts";
import type { IrEvent } from "../../../src/protocol/ir/event.ts";
import { haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";
import { json, text as anyText } from "./arbitraries.ts";

const utf8 = (text: string): Chunk => new TextEncoder().encode(text);
const frame = (type: string, rest: object = {}) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;
const inMessage = (message: object, index = 0) => ({ index, delta: { message } });
const START = frame("message-start", { id: "i" });
const content = (index: number, said: object) =>
  frame("content-delta", inMessage({ content: said }, index));
const open = (index: number, type = "text") =>
  frame("content-start", inMessage({ content: { type, [type]: "" } }, index));
const close = (index: number) => frame("content-end", { index });
const END = frame("message-end", { delta: { finish_reason: "COMPLETE" } });

/** What a stream is read as; `size` cuts it. */
function read(body: string | Chunk, size = 1 << 20): IrEvent[] {
  const bytes = typeof body === "string" ? utf8(body) : body;
  const reader = streamReader();
  const events: IrEvent[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    events.push(...reader.feed(bytes.slice(at, at + size)));
  }
  return [...events, ...reader.end()];
}
const shown = (events: readonly IrEvent[]) =>
  events.map((event) => {
    if (event.t === "block_start") return `open ${event.b} ${event.block.type}`;
    if (event.t === "block_stop") return `close ${event.b}`;
    if (event.t === "delta") return `${event.d.k} ${event.b}`;
    return event.t;
  });

describe("a stream is read", () => {
  test("with a plan before the calls it is of, ended where they begin", () => {
    const events = read(
      START +
        frame("tool-plan-delta", inMessage({ tool_plan: "I" })) +
        frame("tool-plan-delta", inMessage({ tool_plan: " will" })) +
        frame(
          "tool-call-start",
          inMessage({
            tool_calls: { id: "a", type: "function", function: { name: "f", arguments: "" } },
          }),
        ) +
        frame("tool-call-delta", inMessage({ tool_calls: { function: { arguments: "{}" } } })) +
        frame("tool-call-end", { index: 0 }) +
        frame("message-end", {
          delta: {
            finish_reason: "TOOL_CALL",
            usage: { tokens: { input_tokens: 1, output_tokens: 2 } },
          },
        }) +
        "data: [DONE]\n\n",
    );
    expect(shown(events)).toEqual([
      "start",
      "open 0 reasoning",
      "reasoning 0",
      "reasoning 0",
      "close 0",
      "open 1 tool_call",
      "args 1",
      "close 1",
      "usage",
      "stop",
      "end",
    ]);
    expect(events[1]).toMatchObject({ block: { planOf: "tool" } });
    expect(events[5]).toMatchObject({ block: { callId: "a", name: "f" } });
    expect(events.at(-2)).toMatchObject({ stop: { kind: "tool_call", raw: "TOOL_CALL" } });
  });

  test("with text that stands in its first event already", () => {
    const events = read(
      START +
        frame("content-start", inMessage({ content: { type: "text", text: "a" } })) +
        close(0) +
        END,
    );
    expect(shown(events)).toEqual(["start", "open 0 text", "text 0", "close 0", "stop", "end"]);
  });
  test("with deltas of a content that never began, and one that never ended", () => {
    const events = read(START + content(3, { thinking: "a" }) + content(4, { text: "b" }) + END);
    expect(shown(events)).toEqual([
      "start",
      "open 0 reasoning",
      "reasoning 0",
      "open 1 text",
      "text 1",
      "close 0",
      "close 1",
      "stop",
      "end",
    ]);
  });
  test("with citations before their block is closed, though they come behind its end", () => {
    const cite = (content_index?: number) =>
      frame(
        "citation-start",
        inMessage({ citations: { start: 0, end: 1, text: "a", sources: [], content_index } }),
      );
    const events = read(
      START +
        open(0, "thinking") +
        close(0) +
        open(1) +
        content(1, { text: "a" }) +
        close(1) +
        cite(1) +
        frame("citation-end", { index: 0 }) +
        cite() +
        cite(0) +
        END,
    );
    expect(shown(events)).toEqual([
      "start",
      "open 0 reasoning",
      "close 0",
      "open 1 text",
      "text 1",
      "citation 1",
      "citation 1",
      "raw",
      "close 1",
      "stop",
      "end",
    ]);
  });
  test("with the probabilities of its tokens", () => {
    const logprobs = { text: "a", token_ids: [7], logprobs: [-0.5] };
    const events = read(
      START +
        open(0) +
        frame("content-delta", { ...inMessage({ content: { text: "a" } }), logprobs }),
    );
    expect(events.at(-1)).toMatchObject({
      d: { k: "logprobs", tokens: [{ token: "a", tokenId: 7, logprob: -0.5 }] },
    });
  });
  test("with what this build does not know, whole", () => {
    const debug = frame("debug", { prompt: "p" });
    const [, raw] = read(START + debug + END);
    expect(raw).toEqual({
      t: "raw",
      from: "cohere",
      event: "debug",
      data: { type: "debug", prompt: "p" },
    });
    const events = read(
      START +
        open(0, "image") +
        frame("content-delta", inMessage({ content: { image: "x" } })) +
        END,
    );
    expect(shown(events)).toEqual(["start", "open 0 opaque", "raw 0", "close 0", "stop", "end"]);
  });
});

describe("a stream ends", () => {
  test("with its mark where it gave no reason", () =>
    expect(shown(read(`${START}data: [DONE]\n\n`))).toEqual(["start", "end"]));
  test("without an end where it was cut", () => {
    expect(shown(read(START + open(0) + content(0, { text: "a" })))).not.toContain("end");
    expect(shown(read(`${START}event: message-end\ndata: {"type":"mess`))).toEqual(["start"]);
  });
  test.each([
    [frame("message-end", { delta: { finish_reason: "ERROR", error: "e" } }), "server"],
    [frame("message-end", { delta: { finish_reason: "TIMEOUT" } }), "timeout"],
    ['event: error\ndata: {"message":"too many tokens"}\n\n', "context_length"],
    ['data: {"message":"invalid api token"}\n\n', "auth"],
    ["data: no json\n\n", "bad_upstream"],
    ["data: 7\n\n", "bad_upstream"],
  ])("in an error, and nothing is read behind it: %s", (last, kind) => {
    const events = read(START + last + START + END);
    expect(events.at(-1)).toMatchObject({ t: "error", error: { class: kind as "auth" } });
    expect(events).toHaveLength(2);
  });
  test("by a filter as any answer does", () => {
    const events = read(START + frame("message-end", { delta: { finish_reason: "ERROR_TOXIC" } }));
    expect(events.at(-2)).toMatchObject({ stop: { kind: "content_filter" } });
  });
});

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  const streams = recordingsOf("cohere").filter(({ streamed }) => streamed);
  test("none has anything this build does not know", () => {
    const odd = streams.flatMap(({ response }) =>
      read(response.slice()).filter((event) => event.t === "raw" || event.ext !== undefined),
    );
    expect(odd).toEqual([]);
  });
  test("no cut is read as an end", () => {
    const { response } = streams[0]!;
    const end = new TextDecoder("latin1").decode(response).indexOf("event: message-end");
    for (let cut = 1; cut < end; cut += 13) {
      expect(shown(read(response.slice(0, cut)))).not.toContain("end");
    }
  });
});

const type = fc.constantFrom(
  "message-start",
  "content-start",
  "content-delta",
  "content-end",
  "tool-plan-delta",
  "tool-call-start",
  "tool-call-delta",
  "tool-call-end",
  "citation-start",
  "citation-end",
  "message-end",
  "debug",
);
const said = fc.oneof(
  json,
  fc.record({ type: anyText, text: json, thinking: json }, { requiredKeys: [] }),
);
const message = fc.oneof(
  json,
  fc.record(
    {
      content: said,
      tool_plan: json,
      tool_calls: fc.oneof(
        json,
        fc.record({
          id: json,
          function: fc.oneof(json, fc.record({ name: anyText, arguments: json })),
        }),
      ),
      citations: fc.oneof(
        json,
        fc.record({ start: fc.nat(), end: fc.nat(), sources: json, content_index: fc.nat(2) }),
      ),
    },
    { requiredKeys: [] },
  ),
);
const odd = fc
  .tuple(type, fc.oneof(fc.nat(2), json), message, json, fc.boolean())
  .map(([kind, index, told, more, isNamed]) => {
    const data = {
      ...(isNamed ? { type: kind } : {}),
      index,
      logprobs: more,
      delta: { message: told, usage: more },
    };
    return `event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`;
  });

test("whatever comes, blocks are numbered as they begin, and nothing grows or ends that did not", () => {
  fc.assert(
    fc.property(
      fc.array(odd, { maxLength: 12 }),
      fc.integer({ min: 1, max: 40 }),
      (frames, size) => {
        const body = START + frames.join("");
        const events = read(body);
        expect(JSON.stringify(read(body, size))).toBe(JSON.stringify(events));
        let count = 0;
        const closed = new Set<number>();
        for (const event of events) {
          if (event.t === "block_start") expect(event.b).toBe(count++);
          if (event.t === "delta") expect(event.b).toBeLessThan(count);
          if (event.t !== "block_stop") continue;
          expect(event.b).toBeLessThan(count);
          expect(closed.has(event.b)).toBe(false);
          closed.add(event.b);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test("noise is survived", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      read(Uint8Array.from([...utf8('data: {"type":"content-delta",'), ...noise, ...utf8("\n\n")]));
    }),
  );
  const deep = `data: {"type":"debug","x":${"[".repeat(100_000)}${"]".repeat(100_000)}}\n\n`;
  expect(read(START + deep).length).toBeGreaterThan(0);
});
