import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import {
  readIrUsage,
  readUsage,
  usageOf,
  writeIrUsage,
} from "../../../src/protocol/bedrock/usage.ts";
import type { IrUsage } from "../../../src/protocol/ir/answer.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import { fixture, haveRecordings, NO_RECORDINGS } from "../../faultd/recordings.ts";
import { utf8 } from "./pieces.ts";

const read = (body: unknown) => readUsage(utf8(JSON.stringify(body)));
const ignore = () => {};

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  test("the total of every recorded answer is what we count, the cache included", () => {
    let count = 0;
    for (const file of readdirSync(fixture("bedrock-converse"))) {
      if (!file.endsWith(".response.json")) continue;
      const body = new Uint8Array(readFileSync(fixture(`bedrock-converse/${file}`)));
      const { usage: said } = JSON.parse(new TextDecoder().decode(body));
      const usage = readUsage(body);
      expect([file, usage && usage.inputTokens + usage.outputTokens]).toEqual([
        file,
        said?.totalTokens,
      ]);
      if (usage !== undefined) count++;
    }
    expect(count).toBe(40);
  });

  test("usage of invoked models is read where Claude or Nova writes it", () => {
    const seen: Record<string, number> = {};
    for (const file of readdirSync(fixture("bedrock-invoke"))) {
      if (!file.endsWith(".response.json")) continue;
      const usage = readUsage(new Uint8Array(readFileSync(fixture(`bedrock-invoke/${file}`))));
      if (usage !== undefined) seen[file] = usage.inputTokens;
    }
    expect(Object.values(seen)).toHaveLength(7);
    expect(seen["openllmetry--test_anthropic.test_prompt_cache.1.response.json"]).toBe(18_135);
  });
});

describe("usage", () => {
  test("counts cache reads and writes into the input", () => {
    const usage = {
      inputTokens: 10,
      outputTokens: 5,
      totalTokens: 315,
      cacheReadInputTokens: 100,
      cacheWriteInputTokens: 200,
    };
    expect(read({ usage })).toEqual({
      inputTokens: 310,
      outputTokens: 5,
      cacheReadTokens: 100,
      cacheWriteTokens: 200,
      reasoningTokens: 0,
    });
    const cacheDetails = [
      { ttl: "5m", inputTokens: 150 },
      { ttl: "1h", inputTokens: 50 },
    ];
    expect(read({ usage: { ...usage, cacheDetails } })).toMatchObject({
      cacheWriteTokens: 200,
      cacheWriteLongTokens: 50,
    });
    expect(readIrUsage(usage)).toMatchObject({ inputTotal: 310, cacheRead: 100, cacheWrite: 200 });
  });

  test("that says nothing one can bill is none", () => {
    expect(read({ usage: {} })).toBeUndefined();
    expect(read({ usage: { inputTokens: "10" } })).toBeUndefined();
    expect(read({ usage: { inputTokens: -1, outputTokens: 1.5 } })).toBeUndefined();
    expect(read({})).toBeUndefined();
    expect(readUsage(utf8("usage"))).toBeUndefined();
    expect(usageOf(null)).toBeUndefined();
  });

  test("of another protocol is written with a total that includes the cache", () => {
    const usage: IrUsage = {
      inputTotal: 310,
      cacheRead: 100,
      cacheWrite: 200,
      cacheWriteByTtl: { "5m": 200, "1h": 0 },
      outputTotal: 5,
      raw: {},
    };
    expect(writeIrUsage(usage, ignore)).toEqual({
      inputTokens: 10,
      outputTokens: 5,
      totalTokens: 315,
      cacheReadInputTokens: 100,
      cacheWriteInputTokens: 200,
      cacheDetails: [{ ttl: "5m", inputTokens: 200 }],
    });
  });

  test("that is missing is nought, and said to be missing", () => {
    const losses: Loss[] = [];
    const report = (loss: Loss) => void losses.push(loss);
    const none = { inputTokens: 0, outputTokens: 0, totalTokens: 0 };
    expect(writeIrUsage(undefined, report)).toEqual(none);
    expect(losses).toEqual([{ code: "L-USAGE", path: "usage", action: "defaulted" }]);
  });

  test("never counts below nothing, and reads again as it was written", () => {
    const count = fc.nat(1000);
    fc.assert(
      fc.property(count, count, count, count, (inputTotal, cacheRead, cacheWrite, outputTotal) => {
        const usage = { inputTotal, cacheRead, cacheWrite, outputTotal, raw: {} };
        const wire = writeIrUsage(usage, ignore);
        expect(Number(wire["inputTokens"])).toBeGreaterThanOrEqual(0);
        if (cacheRead + cacheWrite > inputTotal) return;
        expect(readIrUsage(wire)).toMatchObject({ inputTotal, cacheRead, cacheWrite, outputTotal });
      }),
    );
  });
});
