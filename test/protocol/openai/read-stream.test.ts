import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Block } from "../../../src/protocol/ir/block.ts";
import type { IrEvent } from "../../../src/protocol/ir/event.ts";
import { readAnswer } from "../../../src/protocol/openai/read-answer.ts";
import { haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";
import { accumulate, saidBy } from "./accumulate.ts";
import { answerContext, dataOf, eventsOf, plain, streamOf } from "./kit.ts";
import { sdkAnswer } from "./sdk.ts";

/** Calls without numbers (Mistral), another id in mid-stream, a choice without an end. */
const REFUSED = [
  "openinference--test_synchronous_streaming_chat_completions_with_tool_call_response_emits_expected_spans-False",
  "openinference--test_synchronous_streaming_chat_completions_with_tool_call_response_emits_expected_spans-True",
  "dd-trace--completion_stream_multiple_choices_proxy",
  "fantasy--TestOpenAICompatibleCommon.avian-kimi.multi_tool_streaming.0",
  "fantasy--TestOpenAICompatibleCommon.avian-kimi.multi_tool_streaming.1",
  "pydantic-ai--test_snowflake_model_streaming",
  "pydantic-ai--test_snowflake_thinking_streaming",
  "llm--test_tools_streaming_variant_b",
];
const streams = recordingsOf("openai-chat").filter(({ streamed }) => streamed);

/** Reasoning by the simplest of readings: the first of its members that says something. */
function reasoningIn(stream: Uint8Array): string {
  type Said = Record<string, string> & { reasoning_details?: readonly { text?: string }[] };
  return dataOf(stream)
    .map((data) => (data as { choices?: { delta?: Said }[] }).choices?.[0]?.delta)
    .map((delta) => {
      const detailed = delta?.reasoning_details?.map(({ text = "" }) => text).join("");
      return delta?.["reasoning_content"] ?? delta?.["reasoning"] ?? detailed ?? "";
    })
    .join("");
}

/** Of lists it does not know the SDK keeps the last that came. */
function lastCited<T extends { readonly citations: readonly unknown[] }>(said: T): T {
  return { ...said, citations: said.citations.slice(-1) };
}

describe.skipIf(!haveRecordings)(`recorded streams ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  test("there are sixty-seven", () => expect(streams).toHaveLength(67));

  for (const { name, response } of streams) {
    test(`${name}: comes out as it went in`, () => {
      const written = streamOf(eventsOf(response), answerContext());
      expect(dataOf(written)).toEqual(dataOf(response));
    });
    test(`${name}: is read alike, however it is cut`, () => {
      const whole = plain(eventsOf(response));
      for (const size of [1, 7, 1448]) expect(plain(eventsOf(response, size))).toEqual(whole);
    });
    test(`${name}: says what the official SDK makes of it`, async () => {
      const answer = await sdkAnswer(response);
      const read = accumulate(eventsOf(response));
      if (answer === undefined) return expect(REFUSED).toContain(name);
      expect(REFUSED).not.toContain(name);
      expect(saidBy(read).map(lastCited)).toEqual(saidBy(readAnswer(answer)).map(lastCited));
      const { usage } = readAnswer(answer);
      if (usage !== undefined) expect(read.usage).toEqual(usage);
    });
    test(`${name}: keeps its reasoning`, () => {
      const { candidates } = accumulate(eventsOf(response));
      const [first] = candidates;
      const texts = first?.blocks.map((block) =>
        block.type === "reasoning" ? (block.text ?? "") : "",
      );
      expect(texts?.join("") ?? "").toBe(reasoningIn(response));
    });
  }
});

/** The chunks as a server sends them, without the members that do not matter here. */
function sse(...choices: readonly (object | string)[]): string {
  return choices
    .map((choice) => {
      if (typeof choice === "string") return `data: ${choice}\n\n`;
      const said = "choices" in choice ? choice : { choices: [{ index: 0, ...choice }] };
      return `data: ${JSON.stringify({ id: "c", model: "m", created: 1, ...said })}\n\n`;
    })
    .join("");
}
const delta = (said: object, finish: string | null = null) => ({
  delta: said,
  finish_reason: finish,
});
const call = (said: object, name?: string, args?: string) => ({
  tool_calls: [{ ...said, function: { name, arguments: args } }],
});
const END = [delta({}, "stop"), "[DONE]"] as const;

function blocksOf(...chunks: readonly (object | string)[]): readonly Block[] {
  return accumulate(eventsOf(sse(...chunks))).candidates[0]?.blocks ?? [];
}
const callsOf = (...chunks: readonly (object | string)[]) =>
  blocksOf(...chunks, ...END).flatMap((block) =>
    block.type === "tool_call" ? [[block.callId, block.name, block.args]] : [],
  );

describe("what hosts send besides what OpenAI does (protocols.md 5.2)", () => {
  test("calls without a number are told apart by their names", () => {
    const first = call({ id: "a" }, "f", "{}");
    expect(callsOf(delta(first), delta(call({ id: "b" }, "g", "[]")))).toEqual([
      ["a", "f", "{}"],
      ["b", "g", "[]"],
    ]);
  });
  test("calls that all have the number 0 are told apart by their ids", () => {
    const chunks = ["a", "b"].map((id) => delta(call({ index: 0, id }, "f", `"${id}"`)));
    expect(callsOf(...chunks)).toEqual([
      ["a", "f", '"a"'],
      ["b", "f", '"b"'],
    ]);
  });
  test("an id repeated on every fragment is the same call", () => {
    const pieces = ["{", "}"].map((text) => delta(call({ index: 0, id: "a" }, undefined, text)));
    expect(callsOf(delta(call({ index: 0, id: "a" }, "f", "")), ...pieces)).toEqual([
      ["a", "f", "{}"],
    ]);
  });
  test("fragments of calls may come in any order", () => {
    const fragment = (index: number, text: string) => delta(call({ index }, undefined, text));
    const started = [0, 1].map((index) => delta(call({ index, id: `${index}` }, `f${index}`, "")));
    expect(
      callsOf(...started, fragment(1, "["), fragment(0, "{"), fragment(1, "]"), fragment(0, "}")),
    ).toEqual([
      ["0", "f0", "{}"],
      ["1", "f1", "[]"],
    ]);
  });
  test("arguments before a name wait for it, and without one are not lost", () => {
    const early = delta(call({ index: 0, id: "a" }, undefined, "{}"));
    expect(callsOf(early, delta(call({ index: 0 }, "f")))).toEqual([["a", "f", "{}"]]);
    expect(callsOf(early)).toEqual([["a", "", "{}"]]);
  });
  test("text around calls keeps its place", () => {
    const chunks = [{ content: "a" }, call({ index: 0, id: "i" }, "f", "{}"), { content: "b" }];
    const types = blocksOf(...chunks.map((said) => delta(said)), ...END).map(({ type }) => type);
    expect(types).toEqual(["text", "tool_call", "text"]);
  });
  test("two finish chunks are one stop, and usage in the last counts", () => {
    const usage = { prompt_tokens: 3, completion_tokens: 4 };
    const last = { choices: [{ index: 0, ...delta({ content: "" }, "stop") }], usage };
    const events = eventsOf(sse(delta({ content: "a" }), delta({}, "stop"), last, "[DONE]"));
    expect(events.filter(({ t }) => t === "stop")).toHaveLength(1);
    expect(accumulate(events).usage).toMatchObject({ inputTotal: 3, outputTotal: 4 });
  });
  test("what comes behind the finish chunk still belongs to the answer", () => {
    const blocks = blocksOf(
      delta({ content: "a" }),
      delta({}, "stop"),
      delta({ content: "b" }),
      "[DONE]",
    );
    expect(blocks).toMatchObject([{ type: "text", text: "ab" }]);
  });
  test("a stream that just ends has no end, and none of its choices that had no reason", () => {
    const kinds = eventsOf(sse(delta({ content: "a" }))).map(({ t }) => t);
    expect(kinds).not.toContain("end");
    expect(kinds).not.toContain("stop");
  });
  test("a finish reason is enough for a stop where hosts write no [DONE]", () => {
    const kinds = eventsOf(sse(delta({ content: "a" }), delta({}, "length"))).map(({ t }) => t);
    expect(kinds).toContain("stop");
    expect(kinds).not.toContain("end");
  });
  test("no choices, no delta, no content say nothing and break nothing", () => {
    const empty = [
      { choices: undefined },
      { choices: [] },
      { choices: [{}] },
      delta({ content: null }),
    ];
    expect(blocksOf(...empty, delta({ content: "a" }), ...END)).toMatchObject([{ text: "a" }]);
  });
  test.each([
    ["beside the choices", { choices: [], error: { message: "no", code: 502 } }, "bad_upstream"],
    ["in a choice", { finish_reason: "error", error: { message: "no", code: 429 } }, "rate_limit"],
  ])("an error %s ends the answer", (_, chunk, kind) => {
    const events = eventsOf(sse(delta({ content: "a" }), chunk, ...END));
    expect(events.at(-1)).toMatchObject({ t: "error", error: { class: kind } });
  });
  test("Groq's error event ends the answer", () => {
    const event = 'event: error\ndata: {"error":{"message":"no","type":"x","code":"y"}}\n\n';
    const events = eventsOf(sse(delta({ content: "a" })) + event + sse(...END));
    expect(events.at(-1)).toMatchObject({ t: "error", error: { class: "server", message: "no" } });
  });
  test("an event that is no JSON is an error, not a gap", () => {
    expect(eventsOf(sse(delta({ content: "a" }), "{oops", ...END)).at(-1)).toMatchObject({
      t: "error",
      error: { class: "bad_upstream" },
    });
  });
  test("Mistral's list of parts is reasoning, then text", () => {
    const content = [
      { type: "thinking", thinking: [{ type: "text", text: "hm" }] },
      { type: "text", text: "a" },
    ];
    expect(blocksOf(delta({ content }), ...END)).toMatchObject([
      { type: "reasoning", text: "hm" },
      { type: "text", text: "a" },
    ]);
  });
  test("Azure's nameless first chunk does not name the answer", () => {
    const filters = { id: "", model: "", created: 0, choices: [], prompt_filter_results: [] };
    const events = eventsOf(sse(filters, delta({ content: "a" }), ...END));
    expect(events[0]).toMatchObject({ t: "start", id: "c", model: "m", createdAt: 1 });
  });
});

describe("reasoning details", () => {
  const detail = (said: object) => delta({ reasoning_details: [said] });
  const text = (more: object) => ({
    type: "reasoning.text",
    format: "anthropic-claude-v1",
    ...more,
  });

  test("text and its signature are one block, whose family the format names", () => {
    const chunks = [
      detail(text({ text: "a", index: 0 })),
      detail(text({ text: "b", index: 0 })),
      detail(text({ signature: "s", index: 0 })),
    ];
    expect(blocksOf(...chunks, delta({ content: "x" }), ...END)).toMatchObject([
      { type: "reasoning", text: "ab", signature: { value: "s", family: "anthropic" } },
      { type: "text", text: "x" },
    ]);
  });
  test("a signature alone closes the reasoning told beside it", () => {
    const chunks = [delta({ reasoning: "a" }), detail(text({ signature: "s", index: 0 }))];
    expect(blocksOf(...chunks, ...END)).toMatchObject([
      { type: "reasoning", text: "a", signature: { value: "s" } },
    ]);
  });
  test("Gemini's proof of a call names the call", () => {
    const format = "google-gemini-v1";
    const proof = { type: "reasoning.encrypted", id: "call_1", data: "p", format };
    expect(
      blocksOf(detail(proof), delta(call({ index: 0, id: "call_1" }, "f", "{}")), ...END),
    ).toMatchObject([
      {
        type: "reasoning",
        signature: { value: "p", family: "google" },
        carries: { proofOf: "call", callId: "call_1" },
      },
      { type: "tool_call", callId: "call_1" },
    ]);
  });
  test("a summary and its seal are one block", () => {
    const of = { id: "rs_1", format: "openai-responses-v1" };
    const chunks = [
      detail({ type: "reasoning.summary", summary: "s", ...of }),
      detail({ type: "reasoning.encrypted", data: "e", ...of }),
    ];
    expect(blocksOf(...chunks, ...END)).toMatchObject([
      { type: "reasoning", id: "rs_1", summary: ["s"], sealed: { value: "e", family: "openai" } },
    ]);
  });
});

describe("whatever a stream holds", () => {
  const chunk = fc.oneof(
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc
      .record({
        id: fc.jsonValue(),
        choices: fc.array(
          fc.record(
            {
              index: fc.oneof(fc.nat(3), fc.jsonValue()),
              delta: fc.oneof(
                fc.jsonValue(),
                fc.record(
                  {
                    content: fc.oneof(fc.string(), fc.jsonValue()),
                    reasoning: fc.oneof(fc.string(), fc.jsonValue()),
                    reasoning_details: fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue()),
                    tool_calls: fc.array(
                      fc.record(
                        {
                          index: fc.oneof(fc.nat(2), fc.jsonValue()),
                          id: fc.oneof(fc.constantFrom("a", "b", ""), fc.jsonValue()),
                          function: fc.oneof(
                            fc.record(
                              { name: fc.constantFrom("f", ""), arguments: fc.string() },
                              { requiredKeys: [] },
                            ),
                            fc.jsonValue(),
                          ),
                        },
                        { requiredKeys: [] },
                      ),
                    ),
                    refusal: fc.jsonValue(),
                    annotations: fc.jsonValue(),
                    audio: fc.jsonValue(),
                    function_call: fc.jsonValue(),
                  },
                  { requiredKeys: [] },
                ),
              ),
              finish_reason: fc.oneof(fc.constantFrom("stop", "tool_calls", ""), fc.jsonValue()),
              logprobs: fc.jsonValue(),
            },
            { requiredKeys: [] },
          ),
          { maxLength: 3 },
        ),
        usage: fc.jsonValue(),
      })
      .map((value) => JSON.stringify(value)),
    fc.string(),
  );

  test("it is read without a throw, in events that keep their grammar", () => {
    fc.assert(
      fc.property(
        fc.array(chunk, { maxLength: 8 }),
        fc.boolean(),
        fc.nat(40),
        (chunks, done, cut) => {
          const text =
            chunks.map((each) => `data: ${each}\n\n`).join("") + (done ? "data: [DONE]\n\n" : "");
          const events: readonly IrEvent[] = eventsOf(text);
          expect(() => accumulate(events)).not.toThrow();
          expect(plain(eventsOf(text, cut + 1))).toEqual(plain(events));
          expect(() => streamOf(events, answerContext())).not.toThrow();
        },
      ),
    );
  });
  test("bytes that are no stream at all are read without a throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(() => accumulate(eventsOf(new Uint8Array(bytes)))).not.toThrow();
      }),
    );
  });
});
