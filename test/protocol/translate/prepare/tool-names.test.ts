import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { DIALECT_IDS } from "../../../../src/core/ids.ts";
import { createFit } from "../../../../src/protocol/translate/prepare/fit.ts";
import { toolNames } from "../../../../src/protocol/translate/prepare/tool-names.ts";
import { OWN, prepared, requestOf } from "../preparing.ts";

describe("tool names", () => {
  test("fit every target's pattern, and lead back to the caller's", () => {
    const name = fc.oneof(fc.string({ maxLength: 90 }), fc.constantFrom("a-b", "a_b", "a.b", "1a"));
    const names = fc.uniqueArray(name, { maxLength: 12 });
    fc.assert(
      fc.property(names, fc.constantFrom(...DIALECT_IDS), (given, target) => {
        const capabilities = OWN[target];
        const fit = createFit(requestOf({ origin: "openai" }), {
          target,
          capabilities,
          report: () => {},
        });
        const fitted = toolNames(given, fit);
        const wires = given.map((each) => fitted.fit(each, "tools"));
        const pattern = new RegExp(`^(?:${capabilities.toolNamePattern})$`);
        for (const wire of wires) expect(wire).toMatch(pattern);
        expect(new Set(wires).size).toBe(given.length);
        expect(wires.map((wire) => fitted.renamed.get(wire) ?? wire)).toEqual(given);
      }),
    );
  });

  test("are alike in the list, in the choice and in the history", () => {
    const told = prepared(
      {
        origin: "openai",
        tools: [{ kind: "function", name: "get-weather", schemaDialect: "json-schema" }],
        messages: [
          { role: "user", blocks: [{ type: "text", text: "hi" }] },
          {
            role: "assistant",
            blocks: [{ type: "tool_call", callId: "c1", name: "get-weather", args: "{}" }],
          },
          { role: "tool", blocks: [{ type: "tool_result", callId: "c1", content: [] }] },
        ],
      },
      "cohere",
    );
    expect(told.request.tools).toMatchObject([{ name: "get_weather" }]);
    expect(told.request.messages[1]?.blocks[0]).toMatchObject({ name: "get_weather" });
    expect([...told.toolNames]).toEqual([["get_weather", "get-weather"]]);
    expect(told.lost).toEqual(["L-TOOLNAME tools approximated"]);
  });
});
