import { expect, test } from "bun:test";
import fc from "fast-check";
import { expand } from "../../src/config/expand.ts";

const env = { NAME: "value", OTHER: "${NAME}", EMPTY: "", _: "under" };

test.each([
  ["${NAME}", "value"],
  ["a ${NAME} b ${NAME}", "a value b value"],
  ["${OTHER}", "${NAME}"],
  ["x${EMPTY}y", "xy"],
  ["$${NAME}", "${NAME}"],
  ["$$${NAME}", "$${NAME}"],
  ["$${NAME} ${NAME}", "${NAME} value"],
  ["$NAME $ $$ {NAME}", "$NAME $ $$ {NAME}"],
  ["${_}", "under"],
])("%p becomes %p", (written, text) => {
  expect(expand(written, env)).toMatchObject({ text });
});

test.each([
  ["${}", "bad_name"],
  ["${1A}", "bad_name"],
  ["${A B}", "bad_name"],
  ["${A:-x}", "bad_name"],
  ["${NAME", "unclosed"],
  ["${NAME} ${", "unclosed"],
  ["${MISSING}", "unset"],
])("%p is refused as %s", (written, kind) => {
  expect(expand(written, env).kind).toBe(kind as "unset");
});

test("all variables of a text that are not set are named together", () => {
  expect(expand("${A}${NAME}${B}", env)).toEqual({ kind: "unset", names: ["A", "B"] });
});

test("a text without ${ is what it was, and any text can be written with the escape", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("$", "{", "}", "a", "A") }), (text) => {
      if (!text.includes("${")) expect(expand(text, env)).toEqual({ kind: "plain", text });
      expect(
        expand(
          text.replaceAll("${", () => "$${"),
          env,
        ),
      ).toMatchObject({ text });
    }),
    { numRuns: 2000 },
  );
});

test("a value goes in as it is, whatever is in it", () => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      expect(expand("<${X}>", { X: value })).toEqual({ kind: "expanded", text: `<${value}>` });
    }),
  );
});
