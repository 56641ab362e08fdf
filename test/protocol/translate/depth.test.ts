import { expect, test } from "bun:test";
import fc from "fast-check";
import { isDeep } from "../../../src/protocol/translate/depth.ts";

const utf8 = new TextEncoder();
const nested = (depth: number, inner: string): string =>
  `${'{"a":['.repeat(depth / 2)}${inner}${"]}".repeat(depth / 2)}`;

test("512 levels are not too deep, 513 are", () => {
  expect(isDeep(utf8.encode(nested(512, "1")))).toBe(false);
  expect(isDeep(utf8.encode(nested(512, "[]")))).toBe(true);
});

test("brackets within strings do not count, whatever is escaped around them", () => {
  const text = fc.array(fc.constantFrom("[", "{", "]", "}", '"', "\\", "é", "\n"), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(fc.array(text, { maxLength: 4 }), (texts) => {
      const value = JSON.stringify([...texts.map((each) => each.join("")), "[".repeat(600)]);
      expect(isDeep(utf8.encode(value))).toBe(false);
      expect(isDeep(utf8.encode(nested(512, value)))).toBe(true);
      expect(isDeep(utf8.encode(nested(510, value)))).toBe(false);
    }),
  );
});

test("what is no JSON is read to its end", () => {
  for (const text of ["", '"', '"\\', "]]]", '{"a']) expect(isDeep(utf8.encode(text))).toBe(false);
});
