import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import {
  readIrUsage,
  readUsage,
  usageOf,
  writeIrUsage,
} from "../../../src/protocol/responses/usage.ts";
import { haveRecordings, NO_RECORDINGS } from "../../faultd/recordings.ts";
import { answers, objectOf, utf8 } from "./recorded.ts";

const count = (
  inputTokens: number,
  outputTokens: number,
  cacheReadTokens = 0,
  reasoningTokens = 0,
) => ({
  inputTokens,
  outputTokens,
  cacheReadTokens,
  reasoningTokens,
});

describe("a report", () => {
  test.each<[string, unknown, object | undefined]>([
    ["plain", { input_tokens: 9, output_tokens: 4, total_tokens: 13 }, count(9, 4)],
    [
      "with details",
      {
        input_tokens: 9,
        input_tokens_details: { cached_tokens: 8 },
        output_tokens: 4,
        output_tokens_details: { reasoning_tokens: 3 },
      },
      count(9, 4, 8, 3),
    ],
    [
      "with what was cached",
      { input_tokens: 9, input_tokens_details: { cache_write_tokens: 5 }, output_tokens: 4 },
      { ...count(9, 4), cacheWriteTokens: 5 },
    ],
    [
      "cached beside the input",
      { input_tokens: 9, input_tokens_details: { cached_tokens: 20 }, output_tokens: 4 },
      count(29, 4, 20),
    ],
    ["one count only", { output_tokens: 4 }, count(0, 4)],
    [
      "null details",
      { input_tokens: 1, output_tokens: 2, input_tokens_details: null },
      count(1, 2),
    ],
    ["nothing", {}, undefined],
    ["null", null, undefined],
    ["nonsense", { input_tokens: -1, output_tokens: 4 }, undefined],
    ["a mistake", { input_tokens: 1e12, output_tokens: 4 }, undefined],
  ])("%s", (_, said, expected) => expect(usageOf(said)).toEqual(expected as never));
});

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  test.each(answers)("$name tells its usage to both readers alike", ({ response }) => {
    const body = objectOf(response);
    const usage = readUsage(response.slice());
    const ir = readIrUsage(body["usage"]);
    expect(usage).toEqual(usageOf(body["usage"]));
    expect([usage?.inputTokens, usage?.outputTokens]).toEqual([ir?.inputTotal, ir?.outputTotal]);
    const total = (body["usage"] as { total_tokens: number }).total_tokens;
    expect(usage!.inputTokens + usage!.outputTokens).toBe(total);
  });
});

test("it is found where it stands, not where a text or a tool says so", () => {
  const usage = { input_tokens: 1, output_tokens: 2 };
  const output = [
    { usage: { input_tokens: 7, output_tokens: 7 }, text: '"usage":{"input_tokens":5}' },
  ];
  expect(readUsage(utf8(JSON.stringify({ usage, output })))).toEqual(count(1, 2));
  expect(readUsage(utf8(JSON.stringify({ output })))).toBeUndefined();
});

test("it reads as a whole parse does, whatever the body", () => {
  const usage = fc.record({ input_tokens: fc.nat(99), output_tokens: fc.nat(99) });
  const body = fc.oneof(
    fc.json(),
    fc.record({ a: fc.jsonValue(), usage }).map((said) => JSON.stringify(said)),
    fc.string(),
  );
  const property = fc.property(body, (text) => {
    let slow: unknown;
    try {
      slow = (JSON.parse(text) as { usage?: unknown } | null)?.usage;
    } catch {
      slow = undefined; // Not JSON: it reports nothing.
    }
    expect(readUsage(utf8(text))).toEqual(usageOf(slow));
  });
  fc.assert(property, { numRuns: 300 });
});

describe("written", () => {
  const written = (usage: Parameters<typeof writeIrUsage>[0]) => {
    const losses: Loss[] = [];
    const said = writeIrUsage(usage, (loss) => void losses.push(loss));
    return { said, codes: losses.map(({ code }) => code) };
  };
  test("of another protocol: every count the SDK's type has", () => {
    const usage = {
      inputTotal: 10,
      cacheRead: 4,
      cacheWrite: 3,
      outputTotal: 6,
      reasoning: 5,
      raw: { anthropic: {} },
    };
    expect(written(usage)).toEqual({
      said: {
        input_tokens: 10,
        input_tokens_details: { cached_tokens: 4, cache_write_tokens: 3 },
        output_tokens: 6,
        output_tokens_details: { reasoning_tokens: 5 },
        total_tokens: 16,
      },
      codes: [],
    });
  });
  test("a count nobody told is 0 and reported", () => {
    expect(written({ outputTotal: 6, raw: {} })).toMatchObject({
      said: { input_tokens: 0 },
      codes: ["L-USAGE"],
    });
  });
  test("its own comes back as it was", () => {
    const own = { input_tokens: 1, output_tokens: 2, cost_in_usd_ticks: 7 };
    expect(written(readIrUsage(own)!)).toEqual({ said: own, codes: [] });
  });
});
