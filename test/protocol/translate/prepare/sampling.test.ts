import { describe, expect, test } from "bun:test";
import type { Capabilities } from "../../../../src/core/capabilities.ts";
import type { DialectId } from "../../../../src/core/ids.ts";
import type { IrRequest } from "../../../../src/protocol/ir/request.ts";
import { prepared } from "../preparing.ts";

type Change = Partial<Capabilities>;
type Row = readonly [
  from: DialectId,
  given: IrRequest["sampling"],
  to: DialectId,
  change: Change,
  sent: IrRequest["sampling"],
  lost: readonly string[],
];

describe("a knob of sampling", () => {
  test.each<Row>([
    ["openai", { temperature: 0.7 }, "anthropic", {}, { temperature: 0.7 }, []],
    [
      "openai",
      { temperature: 1.4 },
      "anthropic",
      {},
      { temperature: 1 },
      ["L-RANGE temperature approximated"],
    ],
    [
      "gemini",
      { temperature: 0.2, topP: 0.9 },
      "anthropic",
      { temperatureMax: 0, topP: false },
      {},
      ["L-RANGE generationConfig.topP dropped", "L-RANGE generationConfig.temperature dropped"],
    ],
    ["anthropic", { topK: 40 }, "openai", {}, {}, ["L-TOPK top_k dropped"]],
    ["cohere", { topK: 40 }, "gemini", {}, { topK: 40 }, []],
    [
      "bedrock",
      { topK: 40 },
      "openai",
      {},
      {},
      ["L-TOPK additionalModelRequestFields.top_k dropped"],
    ],
    [
      "openai",
      { frequencyPenalty: 1.5, presencePenalty: -1 },
      "cohere",
      {},
      { frequencyPenalty: 1, presencePenalty: 0 },
      ["L-RANGE frequency_penalty approximated", "L-RANGE presence_penalty approximated"],
    ],
    ["openai", { presencePenalty: 1 }, "responses", {}, {}, ["L-PENALTY presence_penalty dropped"]],
    ["openai", { logitBias: { "1": 2 } }, "gemini", {}, {}, ["L-LOGITBIAS logit_bias dropped"]],
  ])("from %s %j to %s %j is %j", (origin, sampling, target, change, sent, lost) => {
    const { request, lost: told } = prepared({ origin, sampling }, target, change);
    expect(request.sampling).toEqual(sent);
    expect(told.filter((loss) => !loss.startsWith("L-MAXTOK"))).toEqual([...lost]);
  });
  test("of Nova is told where Nova has it", () => {
    const ext = { bedrock: { additionalModelRequestFields: { inferenceConfig: {} } } };
    expect(prepared({ origin: "bedrock", sampling: { topK: 4 }, ext }, "openai").lost).toEqual([
      "L-TOPK additionalModelRequestFields.inferenceConfig.topK dropped",
    ]);
  });
});
