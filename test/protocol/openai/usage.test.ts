import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Chunk } from "../../../src/core/units.ts";
import { readUsage, usageOf } from "../../../src/protocol/openai/usage.ts";
import { haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";

const utf8 = (text: string): Chunk => new TextEncoder().encode(text);
const read = (body: unknown) => readUsage(utf8(JSON.stringify(body)));

/** The whole body parsed, and its top-level usage taken. */
function slowUsage(text: string) {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return undefined; // Not JSON: it reports nothing.
  }
  if (typeof body !== "object" || body === null || !Object.hasOwn(body, "usage")) return undefined;
  return usageOf(Reflect.get(body, "usage"));
}

describe("a report", () => {
  const count = (inputTokens: number, outputTokens: number, cached = 0, reasoning = 0) => ({
    inputTokens,
    outputTokens,
    cacheReadTokens: cached,
    reasoningTokens: reasoning,
  });
  test.each<[string, unknown, object | undefined]>([
    ["OpenAI", { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 }, count(9, 4)],
    [
      "OpenAI with details",
      {
        prompt_tokens: 9,
        completion_tokens: 4,
        total_tokens: 13,
        prompt_tokens_details: { cached_tokens: 8, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 3 },
      },
      count(9, 4, 8, 3),
    ],
    ["embeddings", { prompt_tokens: 8, total_tokens: 8 }, count(8, 0)],
    [
      "DeepSeek",
      { prompt_tokens: 9, completion_tokens: 4, prompt_cache_hit_tokens: 5 },
      count(9, 4, 5),
    ],
    [
      "Moonshot, Together",
      { prompt_tokens: 9, completion_tokens: 4, cached_tokens: 5 },
      count(9, 4, 5),
    ],
    [
      "OpenRouter",
      {
        prompt_tokens: 9,
        completion_tokens: 4,
        prompt_tokens_details: { cached_tokens: 2, cache_write_tokens: 5 },
      },
      { ...count(9, 4, 2), cacheWriteTokens: 5 },
    ],
    [
      "Vercel",
      { prompt_tokens: 9, completion_tokens: 4, cache_creation_input_tokens: 5 },
      { ...count(9, 4), cacheWriteTokens: 5 },
    ],
    ["Mistral", { prompt_tokens: 9, completion_tokens: 4, num_cached_tokens: 5 }, count(9, 4, 5)],
    ["SGLang", { prompt_tokens: 9, completion_tokens: 4, reasoning_tokens: 2 }, count(9, 4, 0, 2)],
    [
      "xAI: reasoning beside",
      {
        prompt_tokens: 9,
        completion_tokens: 4,
        total_tokens: 16,
        completion_tokens_details: { reasoning_tokens: 3 },
      },
      count(9, 7, 0, 3),
    ],
    [
      "Vercel: reasoning beside, and not in the total",
      {
        prompt_tokens: 9,
        completion_tokens: 4,
        total_tokens: 13,
        completion_tokens_details: { reasoning_tokens: 30 },
      },
      count(9, 34, 0, 30),
    ],
    [
      "Grok on Azure: cached beside",
      {
        prompt_tokens: 9,
        completion_tokens: 4,
        total_tokens: 13,
        prompt_tokens_details: { cached_tokens: 20 },
      },
      count(29, 4, 20),
    ],
    [
      "details that make no sense",
      { prompt_tokens: 9, completion_tokens: 4, prompt_tokens_details: { cached_tokens: -1 } },
      count(9, 4),
    ],
    [
      "details that are none",
      { prompt_tokens: 9, completion_tokens: 4, prompt_tokens_details: 7 },
      count(9, 4),
    ],
    ["one number missing", { completion_tokens: 4, prompt_tokens: null }, count(0, 4)],
    ["nothing", {}, undefined],
    ["null", null, undefined],
    ["a list", [1], undefined],
    ["a negative", { prompt_tokens: -1, completion_tokens: 4 }, undefined],
    ["a fraction", { prompt_tokens: 1, completion_tokens: 4.5 }, undefined],
    ["a string", { prompt_tokens: "1", completion_tokens: 4 }, undefined],
    ["too much", { prompt_tokens: 1, completion_tokens: 1e9 + 1 }, undefined],
    ["infinity", { prompt_tokens: Number.POSITIVE_INFINITY }, undefined],
    ["no number", { prompt_tokens: Number.NaN }, undefined],
  ])("as %s writes it", (_, usage, expected) => expect(usageOf(usage)).toEqual(expected as Usage));

  test("never has a part larger than the whole, whatever is said", () => {
    const number = fc.oneof(fc.nat(), fc.integer(), fc.double(), fc.constant(null));
    const usage = fc.record(
      {
        prompt_tokens: number,
        completion_tokens: number,
        total_tokens: number,
        cached_tokens: number,
        prompt_tokens_details: fc.record({ cached_tokens: number, cache_write_tokens: number }),
        cache_creation_input_tokens: number,
        completion_tokens_details: fc.record({ reasoning_tokens: number }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(usage, (said) => {
        const seen = usageOf(said);
        if (seen === undefined) return;
        for (const tokens of Object.values({
          ...seen,
          cacheWriteTokens: seen.cacheWriteTokens ?? 0,
          cacheWriteLongTokens: 0,
        })) {
          expect(Number.isInteger(tokens) && tokens >= 0 && tokens <= 2e9).toBe(true);
        }
        expect(seen.cacheReadTokens).toBeLessThanOrEqual(seen.inputTokens);
        expect(seen.cacheWriteTokens ?? 0).toBeLessThanOrEqual(seen.inputTokens);
        expect(seen.reasoningTokens).toBeLessThanOrEqual(seen.outputTokens);
      }),
      { numRuns: 1000 },
    );
  });
});
type Usage = ReturnType<typeof usageOf>;

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  const buffered = recordingsOf("openai-chat").filter(({ streamed }) => !streamed);
  test("each buffered answer is read as by a full parse", () => {
    expect(buffered.length).toBeGreaterThan(80);
    for (const { name, response } of buffered) {
      const expected = slowUsage(new TextDecoder().decode(response));
      expect([name, readUsage(response.slice())]).toEqual([name, expected]);
    }
  });
  test("each says what it used, but for a filtered prompt and a made-up answer", () => {
    const silent = buffered.filter(({ response, status }) => {
      return status === 200 && readUsage(response.slice()) === undefined;
    });
    expect(silent.map(({ name }) => name).sort()).toEqual([
      "openllmetry--test_prompt_content_filtering",
      "pydantic-ai--test_openai.test_invalid_response",
    ]);
  });
});

describe("the place of usage in a body", () => {
  const usage = { prompt_tokens: 3, completion_tokens: 4 };
  const lie = { prompt_tokens: 1, completion_tokens: 1 };
  test.each<[string, unknown, number | undefined]>([
    ["last", { choices: [], usage }, 3],
    ["first", { usage, choices: [{ message: { content: '"usage":{"prompt_tokens":1}' } }] }, 3],
    ["before one below", { usage, meta: { usage: lie } }, 3],
    ["behind one below", { meta: { usage: lie }, usage }, 3],
    ["before many below", { usage, all: Array.from({ length: 20 }, () => ({ usage: lie })) }, 3],
    ["only below", { meta: { usage: lie } }, undefined],
    ["null, and one below", { meta: { usage: lie }, usage: null }, undefined],
    ["as a value", { usage, object: "usage" }, 3],
    ["at the end of a text", { usage, text: 'the "usage' }, 3],
    ["in a list", [{ usage }], undefined],
    ["nowhere", { choices: [] }, undefined],
  ])("%s", (_, body, expected) => expect(read(body)?.inputTokens).toBe(expected));

  test.each([
    "",
    "{",
    '{"usage":',
    '{"usage":{"prompt_tokens":1}',
    '{"usage":{"prompt_tokens":1}}}',
    "<html>",
  ])("nothing is read of %j", (text) => expect(readUsage(utf8(text))).toBeUndefined());

  const json = fc.json({ maxDepth: 4 }).map((text): unknown => JSON.parse(text));
  const key = fc.constantFrom("usage", "choices", 'a"usage', "\\", "id");
  const body = fc.oneof(
    fc.dictionary(key, fc.oneof(json, fc.constant(usage), fc.dictionary(key, fc.constant(usage)))),
    json,
  );
  test("any JSON is read as by a full parse, in any spelling", () => {
    fc.assert(
      fc.property(body, fc.constantFrom(0, 1, "\t"), (value, indent) => {
        const text = `${JSON.stringify(value, null, indent)}\n`;
        expect(readUsage(utf8(text))).toEqual(slowUsage(text));
      }),
      { numRuns: 2000 },
    );
  });
  test("no bytes at all make it throw", () => {
    const noise = fc.array(fc.oneof(fc.constant('"usage":{'), fc.constant("}"), fc.string()));
    fc.assert(fc.property(noise, (parts) => void readUsage(utf8(parts.join("")))));
  });
});

test("a hostile body costs time in proportion to its length", () => {
  // Quadratic work on a mebibyte would be minutes.
  for (const unit of [
    '"usage"',
    '"usage":{',
    '{"usage":',
    '\\"usage":',
    "\\",
    '"',
    '\\"',
    "[",
    "{",
  ]) {
    readUsage(utf8(`{"a":[${unit.repeat((1 << 20) / unit.length)}`));
    readUsage(utf8(`{"usage":{"a":"${unit.repeat((1 << 20) / unit.length)}`));
  }
});
