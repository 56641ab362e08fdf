import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import OpenAI, { APIError } from "openai";
import type { IrEvent } from "../../../src/protocol/ir/event.ts";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import { readAnswer } from "../../../src/protocol/openai/read-answer.ts";
import { streamWriter } from "../../../src/protocol/openai/write-stream.ts";
import { haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";
import { accumulate, saidBy } from "./accumulate.ts";
import { answerContext, dataOf, eventsOf, plain, streamOf, textOf } from "./kit.ts";
import { sdkAnswer } from "./sdk.ts";

const streams = recordingsOf("openai-chat").filter(({ streamed }) => streamed);
const USAGE = { stream: true, stream_options: { include_usage: true } };

interface Chunk {
  readonly id: string;
  readonly object: string;
  readonly created: number;
  readonly model: string;
  readonly choices: readonly {
    readonly index: number;
    readonly delta: Record<string, unknown>;
    readonly finish_reason: string | null;
  }[];
  readonly usage?: JsonObject | null;
}

/** The chunks of a written stream, which must end in its one end marker. */
function chunksOf(stream: string): readonly Chunk[] {
  const data = dataOf(stream);
  expect(data.at(-1)).toBe("[DONE]");
  return data.slice(0, -1) as readonly Chunk[];
}

/** As another protocol's reader would have told the same. */
function foreign(events: readonly IrEvent[]): readonly IrEvent[] {
  return events.map((event) => plain({ ...event, ext: undefined }));
}

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  for (const { name, response } of streams) {
    test(`${name}: written anew, the official SDK reads the same of it`, async () => {
      const read = eventsOf(response);
      const events = foreign(read.filter(({ t }) => t !== "usage"));
      const answer = await sdkAnswer(streamOf(events, answerContext(USAGE)));
      // A host without [DONE] has no finish reason either: the writer ends its choice plainly.
      const expected = saidBy(accumulate(read)).map((said) => ({
        ...said,
        stop: said.stop === undefined || said.stop === "other" ? "end" : said.stop,
      }));
      expect(saidBy(readAnswer(answer!))).toEqual(expected);
    });
    test(`${name}: written anew, it keeps the rules of its wire`, () => {
      const chunks = chunksOf(streamOf(foreign(eventsOf(response)), answerContext(USAGE)));
      const heads = chunks.map(({ id, object, created, model }) => [id, object, created, model]);
      expect(new Set(heads.map(String)).size).toBe(1);
      const choices = chunks.flatMap((chunk) => chunk.choices);
      const indexes = [...new Set(choices.map(({ index }) => index))];
      for (const index of indexes) {
        const own = choices.filter((choice) => choice.index === index);
        expect(own[0]!.delta["role"]).toBe("assistant");
        expect(own.filter(({ delta }) => "role" in delta)).toHaveLength(1);
        expect(own.filter((choice) => choice.finish_reason !== null)).toHaveLength(1);
        expect(own.at(-1)).toMatchObject({ delta: {}, finish_reason: expect.any(String) });
        const calls = own.flatMap(
          ({ delta }) => (delta["tool_calls"] ?? []) as { index: number }[],
        );
        const numbers = [...new Set(calls.map((call) => call.index))];
        expect(numbers).toEqual(numbers.map((_, at) => at));
        expect(calls.filter((call) => "type" in call)).toHaveLength(numbers.length);
      }
      const told = chunks.filter(({ usage }) => usage !== null);
      expect(told.length).toBeLessThanOrEqual(1);
      for (const chunk of told) expect(chunk.choices).toEqual([]);
    });
  }
});

describe("this wire's own answer", () => {
  const text = fc.oneof(fc.string(), fc.constantFrom("", null));
  const call = fc.record(
    {
      index: fc.nat(2),
      id: fc.constantFrom("a", "b"),
      type: fc.constant("function"),
      function: fc.record({ name: fc.string(), arguments: text }, { requiredKeys: [] }),
    },
    { requiredKeys: ["index"] },
  );
  const delta = fc.record(
    {
      role: fc.constant("assistant"),
      content: text,
      refusal: text,
      reasoning: text,
      reasoning_content: text,
      reasoning_details: fc.array(
        fc.record({ type: fc.constant("reasoning.text"), text: fc.string(), index: fc.nat(1) }),
      ),
      tool_calls: fc.array(call, { maxLength: 2 }),
      extra: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const choice = fc.record(
    {
      index: fc.nat(3),
      delta,
      finish_reason: fc.constantFrom(null, "stop", "length", ""),
      logprobs: fc.constant(null),
    },
    { requiredKeys: ["index", "delta"] },
  );
  const usage = fc.option(fc.record({ prompt_tokens: fc.nat(), completion_tokens: fc.nat() }));
  const chunk = fc.record(
    {
      id: fc.constantFrom("c1", "c2"),
      object: fc.constant("chat.completion.chunk"),
      choices: fc.uniqueArray(choice, { maxLength: 3, selector: ({ index }) => index }),
      usage,
      service_tier: fc.constantFrom("default", null),
      x_groq: fc.record({ usage }),
    },
    { requiredKeys: ["id", "choices"] },
  );

  test("comes out as it went in, whatever its chunks hold and however many choices", () => {
    fc.assert(
      fc.property(fc.array(chunk, { minLength: 1, maxLength: 6 }), fc.boolean(), (chunks, done) => {
        const frames = chunks.map((each) => `data: ${JSON.stringify(each)}\n\n`);
        const stream = frames.join("") + (done ? "data: [DONE]\n\n" : "");
        expect(dataOf(streamOf(eventsOf(stream), answerContext()))).toEqual(dataOf(stream));
      }),
      { numRuns: 300 },
    );
  });
});

const start: IrEvent = { t: "start", id: "msg_1", model: "claude" };
const stop: IrEvent = { t: "stop", c: 0, stop: { kind: "end" } };
const end: IrEvent = { t: "end" };
const begin = (b: number, block: object) => ({ t: "block_start", c: 0, b, block }) as IrEvent;
const grow = (b: number, d: object) => ({ t: "delta", c: 0, b, d }) as IrEvent;
const close = (b: number, final?: object) => ({ t: "block_stop", c: 0, b, final }) as IrEvent;

function deltasOf(events: readonly IrEvent[], losses: Loss[] = []): Record<string, unknown>[] {
  const chunks = chunksOf(streamOf([start, ...events, stop, end], answerContext({}, losses)));
  return chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta)).slice(1, -1);
}

describe("another protocol's answer", () => {
  test("has usage only for callers who asked for it, in a chunk of its own, though it comes late", () => {
    const usage = { inputTotal: 3, outputTotal: 4, cacheRead: 1, raw: {} };
    const events: IrEvent[] = [start, stop, { t: "usage", usage }, end];
    const [last] = chunksOf(streamOf(events, answerContext(USAGE))).slice(-1);
    expect(last).toMatchObject({
      choices: [],
      usage: {
        prompt_tokens: 3,
        completion_tokens: 4,
        total_tokens: 7,
        prompt_tokens_details: { cached_tokens: 1 },
      },
    });
    const silent = chunksOf(streamOf(events, answerContext({ stream: true })));
    expect(silent.some((chunk) => "usage" in chunk)).toBe(false);
    expect(silent.every((chunk) => chunk.choices.length === 1)).toBe(true);
  });
  test("ends once, whether its source has an end marker or not", () => {
    const context = answerContext();
    expect(streamOf([start, stop, end], context)).toBe(streamOf([start, stop], context));
  });
  test("shows reasoning as text, and hands its proofs over whole, once", () => {
    const signed = { value: "sig", encoding: "plain", family: "anthropic" };
    const deltas = deltasOf([
      begin(0, { type: "reasoning" }),
      grow(0, { k: "reasoning", text: "a" }),
      grow(0, { k: "reasoning", text: "b" }),
      grow(0, { k: "signature", signed }),
      close(0),
      begin(1, {
        type: "reasoning",
        sealed: { ...signed, value: "c2Vh", encoding: "base64-of-plain" },
      }),
      close(1),
      begin(2, { type: "text", text: "" }),
      grow(2, { k: "text", text: "x" }),
      close(2),
    ]);
    const format = "anthropic-claude-v1";
    expect(deltas).toEqual([
      { reasoning_content: "a" },
      { reasoning_content: "b" },
      { content: "x" },
      {
        reasoning_details: [
          { type: "reasoning.text", text: "ab", signature: "sig", format, index: 0 },
          { type: "reasoning.encrypted", data: "sea", format, index: 1 },
        ],
      },
    ]);
  });
  test("carries a proof of a call by the call's id", () => {
    const signature = { value: "p", encoding: "plain", family: "google" };
    const carries = { proofOf: "call", callId: "call_1" };
    const deltas = deltasOf([begin(0, { type: "reasoning", signature, carries }), close(0)]);
    const format = "google-gemini-v1";
    const entry = { type: "reasoning.encrypted", data: "p", id: "call_1", format, index: 0 };
    expect(deltas).toEqual([{ reasoning_details: [entry] }]);
  });
  test("gives calls dense numbers, and `{}` to one without arguments", () => {
    const deltas = deltasOf([
      begin(3, { type: "tool_call", callId: "a", name: "f", args: "" }),
      begin(7, { type: "tool_call", callId: "b", name: "g", argsValue: { x: 1 } }),
      close(3),
      close(7),
    ]);
    expect(deltas).toEqual([
      {
        tool_calls: [
          { index: 0, id: "a", type: "function", function: { name: "f", arguments: "" } },
        ],
      },
      {
        tool_calls: [
          { index: 1, id: "b", type: "function", function: { name: "g", arguments: '{"x":1}' } },
        ],
      },
      { tool_calls: [{ index: 0, function: { arguments: "{}" } }] },
    ]);
  });
  test("cites web pages by where their block stands, in characters; others are reported", () => {
    const losses: Loss[] = [];
    const web = { place: { kind: "web" }, sources: [{ url: "https://a.example", title: "A" }] };
    const deltas = deltasOf(
      [
        begin(0, { type: "text", text: "😀" }),
        close(0),
        begin(1, { type: "text", text: "" }),
        grow(1, { k: "citation", citation: web }),
        grow(1, {
          k: "citation",
          citation: { place: { kind: "page" }, sources: [{ title: "B" }] },
        }),
        grow(1, { k: "text", text: "ab" }),
        close(1),
      ],
      losses,
    );
    const cited = { start_index: 1, end_index: 3, url: "https://a.example", title: "A" };
    expect(deltas.at(-1)).toEqual({ annotations: [{ type: "url_citation", url_citation: cited }] });
    expect(losses).toMatchObject([{ code: "L-CITE", path: "candidates[0].blocks[1]" }]);
  });
  test("reports what has no place, once each", () => {
    const losses: Loss[] = [];
    const image = { type: "media", kind: "image", source: { kind: "base64", data: "" } };
    deltasOf(
      [
        begin(0, { type: "tool_call", callId: "a", name: "f", args: "{}" }),
        close(0),
        begin(1, { type: "text", text: "late" }),
        grow(1, { k: "text", text: "r" }),
        close(1),
        begin(2, image),
        close(2),
        begin(3, { type: "hosted_call", vendor: "anthropic", toolType: "web_search", raw: {} }),
        close(3),
      ],
      losses,
    );
    expect(losses.map(({ code, path }) => [code, path])).toEqual([
      ["L-ORDER", "candidates[0].blocks[1]"],
      ["L-MODALITY", "candidates[0].blocks[2]"],
      ["L-HOSTED", "candidates[0].blocks[3]"],
    ]);
  });
  test("of a blocked prompt is an empty one that was filtered", () => {
    const blocked: IrEvent = { t: "meta", patch: { blocked: { reason: "SAFETY" } } };
    const chunks = chunksOf(streamOf([start, blocked, end], answerContext()));
    expect(chunks.at(-1)!.choices).toMatchObject([{ finish_reason: "content_filter" }]);
  });
});

describe("a broken answer", () => {
  /** What the official SDK throws when it iterates over `stream`. */
  async function thrownBy(stream: string): Promise<unknown> {
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => new Response(stream, { headers: { "content-type": "text/event-stream" } }),
    });
    const client = new OpenAI({ apiKey: "k", baseURL: server.url.href, maxRetries: 0 });
    try {
      const asked = client.chat.completions.create({ model: "m", messages: [], stream: true });
      for await (const _ of await asked);
    } catch (error) {
      return error;
    }
    return undefined;
  }
  const text = [start, begin(0, { type: "text", text: "a" })];

  test("ends in the error every OpenAI SDK throws on, and in nothing behind it", async () => {
    const error = { class: "overloaded", status: 529, message: "busy" } as const;
    const stream = streamOf([...text, { t: "error", error }, stop, end], answerContext());
    expect(dataOf(stream).at(-1)).toEqual({
      error: { message: "busy", type: "server_error", param: null, code: "overloaded" },
    });
    const thrown = await thrownBy(stream);
    expect(thrown).toBeInstanceOf(APIError);
    expect(thrown).toMatchObject({ code: "overloaded", type: "server_error" });
  });
  test("that says so in its stop word ends in an error, too", async () => {
    const failed: IrEvent = { t: "stop", c: 0, stop: { kind: "error", raw: "ERROR" } };
    expect(await thrownBy(streamOf([...text, failed, end], answerContext()))).toBeInstanceOf(
      APIError,
    );
  });
  test.each<["surface" | "graceful", boolean]>([
    ["surface", true],
    ["graceful", false],
  ])("in mode %s throws: %p", async (mode, throws) => {
    const writer = streamWriter(answerContext());
    const sent = text.map((event) => textOf(writer.write(event))).join("");
    const broken = { mode, why: "truncated", requestId: "r1", atBoundary: true } as const;
    const last = textOf(writer.fail({ ...broken, id: undefined, model: undefined }));
    expect(textOf(writer.write(stop)) + textOf(writer.end())).toBe("");
    expect((await thrownBy(sent + last)) instanceof APIError).toBe(throws);
    if (!throws) expect(dataOf(last)[0]).toMatchObject({ id: "chatcmpl-r1", model: "claude" });
  });
});
