import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { AnswerContext } from "../../../src/protocol/codec.ts";
import { streamReader } from "../../../src/protocol/cohere/read-stream.ts";
import { streamTap } from "../../../src/protocol/cohere/tap.ts";
import { streamWriter } from "../../../src/protocol/cohere/write-stream.ts";
import type { Block } from "../../../src/protocol/ir/block.ts";
import type { Delta, IrEvent } from "../../../src/protocol/ir/event.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import { parseSse } from "../../../src/wire/sse.ts";
import { streamed } from "./sdk.ts";

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const contextOf = (report: (loss: Loss) => void): AnswerContext => ({
  requestId: "req_1",
  asked: {
    origin: "cohere",
    model: "m",
    system: [],
    messages: [],
    tools: undefined,
    sampling: {},
    stream: true,
  },
  createdAt: 0,
  framing: "events",
  report,
});
function write(events: readonly IrEvent[], end: "end" | "fail" | "graceful" = "end") {
  const losses: Loss[] = [];
  const writer = streamWriter(contextOf((loss) => losses.push(loss)));
  let body = "";
  for (const event of events) body += textOf(writer.write(event));
  const broken = {
    mode: end === "graceful" ? "graceful" : "surface",
    why: "truncated",
    requestId: "req_1",
    atBoundary: false,
    id: "chatcmpl-1",
    model: "m",
  } as const;
  body += textOf(end === "end" ? writer.end() : writer.fail(broken));
  return { body, losses: losses.map(({ code, path }) => `${code} ${path}`), writer, broken };
}
/** An event's data as a client finds it, or the mark; no more is known of it than is looked at. */
type Frame = ReturnType<typeof JSON.parse>;
const dataOf = (body: string): Frame[] =>
  parseSse(new TextEncoder().encode(body)).map(({ data }) =>
    data === "[DONE]" ? data : JSON.parse(data),
  );
const start: IrEvent = { t: "start", id: "chatcmpl-1", model: "gpt" };
const open = (b: number, block: Block, c = 0): IrEvent => ({ t: "block_start", c, b, block });
const delta = (b: number, d: Delta, c = 0): IrEvent => ({ t: "delta", c, b, d });
const stop = (b: number): IrEvent => ({ t: "block_stop", c: 0, b });
const ended = (kind: "end" | "tool_call" | "pause" | "refusal" | "length"): IrEvent => ({
  t: "stop",
  c: 0,
  stop: { kind, raw: kind },
});
const used: IrEvent = { t: "usage", usage: { inputTotal: 3, outputTotal: 4, raw: {} } };
const text: Block = { type: "text", text: "" };
const call = (callId: string): Block => ({ type: "tool_call", callId, name: "f", args: "" });

describe("what another protocol streamed", () => {
  test("is read by the official SDK: thoughts, text, two interleaved calls", async () => {
    const { body, losses } = write([
      start,
      open(0, { type: "reasoning", text: "" }),
      delta(0, { k: "reasoning", text: "hm" }),
      delta(0, { k: "signature", signed: { value: "S", encoding: "plain", family: "anthropic" } }),
      stop(0),
      open(3, text),
      delta(3, { k: "text", text: "hé" }),
      delta(3, { k: "text", text: "llo" }),
      open(4, call("a")),
      open(5, call("b")),
      delta(4, { k: "args", text: '{"x":' }),
      delta(5, { k: "args", text: "{}" }),
      delta(4, { k: "args", text: "1}" }),
      ended("tool_call"),
      used,
      { t: "end" },
    ]);
    const { values, error } = await streamed(body);
    expect(error).toBeUndefined();
    expect(values.map(({ type }) => type)).toEqual([
      "message-start",
      "content-start",
      "content-delta",
      "content-end",
      "content-start",
      "content-delta",
      "content-delta",
      "tool-call-start",
      "tool-call-delta",
      "tool-call-delta",
      "tool-call-end",
      "tool-call-start",
      "tool-call-delta",
      "tool-call-end",
      "content-end",
      "message-end",
    ]);
    expect(values[1]).toMatchObject({
      index: 0,
      delta: { message: { content: { type: "thinking" } } },
    });
    expect(values[5]).toMatchObject({ index: 1, delta: { message: { content: { text: "hé" } } } });
    expect(values[11]).toMatchObject({ index: 1, delta: { message: { toolCalls: { id: "b" } } } });
    expect(values.at(-1)).toMatchObject({
      delta: {
        finishReason: "TOOL_CALL",
        usage: { tokens: { inputTokens: 3, outputTokens: 4 }, billedUnits: { inputTokens: 3 } },
      },
    });
    expect(body).toEndWith("data: [DONE]\n\n");
    expect(losses).toEqual([
      "L-REASONING-FOREIGN candidates[0].blocks[0]",
      "L-BUFFERED candidates[0].blocks[5]",
      "L-BILLED usage",
    ]);
  });

  test("has an id of this wire's kind, the same for the same request", () => {
    const [first] = dataOf(write([start]).body);
    expect(first.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(dataOf(write([start]).body)[0].id).toBe(first.id);
  });

  test("has arguments even where there were none", () => {
    const frames = dataOf(write([start, open(0, call("a")), stop(0)]).body);
    expect(frames[2].delta.message.tool_calls.function.arguments).toBe("{}");
  });

  test("may give a call whole", () => {
    const whole: Block = { type: "tool_call", name: "f", argsValue: { x: 1 } };
    const frames = dataOf(write([start, open(0, whole), stop(0)]).body);
    expect(frames.map(({ type }) => type)).toEqual([
      "message-start",
      "tool-call-start",
      "tool-call-delta",
      "tool-call-end",
      "message-end",
      undefined,
    ]);
    expect(frames[1].delta.message.tool_calls).toEqual({
      id: "f_0",
      type: "function",
      function: { name: "f", arguments: "" },
    });
    expect(frames[2].delta.message.tool_calls.function.arguments).toBe('{"x":1}');
  });

  test("may tell its usage after its stop", () => {
    const end = dataOf(write([start, ended("end"), used, { t: "end" }]).body).at(-2);
    expect(end.delta.usage.tokens).toEqual({ input_tokens: 3, output_tokens: 4 });
  });

  test("shows no sealed thought, and reports it once", () => {
    const sealed = { value: "S", encoding: "plain", family: "anthropic" } as const;
    const block: Block = { type: "reasoning", sealed };
    const { body, losses } = write([
      start,
      open(0, block),
      delta(0, { k: "sealed", signed: sealed }),
      stop(0),
      ended("end"),
      used,
    ]);
    expect(dataOf(body)).toHaveLength(3);
    expect(losses[0]).toBe("L-REASONING-FOREIGN candidates[0].blocks[0]");
    expect(losses).toHaveLength(2);
  });

  test("cites the whole of a block where a citation has no place of its own, in code points", () => {
    const citation = {
      quoted: "q",
      sources: [{ url: "https://a.test", title: "A" }],
      place: { kind: "web" },
    } as const;
    const { body, losses } = write([
      start,
      open(0, text),
      delta(0, { k: "text", text: "𝄞bc" }),
      delta(0, { k: "citation", citation }),
      stop(0),
      ended("end"),
      used,
    ]);
    const frames = dataOf(body);
    expect(frames[3]).toEqual({
      type: "citation-start",
      index: 0,
      delta: {
        message: {
          citations: {
            start: 0,
            end: 3,
            text: "𝄞bc",
            sources: [
              {
                type: "document",
                id: "https://a.test",
                document: { title: "A", url: "https://a.test", text: "q" },
              },
            ],
            type: "TEXT_CONTENT",
            content_index: 0,
          },
        },
      },
    });
    expect(frames[4]).toEqual({ type: "citation-end", index: 0 });
    expect(losses).toEqual(["L-BILLED usage"]);
  });

  test("gives log probabilities behind their text", () => {
    const tokens = [{ token: "a", logprob: -1 }];
    const { body, losses } = write([
      start,
      open(0, text),
      delta(0, { k: "text", text: "a" }),
      delta(0, { k: "logprobs", tokens }),
    ]);
    expect(dataOf(body)[3]).toEqual({
      type: "content-delta",
      index: 0,
      delta: { message: { content: { text: "" } } },
      logprobs: { text: "a", token_ids: [], logprobs: [-1] },
    });
    expect(losses[0]).toBe("L-LOGPROBS candidates[0].logprobs");
  });

  test.each([
    ["pause", "COMPLETE", true],
    ["refusal", "COMPLETE", true],
    ["length", "MAX_TOKENS", false],
  ] as const)("ends with the nearest word: %s", (kind, word, isLost) => {
    const { body, losses } = write([start, ended(kind), used]);
    expect(dataOf(body)[1].delta.finish_reason).toBe(word);
    expect(losses.includes("L-STOP stop")).toBe(isLost);
  });

  test("and was blocked is an answer of nothing, ended by a filter", () => {
    const { body } = write([start, { t: "meta", patch: { blocked: { reason: "SAFETY" } } }, used]);
    expect(dataOf(body)[1].delta.finish_reason).toBe("ERROR");
  });

  test("in several candidates is its first one", () => {
    const { body, losses } = write([
      start,
      open(0, text),
      open(1, text, 1),
      delta(1, { k: "text", text: "x" }, 1),
      used,
    ]);
    expect(body).not.toContain('"x"');
    expect(losses).toEqual(["L-N candidates[1]", "L-BILLED usage"]);
  });

  test("and cannot be shown here is reported by what it is", () => {
    const media: Block = { type: "media", kind: "image", source: { kind: "url", url: "u" } };
    const hosted: Block = { type: "hosted_call", vendor: "openai", toolType: "x", raw: {} };
    const odd: Block = { type: "opaque", vendor: "openai", wireType: "x", raw: {} };
    const { body, losses } = write([
      start,
      open(0, media),
      open(1, hosted),
      open(2, odd),
      delta(2, { k: "raw", data: 1 }),
      used,
    ]);
    expect(dataOf(body)).toHaveLength(3);
    expect(losses).toEqual([
      "L-MODALITY candidates[0].blocks[0]",
      "L-HOSTED candidates[0].blocks[1]",
      "L-UNKNOWN-BLOCK candidates[0].blocks[2]",
      "L-BILLED usage",
    ]);
  });
});

describe("a stream that broke", () => {
  test("ends with an error and no mark, and nothing is written after it", () => {
    const { body, writer, broken } = write([start, open(0, text)], "fail");
    const [first, , last, ...more] = dataOf(body);
    expect(last).toEqual({
      id: first.id,
      type: "message-end",
      delta: { finish_reason: "ERROR", error: "The response stream was interrupted." },
    });
    expect(more).toEqual([]);
    expect(body).not.toContain("[DONE]");
    expect([writer.end(), writer.fail(broken), writer.write(start)].map(textOf)).toEqual([
      "",
      "",
      "",
    ]);
  });
  test("ends with its mark where nobody is to notice", () =>
    expect(write([start], "graceful").body).toEndWith("}}\n\ndata: [DONE]\n\n"));
  test("by an error of its source says which", () => {
    const error = {
      class: "context_length",
      status: 400,
      message: "x",
      tokens: { requested: 9, max: 8 },
    } as const;
    const { body } = write([start, { t: "error", error }, used]);
    expect(dataOf(body).at(-1).delta).toEqual({
      finish_reason: "ERROR",
      error:
        "too many tokens: size limit exceeded by 1 tokens. Try using shorter or fewer inputs. The limit for this model is 8 tokens.",
    });
    expect(body).not.toContain("[DONE]");
    const tap = streamTap();
    tap.feed(new TextEncoder().encode(body));
    expect([tap.complete, tap.fault?.kind]).toEqual([false, "context_length"]);
  });
});

// Events in any order a source may give them, and in many that it may not.
const word = fc.oneof(fc.constantFrom("a\n\ndata: x", "𝄞", ""), fc.string({ unit: "binary" }));
const block = fc.oneof(
  fc.constant<Block>(text),
  fc.constant<Block>({ type: "refusal", text: "" }),
  fc.constantFrom<Block>({ type: "reasoning" }, { type: "reasoning", text: "", planOf: "tool" }),
  word.map((name): Block => ({ type: "tool_call", name, args: name })),
  fc
    .jsonValue()
    .map((value): Block => ({ type: "tool_call", name: "f", argsValue: value as never })),
);
const change = fc.oneof(
  word.map((said): Delta => ({ k: "text", text: said })),
  word.map((said): Delta => ({ k: "reasoning", text: said })),
  word.map((said): Delta => ({ k: "args", text: said })),
  fc.nat(3).map((part): Delta => ({ k: "summary", part, text: "s" })),
  fc.constant<Delta>({ k: "citation", citation: {} }),
);
const at = fc.nat(3);
const event = fc.oneof(
  fc.tuple(at, block).map(([b, one]) => open(b, one)),
  fc.tuple(at, change).map(([b, one]) => delta(b, one)),
  at.map(stop),
  fc.constantFrom<IrEvent>(start, used, ended("end"), { t: "ping" }, { t: "end" }),
);

test("whatever comes, the stream begins once, ends once, and closes what it opened", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 20 }), (events) => {
      const frames = dataOf(write(events).body);
      const count = (type: string) => frames.filter((frame) => frame.type === type).length;
      expect([count("message-start"), count("message-end")]).toEqual([1, 1]);
      expect(frames[0].type).toBe("message-start");
      expect([frames.at(-2).type, frames.at(-1)]).toEqual(["message-end", "[DONE]"]);
      const starts = frames
        .filter(({ type }) => type === "content-start")
        .map(({ index }) => index);
      expect(starts).toEqual(starts.map((_, index) => index));
      expect(count("tool-call-end")).toBe(count("tool-call-start"));
      const reader = streamReader();
      const read = [...reader.feed(new TextEncoder().encode(write(events).body))];
      expect(read.filter(({ t }) => t === "error" || t === "raw")).toEqual([]);
      expect(read.at(-1)).toEqual({ t: "end" });
    }),
    { numRuns: 300 },
  );
});
