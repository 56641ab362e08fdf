import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readUsage } from "../../../src/protocol/anthropic/usage.ts";
import { haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";
import { objectOf, utf8 } from "./pieces.ts";

const usageIn = (body: unknown) => readUsage(utf8(JSON.stringify(body)));
const USED = { input_tokens: 1, output_tokens: 2 };

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  for (const { name, response, streamed } of recordingsOf("anthropic")) {
    if (streamed) continue;
    test(`${name} used what a full parse says`, () => {
      const said = objectOf(response)["usage"] as Record<string, number> | undefined;
      const sum = (...names: string[]) => names.reduce((all, each) => all + (said?.[each] ?? 0), 0);
      const caches = ["cache_read_input_tokens", "cache_creation_input_tokens"];
      const input = said && sum("input_tokens", ...caches);
      const { inputTokens, outputTokens } = readUsage(response.slice()) ?? {};
      expect([inputTokens, outputTokens]).toEqual([input, said?.["output_tokens"]]);
    });
  }
});

test("usage is that of the answer, wherever it stands", () => {
  const expected = { inputTokens: 1, outputTokens: 2, cacheReadTokens: 0, reasoningTokens: 0 };
  expect(usageIn({ usage: USED, content: [] })).toEqual(expected);
  expect(usageIn({ content: [], usage: USED })).toEqual(expected);
  expect(usageIn({ usage: USED, content: [{ usage: { input_tokens: 9 } }] })).toEqual(expected);
  expect(usageIn({ usage: USED, content: [{ input: { usage: 5 } }], x: "usage" })).toEqual(
    expected,
  );
  expect(usageIn({ usage: USED, content: [{ text: '"usage":{"input_tokens":9}}' }] })).toEqual(
    expected,
  );
});
test("usage counts every input token once", () => {
  const usage = {
    ...USED,
    cache_read_input_tokens: 10,
    cache_creation_input_tokens: 100,
    output_tokens_details: { thinking_tokens: 1 },
  };
  expect(usageIn({ usage })).toEqual({
    inputTokens: 111,
    outputTokens: 2,
    cacheReadTokens: 10,
    cacheWriteTokens: 100,
    reasoningTokens: 1,
  });
});
test.each([
  [{ ephemeral_5m_input_tokens: 60, ephemeral_1h_input_tokens: 40 }, 40],
  [{ ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 0 }, undefined],
  [{ ephemeral_1h_input_tokens: 101 }, 100],
  [{ ephemeral_1h_input_tokens: -1 }, undefined],
  [null, undefined],
])("of what is cached, %j says how much for an hour: %p", (cache_creation, long) => {
  const usage = { ...USED, cache_creation_input_tokens: 100, cache_creation };
  expect(usageIn({ usage })).toEqual({
    ...{ inputTokens: 101, outputTokens: 2, cacheReadTokens: 0, reasoningTokens: 0 },
    cacheWriteTokens: 100,
    cacheWriteLongTokens: long,
  });
});
test.each([[{}], [{ usage: null }], [{ usage: {} }], [[]], ["usage"], [{ input_tokens: 5 }]])(
  "%j says nothing of usage: a count of tokens is none",
  (body) => {
    expect(usageIn(body)).toBeUndefined();
  },
);
test("usage of any JSON is that of its parse, and of any bytes nothing bad", () => {
  const member = fc.oneof(fc.constant(USED), fc.constantFrom(null, 0, {}, { input_tokens: 3 }));
  const object = fc.dictionary(
    fc.constantFrom("usage", "a", '"usage"', "b"),
    fc.oneof(member, fc.json()),
  );
  fc.assert(
    fc.property(object, (body) => {
      const said = Object.hasOwn(body, "usage") ? body["usage"] : undefined;
      expect(usageIn(body)).toEqual(usageIn({ usage: said })!);
    }),
  );
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void readUsage(new Uint8Array(bytes))));
});
