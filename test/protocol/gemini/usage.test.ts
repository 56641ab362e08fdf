import { describe, expect, test } from "bun:test";
import { readIrUsage, readUsage, writeIrUsage } from "../../../src/protocol/gemini/usage.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import { haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";
import { json, parsed, utf8 } from "./harness.ts";

const usageIn = (usageMetadata: unknown) => readUsage(utf8(JSON.stringify({ usageMetadata })));

describe("usage of an answer", () => {
  test("counts the prompt's tokens with tool use, the answer's with thoughts", () => {
    const said = {
      promptTokenCount: 100,
      cachedContentTokenCount: 40,
      toolUsePromptTokenCount: 20,
      candidatesTokenCount: 7,
      thoughtsTokenCount: 30,
      totalTokenCount: 157,
    };
    const counted = {
      inputTokens: 120,
      outputTokens: 37,
      cacheReadTokens: 40,
      reasoningTokens: 30,
    };
    expect(usageIn(said)).toEqual(counted);
    expect(readIrUsage(json(said))).toMatchObject({
      inputTotal: 120,
      toolInput: 20,
      cacheRead: 40,
      outputTotal: 37,
      reasoning: 30,
    });
  });
  test("is unknown where it is not said, or said in nonsense", () => {
    for (const said of [undefined, null, {}, { trafficType: "ON_DEMAND" }, [], "7"]) {
      expect(usageIn(said)).toBeUndefined();
    }
    for (const count of [-1, 1.5, "7", 1e10]) {
      expect(usageIn({ promptTokenCount: count })).toBeUndefined();
    }
    expect(readUsage(utf8('{"text":"usageMetadata"}'))).toBeUndefined();
    expect(readUsage(utf8('{"usageMetadata":{"promptTokenCount":1'))).toBeUndefined();
  });
  test("is that of the last chunk which tells it, in an array", () => {
    const chunks = [1, 2].map((promptTokenCount) => ({ usageMetadata: { promptTokenCount } }));
    expect(readUsage(utf8(JSON.stringify([...chunks, {}])))?.inputTokens).toBe(2);
  });
  test("is not what a model put into the arguments of a call", () => {
    const fake = { usageMetadata: { promptTokenCount: 999 } };
    const parts = [{ functionCall: { name: "f", args: fake } }];
    const body = { usageMetadata: { promptTokenCount: 1 }, candidates: [{ content: { parts } }] };
    expect(readUsage(utf8(JSON.stringify(body)))?.inputTokens).toBe(1);
  });
});

const recorded = recordingsOf("gemini").filter(
  ({ streamed, status }) => !streamed && status === 200,
);
(haveRecordings ? test : test.skip)(
  haveRecordings
    ? "recorded totals are those we write for the same counts"
    : `recorded totals ${NO_RECORDINGS}`,
  () => {
    let compared = 0;
    for (const { name, response } of recorded) {
      const said = parsed(response)["usageMetadata"];
      if (typeof said !== "object" || said === null) continue;
      const losses: Loss[] = [];
      const usage = { ...readIrUsage(json(said)), raw: {} };
      const written = writeIrUsage(usage, (loss) => void losses.push(loss));
      for (const [count, value] of Object.entries(json(written))) {
        if (value === 0) continue; // Left out by protobuf's JSON.
        compared++;
        expect([name, count, value]).toEqual([name, count, json(said)[count]!]);
      }
      expect(losses).toEqual([]);
    }
    expect(compared).toBeGreaterThan(150);
  },
);
