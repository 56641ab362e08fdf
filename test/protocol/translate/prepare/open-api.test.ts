import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Json } from "../../../../src/protocol/ir/json.ts";
import { fromOpenApi } from "../../../../src/protocol/ir/schema.ts";
import { toOpenApi } from "../../../../src/protocol/translate/prepare/open-api.ts";
import { prepared } from "../preparing.ts";

describe("a JSON Schema in Google's subset", () => {
  test.each<readonly [Json, Json, boolean]>([
    [{ type: "string", minLength: 2 }, { type: "STRING", minLength: "2" }, false],
    [{ type: ["integer", "null"] }, { type: "INTEGER", nullable: true }, false],
    [{ type: ["integer", "string"] }, { anyOf: [{ type: "INTEGER" }, { type: "STRING" }] }, false],
    [{ const: "x" }, { enum: ["x"] }, false],
    [{ oneOf: [{ type: "string" }] }, { anyOf: [{ type: "STRING" }] }, false],
    [{ type: "object", additionalProperties: false }, { type: "OBJECT" }, true],
    [
      { type: "object", properties: { $ref: { type: "string" }, const: { type: "number" } } },
      { type: "OBJECT", properties: { $ref: { type: "STRING" }, const: { type: "NUMBER" } } },
      false,
    ],
    [{ $ref: "#/$defs/a", $defs: { a: { type: "string" } } }, { type: "STRING" }, false],
    [{ type: "array", items: { $ref: "#" } }, { type: "ARRAY", items: { type: "OBJECT" } }, true],
  ])("%j is %j", (schema, subset, isLossy) => {
    expect(JSON.parse(JSON.stringify(toOpenApi(schema)))).toEqual({ schema: subset, isLossy });
  });

  test("comes back from it where nothing was lost", () => {
    const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<Json>({ type: "string" }, { type: ["number", "null"] }, { enum: ["a"] }),
        fc.record({ type: fc.constant("array"), items: tie("tree"), maxItems: fc.nat(9) }),
        fc.dictionary(fc.constantFrom("a", "const", "type"), tie("tree")).map((properties) => ({
          type: "object",
          properties: { ...properties },
        })),
      ) as fc.Arbitrary<Json>,
    }));
    fc.assert(
      fc.property(tree, (schema) => {
        const { schema: subset, isLossy } = toOpenApi(schema);
        expect(isLossy).toBe(false);
        expect(JSON.parse(JSON.stringify(fromOpenApi(subset)))).toEqual(
          JSON.parse(JSON.stringify(schema)),
        );
      }),
    );
  });

  test("that refers to itself many times over ends", () => {
    const refs = Object.fromEntries(
      Array.from({ length: 40 }, (_, at) => [`p${at}`, { $ref: "#/$defs/b" }]),
    );
    const schema = {
      $ref: "#/$defs/a",
      $defs: { a: { properties: refs }, b: { properties: { ...refs } } },
    };
    expect(JSON.stringify(toOpenApi(schema).schema).length).toBeLessThan(100_000);
  });

  test("is told only where it says less", () => {
    const tool = {
      kind: "function",
      name: "f",
      schemaDialect: "json-schema",
      at: "tools[0]",
    } as const;
    const lostOf = (parameters: Json): readonly string[] =>
      prepared({ origin: "openai", tools: [{ ...tool, parameters }] }, "gemini", {
        schemas: "openapi",
      }).lost;
    expect(lostOf({ type: "object" })).toEqual([]);
    expect(lostOf({ type: "object", not: {} })).toEqual(["L-SCHEMA tools[0] approximated"]);
  });
});
