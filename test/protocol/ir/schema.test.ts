import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { fromOpenApi, toOpenApi } from "../../../src/protocol/ir/schema.ts";
import type { Json } from "../../../src/protocol/ir/json.ts";
import { haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";

const json = (value: unknown): Json => JSON.parse(JSON.stringify(value));
const from = (schema: unknown) => JSON.parse(JSON.stringify(fromOpenApi(json(schema))));
const to = (schema: unknown) => JSON.parse(JSON.stringify(toOpenApi(json(schema))));

describe("Google's subset as JSON Schema", () => {
  test.each<[string, object, object]>([
    ["types in small letters", { type: "STRING" }, { type: "string" }],
    [
      "counts as numbers",
      { type: "ARRAY", minItems: "1", max_items: "3" },
      { type: "array", minItems: 1, maxItems: 3 },
    ],
    ["null as a type", { type: "STRING", nullable: true }, { type: ["string", "null"] }],
    [
      "null among values",
      { type: "STRING", format: "enum", enum: ["a"], nullable: true },
      { type: ["string", "null"], enum: ["a", null] },
    ],
    [
      "null among schemas",
      { any_of: [{ type: "STRING" }], nullable: true },
      { anyOf: [{ type: "string" }, { type: "null" }] },
    ],
    [
      "numbers among values",
      { type: "INTEGER", enum: ["1", "2"] },
      { type: "integer", enum: [1, 2] },
    ],
    ["an example", { type: "STRING", example: "x" }, { type: "string", examples: ["x"] }],
    ["no type at all", { type: "TYPE_UNSPECIFIED", nullable: false }, {}],
    [
      "definitions",
      { ref: "#/defs/a", defs: { a: { type: "OBJECT" } } },
      { $ref: "#/$defs/a", $defs: { a: { type: "object" } } },
    ],
    [
      "what is JSON Schema already",
      { type: "object", additionalProperties: { type: "string" } },
      { type: "object", additionalProperties: { type: "string" } },
    ],
  ])("has %s", (_, schema, wanted) => expect(from(schema)).toEqual(wanted));

  test("has properties in the order that was asked for", () => {
    const properties = { a: { type: "STRING" }, b: { type: "NUMBER" }, c: {} };
    const result = from({ type: "OBJECT", properties, propertyOrdering: ["c", "a", "x"] });
    expect(Object.keys(result.properties)).toEqual(["c", "a", "b"]);
    expect(result).not.toHaveProperty("propertyOrdering");
  });

  test("has properties of any name", () => {
    const names = ["type", "nullable", "enum", "format", "maxItems", "ref", "examples"];
    const properties = Object.fromEntries(names.map((name) => [name, { type: "STRING" }]));
    expect(Object.keys(from({ type: "OBJECT", properties }).properties)).toEqual(names);
  });
});

describe("JSON Schema as Google's subset", () => {
  test.each<[string, object, object]>([
    ["types in capitals", { type: "string" }, { type: "STRING" }],
    [
      "counts as texts",
      { type: "array", items: { type: "string" }, minItems: 1 },
      { type: "ARRAY", items: { type: "STRING" }, minItems: "1" },
    ],
    ["null as nullable", { type: ["string", "null"] }, { type: "STRING", nullable: true }],
    [
      "one schema or null",
      { anyOf: [{ type: "string" }, { type: "null" }] },
      { type: "STRING", nullable: true },
    ],
    [
      "any of several types",
      { type: ["string", "integer"] },
      { anyOf: [{ type: "STRING" }, { type: "INTEGER" }] },
    ],
    [
      "any of several schemas",
      { oneOf: [{ type: "string" }, { type: "object" }] },
      { anyOf: [{ type: "STRING" }, { type: "OBJECT" }] },
    ],
    ["a constant as the only value", { const: "x" }, { type: "STRING", enum: ["x"] }],
    [
      "numbers as texts among values",
      { type: "integer", enum: [1, 2] },
      { type: "INTEGER", format: "enum", enum: ["1", "2"] },
    ],
    ["values of no type", { enum: ["a", null] }, { type: "STRING", enum: ["a"], nullable: true }],
    ["truth values without their list", { enum: [true] }, { type: "BOOLEAN" }],
    ["formats it knows only", { type: "string", format: "uuid" }, { type: "STRING" }],
    ["objects of no properties", { type: "object", properties: {} }, { type: "OBJECT" }],
    [
      "all of several schemas as one",
      {
        allOf: [
          { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
          { properties: { b: {} }, required: ["b"] },
        ],
      },
      { type: "OBJECT", properties: { a: { type: "STRING" }, b: {} }, required: ["a", "b"] },
    ],
    [
      "references put in place",
      {
        type: "object",
        properties: {
          a: { $ref: "#/$defs/x", description: "d" },
          b: { $ref: "#/definitions/y~1z" },
        },
        $defs: { x: { type: "string" } },
        definitions: { "y/z": { type: "number" } },
      },
      {
        type: "OBJECT",
        properties: { a: { type: "STRING", description: "d" }, b: { type: "NUMBER" } },
        propertyOrdering: ["a", "b"],
      },
    ],
    [
      "nothing it does not know",
      { type: "object", $schema: "s", $id: "i", examples: [], if: {}, additionalProperties: {} },
      { type: "OBJECT" },
    ],
    [
      "a closed object",
      { type: "object", additionalProperties: false },
      { type: "OBJECT", additionalProperties: false },
    ],
  ])("has %s", (_, schema, wanted) => expect(to(schema)).toEqual(wanted));

  test("has properties that are called as keywords are", () => {
    const names = ["$ref", "const", "examples", "$defs", "additionalProperties", "nullable"];
    const properties = Object.fromEntries(names.map((name) => [name, { type: "string" }]));
    const result = to({ type: "object", properties, required: ["const", "nope"] });
    expect(Object.keys(result.properties)).toEqual(names);
    expect(result.required).toEqual(["const"]);
  });

  test("ends where a schema is in itself, or in itself manifold", () => {
    const node = { type: "object", properties: { next: { $ref: "#/$defs/node" } } };
    expect(to({ $ref: "#/$defs/node", $defs: { node } })).toEqual({
      type: "OBJECT",
      properties: { next: { type: "OBJECT" } },
    });
    const levels = Object.fromEntries(
      Array.from({ length: 40 }, (_, level) => {
        const $ref = `#/$defs/l${level + 1}`;
        return [`l${level}`, { type: "object", properties: { a: { $ref }, b: { $ref } } }];
      }),
    );
    const text = JSON.stringify(toOpenApi(json({ $ref: "#/$defs/l0", $defs: levels })));
    expect(text.length).toBeLessThan(2_000_000);
    const deep = JSON.parse(`${'{"items":'.repeat(5000)}{}${"}".repeat(5000)}`);
    expect(JSON.stringify(toOpenApi(deep)).length).toBeLessThan(10_000);
  });
});

test("any JSON is taken without falling over, and never changed itself", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const before = JSON.stringify(value);
      JSON.stringify(fromOpenApi(json(value)));
      const schema = json(value);
      JSON.stringify(toOpenApi(schema));
      expect(JSON.stringify(schema)).toBe(JSON.stringify(JSON.parse(before)));
    }),
  );
});

test("a plain schema means the same there and back", () => {
  const leaf = fc.constantFrom<object[]>(
    { type: "string", description: "d", minLength: 2 },
    { type: ["integer", "null"], minimum: 1 },
    { type: "string", enum: ["a", "b"] },
    { type: "boolean", default: true },
    { type: "integer", enum: [1, 2] },
  );
  const { schema } = fc.letrec<{ schema: object }>((tie) => ({
    schema: fc.oneof(
      { maxDepth: 3 },
      leaf,
      tie("schema").map((items) => ({ type: "array", items, maxItems: 3 })),
      fc
        .dictionary(fc.stringMatching(/^[a-z]{1,6}$/), tie("schema"), { minKeys: 1, maxKeys: 3 })
        .map((properties) => ({
          type: "object",
          properties,
          required: Object.keys(properties).slice(0, 1),
          additionalProperties: false,
        })),
    ),
  }));
  fc.assert(fc.property(schema, (given) => expect(from(to(given))).toEqual(json(given) as never)));
});

const schemas = recordingsOf("gemini").flatMap(({ request }) => {
  if (request === undefined) return [];
  const { tools = [] } = JSON.parse(new TextDecoder().decode(request));
  return [tools].flat().flatMap((tool) => {
    const list = tool.functionDeclarations ?? tool.function_declarations ?? [];
    return [list].flat().flatMap((each: { parameters?: Json }) => each.parameters ?? []);
  });
});
(haveRecordings ? test : test.skip)(
  haveRecordings
    ? "no recorded schema keeps a word of Google's own"
    : `recorded schemas ${NO_RECORDINGS}`,
  () => {
    expect(schemas.length).toBeGreaterThan(20);
    for (const schema of schemas) {
      expect(JSON.stringify(fromOpenApi(schema))).not.toMatch(/"(STRING|OBJECT|INTEGER|nullable)"/);
    }
  },
);
