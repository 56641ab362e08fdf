import { describe, expect, test } from "bun:test";
import type { Capabilities } from "../../../../src/core/capabilities.ts";
import type { IrRequest } from "../../../../src/protocol/ir/request.ts";
import { prepared } from "../preparing.ts";

type Row = readonly [
  given: Partial<IrRequest>,
  change: Partial<Capabilities>,
  sent: readonly [cap: number | undefined, budget: number | undefined],
  lost: readonly string[],
];
const thinks = (budgetTokens: number): Partial<IrRequest> => ({
  reasoning: { mode: "on", budgetTokens },
});

describe("the output cap of a request to Anthropic", () => {
  test.each<Row>([
    [{}, {}, [4096, undefined], ["L-MAXTOK-DEFAULT max_completion_tokens defaulted"]],
    [{ maxOutputTokens: 9 }, {}, [9, undefined], []],
    [
      { maxOutputTokens: 9000 },
      { outputCapMax: 8000 },
      [8000, undefined],
      ["L-RANGE max_completion_tokens approximated"],
    ],
    [{ maxOutputTokens: 9000, ...thinks(2000) }, {}, [9000, 2000], []],
    [
      { maxOutputTokens: 1000, ...thinks(2000) },
      {},
      [3000, 2000],
      ["L-THINK-ADJUST max_completion_tokens approximated"],
    ],
    [
      { maxOutputTokens: 9000, ...thinks(10) },
      {},
      [9000, 1024],
      ["L-THINK-ADJUST reasoning_effort approximated"],
    ],
    [
      { maxOutputTokens: 1000, ...thinks(9000) },
      { outputCapMax: 8000 },
      [8000, 7999],
      [
        "L-THINK-ADJUST max_completion_tokens approximated",
        "L-THINK-ADJUST reasoning_effort approximated",
      ],
    ],
  ])("%j %j is %j", (given, change, [cap, budget], lost) => {
    const { request, lost: told } = prepared({ origin: "openai", ...given }, "anthropic", change);
    expect(request.maxOutputTokens).toBe(cap);
    expect(request.reasoning?.budgetTokens).toBe(budget);
    expect(told).toEqual(lost);
  });

  test("thinking bars the knobs of sampling, but for values it allows", () => {
    const sampling = { temperature: 0.5, topP: 0.97, topK: 4 };
    const { request, lost } = prepared(
      { origin: "gemini", maxOutputTokens: 9000, sampling, ...thinks(2000) },
      "anthropic",
    );
    expect(request.sampling).toEqual({ topP: 0.97 });
    expect(lost).toEqual([
      "L-THINK-ADJUST generationConfig.temperature dropped",
      "L-THINK-ADJUST generationConfig.topK dropped",
    ]);
    const narrow = { origin: "openai" as const, maxOutputTokens: 9000, sampling: { topP: 0.5 } };
    expect(prepared({ ...narrow, ...thinks(2000) }, "anthropic").lost).toEqual([
      "L-THINK-ADJUST top_p dropped",
    ]);
  });

  test("where no room is left to think, the request does not think", () => {
    const given = { origin: "openai" as const, maxOutputTokens: 100, ...thinks(2000) };
    const { request } = prepared(given, "anthropic", { outputCapMax: 1000 });
    expect(request.reasoning).toEqual({ mode: "off" });
  });
});
