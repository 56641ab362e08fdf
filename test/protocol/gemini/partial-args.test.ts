import { expect, test } from "bun:test";
import fc from "fast-check";
import { PartialArgs } from "../../../src/protocol/gemini/partial-args.ts";
import type { Json } from "../../../src/protocol/ir/json.ts";
import { json } from "./harness.ts";

function built(...pieces: readonly object[]) {
  const args = new PartialArgs();
  for (const piece of pieces) args.add([json(piece)]);
  return json(args.value);
}

test("pieces are put where their paths say", () => {
  const value = built(
    { jsonPath: "$.a.b", stringValue: "x", willContinue: true },
    { jsonPath: "$.a.b", stringValue: "y" },
    { jsonPath: "$.a.b", stringValue: "z" },
    { jsonPath: "$.list[0]", numberValue: 1.5 },
    { jsonPath: "$.list[1]['odd name']", boolValue: true },
    { jsonPath: "$.none", nullValue: "NULL_VALUE" },
  );
  expect(value).toEqual(json({ a: { b: "z" }, list: [1.5, { "odd name": true }], none: null }));
});

test("a path that leads nowhere is not followed", () => {
  const value = built(
    { jsonPath: "$.a", stringValue: "x" },
    { jsonPath: "a", stringValue: "x" },
    { jsonPath: "$", stringValue: "x" },
    { jsonPath: "$.l[7]", stringValue: "x" },
    { jsonPath: "$[0]", stringValue: "x" },
    { jsonPath: `$${".b".repeat(100)}`, stringValue: "x" },
    { jsonPath: "$.a..b", stringValue: "x" },
    { jsonPath: 7 },
  );
  expect(value).toEqual(json({ a: "x", l: [] }));
});

/** The pieces of a value as Vertex would send them. */
function piecesOf(value: Json, path: string): object[] {
  if (Array.isArray(value)) {
    return value.flatMap((each: Json, index) => piecesOf(each, `${path}[${index}]`));
  }
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([name, each]) => piecesOf(each, `${path}['${name}']`));
  }
  if (typeof value === "number") return [{ jsonPath: path, numberValue: value }];
  if (typeof value === "boolean") return [{ jsonPath: path, boolValue: value }];
  if (value === null) return [{ jsonPath: path, nullValue: "NULL_VALUE" }];
  const half = value.length >> 1;
  return [
    { jsonPath: path, stringValue: value.slice(0, half), willContinue: true },
    { jsonPath: path, stringValue: value.slice(half) },
  ];
}

test("any arguments come together again", () => {
  const name = fc.oneof(fc.constant("__proto__"), fc.stringMatching(/^[^'\\]{1,8}$/));
  const { value } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
      fc.array(tie("value"), { minLength: 1, maxLength: 3 }),
      fc.dictionary(name, tie("value"), { minKeys: 1, maxKeys: 3, noNullPrototype: false }),
    ),
  }));
  fc.assert(
    fc.property(fc.dictionary(name, value, { maxKeys: 3 }), (args) => {
      expect(built(...piecesOf(args, "$"))).toEqual(json(args));
    }),
  );
  expect(Object.prototype).not.toHaveProperty("polluted");
});
