import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import { readIrUsage } from "../../../src/protocol/openai/ir-usage.ts";
import { readAnswer } from "../../../src/protocol/openai/read-answer.ts";
import { usageOf } from "../../../src/protocol/openai/usage.ts";
import { writeAnswer } from "../../../src/protocol/openai/write-answer.ts";
import { parseJson, printJson } from "../../../src/wire/exact-json.ts";
import { isObject } from "../../../src/protocol/ir/fields.ts";
import { haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";
import { answerContext, plain } from "./kit.ts";

function again(body: JsonObject, losses: Loss[] = []): JsonObject {
  return plain(writeAnswer(readAnswer(body), answerContext({}, losses)));
}
const choice = (message: JsonObject, more: JsonObject = {}): JsonObject => ({
  id: "c",
  object: "chat.completion",
  created: 1,
  model: "m",
  choices: [
    { index: 0, message: { role: "assistant", ...message }, finish_reason: "stop", ...more },
  ],
});

describe.skipIf(!haveRecordings)(`recorded answers ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  const answers = recordingsOf("openai-chat").filter(({ streamed }) => !streamed);
  test("there are ninety-five", () => expect(answers).toHaveLength(95));
  for (const { name, response } of answers) {
    const body = parseJson(response);
    if (!isObject(body as JsonObject)) continue; // Gemini's OpenAI surface lists its errors.
    test(`${name}: comes out as it went in, and nothing is lost`, () => {
      const losses: Loss[] = [];
      expect(again(body as JsonObject, losses)).toEqual(plain(body as JsonObject));
      expect(losses).toEqual([]);
    });
  }
  test("usage has the counts that passthrough is billed by", () => {
    for (const { response } of answers) {
      const body = parseJson(response) as JsonObject;
      const given = body["usage"];
      const billed = usageOf(given);
      if (!isObject(given) || billed === undefined) continue;
      const { inputTotal, outputTotal, cacheRead, reasoning } = readIrUsage(given);
      expect([inputTotal, outputTotal]).toEqual([billed.inputTokens, billed.outputTokens]);
      expect([cacheRead ?? 0, reasoning ?? 0]).toEqual([
        billed.cacheReadTokens,
        billed.reasoningTokens,
      ]);
    }
  });
});

describe("what an answer means", () => {
  const blocks = (message: JsonObject, more?: JsonObject) =>
    readAnswer(choice(message, more)).candidates[0]!.blocks;

  test("an empty text beside calls is no text", () => {
    const tool_calls = [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }];
    expect(blocks({ content: "", tool_calls }).map(({ type }) => type)).toEqual(["tool_call"]);
  });
  test("what hosts fill in with nothing is not there", () => {
    const message = {
      content: "a",
      refusal: "",
      audio: { id: "", data: "", transcript: "", expires_at: 0 },
      function_call: { name: "", arguments: "" },
      tool_calls: [],
    };
    expect(blocks(message)).toMatchObject([{ type: "text", text: "a" }]);
  });
  test("a refusal is why it stopped", () => {
    const { candidates } = readAnswer(choice({ content: null, refusal: "no" }));
    expect(candidates).toMatchObject([{ stop: { kind: "refusal", raw: "stop" } }]);
  });
  test.each([
    ["stop", "end"],
    ["eos", "end"],
    ["tool_calls", "tool_call"],
    ["function_call", "tool_call"],
    ["length", "length"],
    ["content_filter", "content_filter"],
    ["", "other"],
    ["whatever", "other"],
  ])("the word %p is %s", (finish_reason, kind) => {
    const { candidates } = readAnswer(choice({ content: "a" }, { finish_reason }));
    expect(candidates[0]!.stop).toMatchObject({ kind, raw: finish_reason });
  });
  test("citations of pages stand with the text, by characters of the message", () => {
    const url_citation = { url: "u", title: "t", start_index: 1, end_index: 2 };
    const annotations = [{ type: "url_citation", url_citation }];
    expect(blocks({ content: "abc", annotations })).toMatchObject([
      {
        citations: [
          { span: { start: 1, end: 2, of: "message" }, sources: [{ url: "u", title: "t" }] },
        ],
      },
    ]);
  });
  test("log probabilities stand with what they are of", () => {
    const token = { token: "a", logprob: -1, bytes: [97], top_logprobs: [] };
    const logprobs = { content: [token], refusal: null };
    expect(blocks({ content: "a" }, { logprobs })).toMatchObject([
      { logprobs: [{ token: "a", logprob: -1, bytes: [97], top: [] }] },
    ]);
    expect(again(choice({ content: "a" }, { logprobs }))).toEqual(
      choice({ content: "a" }, { logprobs }),
    );
  });
  test.each<[string, JsonObject, object]>([
    [
      "xAI leaves reasoning out of the completion",
      {
        prompt_tokens: 10,
        completion_tokens: 5,
        total_tokens: 18,
        completion_tokens_details: { reasoning_tokens: 3 },
      },
      { inputTotal: 10, outputTotal: 8, reasoning: 3 },
    ],
    [
      "Grok on Azure counts cached tokens beside the prompt's",
      {
        prompt_tokens: 10,
        completion_tokens: 5,
        total_tokens: 15,
        prompt_tokens_details: { cached_tokens: 90 },
      },
      { inputTotal: 100, cacheRead: 90, outputTotal: 5 },
    ],
    [
      "DeepSeek has its own words for the cache",
      { prompt_tokens: 10, completion_tokens: 5, prompt_cache_hit_tokens: 4 },
      { inputTotal: 10, cacheRead: 4 },
    ],
    [
      "written tokens are counted, as OpenAI or as Vercel says it",
      { prompt_tokens: 10, completion_tokens: 5, prompt_tokens_details: { cache_write_tokens: 2 } },
      { cacheWrite: 2 },
    ],
    [
      "and as Vercel",
      { prompt_tokens: 1, completion_tokens: 1, cache_creation_input_tokens: 3 },
      { cacheWrite: 3 },
    ],
    [
      "what nobody said is not there",
      { prompt_tokens: 10 },
      { inputTotal: 10, outputTotal: undefined, reasoning: undefined },
    ],
  ])("usage: %s", (_, usage, expected) => {
    expect(readIrUsage(usage)).toMatchObject(expected);
  });
  test("usage: nonsense is no count", () => {
    const usage = { prompt_tokens: -1, completion_tokens: "5" };
    expect(readIrUsage(usage)).toEqual({ raw: { openai: usage } });
  });
});

describe("whatever an answer holds", () => {
  const token = fc.record({
    token: fc.string(),
    logprob: fc.double({ noNaN: true }),
    bytes: fc.jsonValue(),
  });
  const message = fc.record(
    {
      role: fc.jsonValue(),
      content: fc.oneof(fc.string(), fc.jsonValue()),
      refusal: fc.oneof(fc.string(), fc.jsonValue()),
      tool_calls: fc.oneof(
        fc.jsonValue(),
        fc.array(
          fc.record(
            { id: fc.jsonValue(), type: fc.jsonValue(), function: fc.jsonValue() },
            { requiredKeys: [] },
          ),
        ),
      ),
      annotations: fc.jsonValue(),
      audio: fc.jsonValue(),
      function_call: fc.jsonValue(),
      reasoning: fc.oneof(fc.string(), fc.jsonValue()),
      reasoning_content: fc.oneof(fc.string(), fc.jsonValue()),
      reasoning_details: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const body = fc.record(
    {
      id: fc.jsonValue(),
      object: fc.jsonValue(),
      created: fc.jsonValue(),
      model: fc.jsonValue(),
      choices: fc.oneof(
        fc.jsonValue(),
        fc.array(
          fc.record(
            {
              index: fc.jsonValue(),
              message: fc.oneof(message, fc.jsonValue()),
              finish_reason: fc.jsonValue(),
              logprobs: fc.oneof(
                fc.jsonValue(),
                fc.record({ content: fc.array(token), refusal: fc.jsonValue() }),
              ),
            },
            { requiredKeys: [] },
          ),
          { maxLength: 3 },
        ),
      ),
      usage: fc.jsonValue(),
      service_tier: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  test("it is read, and comes out as it went in", () => {
    fc.assert(
      fc.property(body, (value) => {
        const given = JSON.parse(JSON.stringify(value)) as JsonObject;
        const written = printJson(writeAnswer(readAnswer(given), answerContext()));
        expect(JSON.parse(written)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 500 },
    );
  });
});
