import { describe, expect, test } from "bun:test";
import type { Capabilities } from "../../../../src/core/capabilities.ts";
import type { DialectId } from "../../../../src/core/ids.ts";
import type { ReasoningAsk } from "../../../../src/protocol/ir/request.ts";
import { prepared, say } from "../preparing.ts";

type Row = readonly [
  from: DialectId,
  given: ReasoningAsk,
  to: DialectId,
  change: Partial<Capabilities>,
  sent: ReasoningAsk | undefined,
  lost: readonly string[],
];
const none: Partial<Capabilities> = { reasoning: "none" };
const manual: Partial<Capabilities> = { reasoning: "budget" };
const words: Partial<Capabilities> = { reasoning: "effort", efforts: ["low", "medium", "high"] };

describe("an ask for reasoning", () => {
  test.each<Row>([
    [
      "openai",
      { mode: "on", effort: "high" },
      "anthropic",
      manual,
      { mode: "on", budgetTokens: 16384 },
      [],
    ],
    [
      "openai",
      { mode: "on", effort: "high" },
      "anthropic",
      {},
      { mode: "adaptive", effort: "high" },
      [],
    ],
    [
      "openai",
      { mode: "on", effort: "minimal" },
      "anthropic",
      {},
      { mode: "adaptive", effort: "low" },
      ["L-EFFORT reasoning_effort approximated"],
    ],
    [
      "openai",
      { mode: "on", effort: "max" },
      "gemini",
      { reasoning: "effort" },
      { mode: "on", effort: "high" },
      ["L-EFFORT reasoning_effort approximated"],
    ],
    ["openai", { mode: "off", effort: "none" }, "anthropic", {}, { mode: "off" }, []],
    [
      "anthropic",
      { mode: "off" },
      "openai",
      words,
      { mode: "on", effort: "low" },
      ["L-EFFORT thinking approximated"],
    ],
    ["anthropic", { mode: "off" }, "openai", {}, { mode: "off", effort: "none" }, []],
    [
      "anthropic",
      { mode: "on", budgetTokens: 8192 },
      "openai",
      {},
      { mode: "on", effort: "medium" },
      [],
    ],
    [
      "anthropic",
      { mode: "on", budgetTokens: 10_000 },
      "openai",
      {},
      { mode: "on", effort: "medium" },
      ["L-EFFORT thinking.budget_tokens approximated"],
    ],
    [
      "anthropic",
      { mode: "on", budgetTokens: 5000 },
      "cohere",
      {},
      { mode: "on", budgetTokens: 5000 },
      [],
    ],
    ["anthropic", { mode: "adaptive" }, "bedrock", {}, { mode: "adaptive" }, []],
    ["anthropic", { mode: "adaptive" }, "openai", {}, { mode: "on", effort: "medium" }, []],
    [
      "gemini",
      { mode: "adaptive", budgetTokens: -1 },
      "anthropic",
      {},
      { mode: "adaptive", effort: "medium" },
      [],
    ],
    [
      "anthropic",
      { mode: "adaptive" },
      "gemini",
      {},
      { mode: "adaptive", budgetTokens: -1, show: "summary" },
      [],
    ],
    [
      "anthropic",
      { mode: "on", budgetTokens: 2000, effort: "high" },
      "bedrock",
      {},
      { mode: "on", budgetTokens: 2000, effort: "high" },
      [],
    ],
    [
      "openai",
      { mode: "on", effort: "low" },
      "anthropic",
      none,
      undefined,
      ["L-REASONING-ASK reasoning_effort dropped"],
    ],
    ["openai", { mode: "off", effort: "none" }, "anthropic", none, undefined, []],
    [
      "anthropic",
      { mode: "on", budgetTokens: 2000, effort: "high" },
      "openai",
      {},
      { mode: "on", effort: "high" },
      ["L-EFFORT thinking.budget_tokens dropped"],
    ],
    [
      "gemini",
      { mode: "adaptive", show: "summary" },
      "anthropic",
      {},
      undefined,
      ["L-REASONING-ASK generationConfig.thinkingConfig.includeThoughts dropped"],
    ],
    [
      "openai",
      { mode: "on", effort: "max" },
      "anthropic",
      manual,
      { mode: "on", budgetTokens: 32_768 },
      ["L-EFFORT reasoning_effort approximated"],
    ],
    [
      "anthropic",
      { mode: "adaptive", effort: "low", show: "summary" },
      "openai",
      {},
      { mode: "on", effort: "low" },
      ["L-REASONING-ASK thinking.display dropped"],
    ],
  ])("from %s %j to %s %j is %j", (origin, reasoning, target, change, sent, lost) => {
    const given = { origin, reasoning, maxOutputTokens: 60_000 };
    const { request, lost: told } = prepared(given, target, change);
    expect(request.reasoning).toEqual(sent);
    expect(told).toEqual(lost);
  });

  test("to Responses asks for sealed reasoning as well, since nothing is kept there", () => {
    const reasoning: ReasoningAsk = { mode: "on", budgetTokens: 4096 };
    const given = { origin: "anthropic" as const, maxOutputTokens: 9 };
    expect(prepared({ ...given, reasoning }, "responses").request.reasoning).toEqual({
      mode: "on",
      effort: "low",
      wantSealed: true,
    });
    // A model that does not reason refuses to seal it.
    expect(prepared(given, "responses").request.reasoning).toBeUndefined();
    const sealed = { value: "s", encoding: "plain", family: "openai" } as const;
    const messages = [say("user", "a"), say("assistant", { type: "reasoning", sealed }, "b")];
    expect(prepared({ ...given, messages }, "responses").request.reasoning).toEqual({
      mode: "on",
      wantSealed: true,
    });
  });

  test("thoughts the caller wants to see are summaries at Responses", () => {
    const reasoning: ReasoningAsk = { mode: "adaptive", effort: "low", show: "summary" };
    const { request } = prepared({ origin: "anthropic", reasoning }, "responses");
    expect(request.reasoning).toEqual({
      mode: "on",
      effort: "low",
      show: "summary",
      summary: "auto",
      wantSealed: true,
    });
  });
});
