import { expect, test } from "bun:test";
import fc from "fast-check";
import { objectInTail } from "../../src/wire/json-tail.ts";

const NAME = Buffer.from('"usage"');
const found = (text: string, depth = 1): unknown => {
  const object = objectInTail(new TextEncoder().encode(text), { name: NAME, depth });
  return object && JSON.parse(new TextDecoder().decode(object));
};

test("the object is found at its own depth, whatever stands around and in it", () => {
  const text = fc.oneof(fc.string(), fc.constantFrom('"usage":{', "\\", '\\"usage":{}}', "}", "]"));
  const value = fc.oneof(text, fc.nat(), fc.array(text, { maxLength: 3 }), fc.constant(null));
  const name = fc.oneof(text, fc.constantFrom("usage", "a")).filter((each) => each !== "usage");
  const object = fc.dictionary(name, value, { maxKeys: 4, noNullPrototype: true });
  const property = fc.property(
    object,
    object,
    object,
    fc.boolean(),
    (before, usage, behind, deep) => {
      const nested = { ...before, x: { usage: { y: 1 } } };
      const inner = { ...nested, usage, ...(deep ? {} : behind) };
      const whole = deep ? { ...before, response: inner, sequence_number: 7 } : inner;
      for (const spelt of [JSON.stringify(whole), JSON.stringify(whole, null, 2) + "\r\n"]) {
        expect(found(spelt, deep ? 2 : 1)).toEqual(JSON.parse(JSON.stringify(usage)));
      }
    },
  );
  fc.assert(property, { numRuns: 1000 });
});

test("there is none in a document that does not close behind it", () => {
  const whole = JSON.stringify({ response: { usage: { a: { b: 1 } }, text: "}}" } });
  expect(found(whole, 2)).toEqual({ a: { b: 1 } });
  for (let end = 0; end < whole.length; end++)
    expect(found(whole.slice(0, end), 2)).toBeUndefined();
  expect(found(`${whole}}`, 2)).toBeUndefined();
  expect(found(`${whole}x`, 2)).toBeUndefined();
});

test("there is none elsewhere, or of another kind", () => {
  expect(found('{"a":{"usage":{}}}')).toBeUndefined();
  expect(found('{"usage":{}}', 2)).toBeUndefined();
  expect(found('{"usage":null}')).toBeUndefined();
  expect(found('{"usage":[{}]}')).toBeUndefined();
  expect(found('{"a":"usage"}')).toBeUndefined();
  expect(found('{"a\\"usage":{}}')).toBeUndefined();
  expect(found('{"usage":{"b":1},"a":"usage"}')).toEqual({ b: 1 });
  expect(found('{"usage":{"b":1},"a":{"usage":{}}}')).toEqual({ b: 1 });
  expect(found('{"a":"\\"usage\\":{}"}')).toBeUndefined();
});

test("many of the name elsewhere take linear time", () => {
  const many = `{"x":[${'{"usage":{}},'.repeat(100_000)}0]}`;
  expect(found(many)).toBeUndefined();
  expect(found(`{${'"usage":{},"a":['.repeat(100_000)}`)).toBeUndefined();
});
