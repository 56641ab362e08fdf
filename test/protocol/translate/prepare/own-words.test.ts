import { describe, expect, test } from "bun:test";
import type { DialectId } from "../../../../src/core/ids.ts";
import { severityOf } from "../../../../src/protocol/ir/loss.ts";
import type { JsonObject } from "../../../../src/protocol/ir/json.ts";
import { outcomeOf, prepared, requestOf, say } from "../preparing.ts";

type Row = readonly [from: DialectId, own: JsonObject, told: readonly string[]];

describe("what only one protocol knows", () => {
  test.each<Row>([
    ["responses", { previous_response_id: "r" }, ["L-STATE previous_response_id refuse"]],
    ["responses", { store: false, background: false, truncation: "disabled" }, []],
    ["responses", { store: true }, ["L-STATE store degraded"]],
    ["openai", { stream_options: { x: 1 }, user: null, logit_bias: {} }, []],
    ["openai", { web_search_options: { a: 1 } }, ["L-HOSTED web_search_options refuse"]],
    ["openai", { odd: 1 }, ["L-UNKNOWN-FIELD odd degraded"]],
    ["anthropic", { container: "c" }, ["L-STATE container refuse"]],
    ["anthropic", { output_config: { odd: 1 } }, ["L-UNKNOWN-FIELD output_config.odd degraded"]],
    ["gemini", { cachedContent: "c" }, ["L-CACHEREF cachedContent refuse"]],
    ["gemini", { safetySettings: [{}] }, ["L-SAFETY safetySettings semantic"]],
    ["gemini", { $spelling: { k: {} } }, []],
    [
      "gemini",
      { generationConfig: { speechConfig: { a: 1 }, odd: 1 } },
      [
        "L-MODALITY generationConfig.speechConfig semantic",
        "L-UNKNOWN-FIELD generationConfig.odd degraded",
      ],
    ],
    ["bedrock", { guardrailConfig: { id: "g" } }, ["L-SAFETY guardrailConfig refuse"]],
    ["bedrock", { performanceConfig: { latency: "standard" } }, []],
    [
      "bedrock",
      { additionalModelRequestFields: { anthropic_beta: ["x"], y: 1 } },
      ["L-UNKNOWN-FIELD additionalModelRequestFields.y degraded"],
    ],
    ["gemini", { toolConfig: "odd" }, ["L-UNKNOWN-FIELD toolConfig degraded"]],
    [
      "cohere",
      { safety_mode: "STRICT", priority: 3 },
      ["L-SAFETY safety_mode semantic", "L-TIER priority degraded"],
    ],
    ["openai", { constructor: 1, __proto__: null }, ["L-UNKNOWN-FIELD constructor degraded"]],
  ])("of %s %j is told", (origin, own, told) => {
    const target = origin === "gemini" ? "bedrock" : "gemini";
    const { losses } = outcomeOf(requestOf({ origin, ext: { [origin]: own } }), { target });
    expect(losses.map((loss) => `${loss.code} ${loss.path} ${severityOf(loss)}`)).toEqual([
      ...told,
    ]);
  });

  test("is told where it stands, and goes no further", () => {
    const text = {
      type: "text" as const,
      text: "a",
      at: "messages[0].content[0]",
      ext: { openai: { odd: 1 } },
    };
    const messages = [
      { ...say("user", text), at: "messages[0]", ext: { openai: { even: 2, id: "x" } } },
    ];
    const { request, lost } = prepared({ origin: "openai", messages }, "gemini");
    expect(JSON.stringify(request)).not.toMatch(/"ext"|odd|even/);
    expect(lost).toEqual([
      "L-UNKNOWN-FIELD messages[0].even dropped",
      "L-UNKNOWN-FIELD messages[0].content[0].odd dropped",
    ]);
  });
});
