import { expect, test } from "bun:test";
import fc from "fast-check";
import { meetsCondition, printCondition, readCondition } from "../../src/config/condition.ts";

test.each([
  ["model starts_with 'claude'", { test: "starts_with", value: "claude" }],
  ['model ends_with "-mini"', { test: "ends_with", value: "-mini" }],
  ["  model   contains  'x y' ", { test: "contains", value: "x y" }],
  ["model equals 'it''s'", { test: "equals", value: "it's" }],
  ["model == 'gpt-4o'", { test: "equals", value: "gpt-4o" }],
] as const)("%p is read", (text, condition) => {
  expect(readCondition(text)).toEqual(condition);
});

test.each([
  "model starts_with claude",
  "model star_with 'claude'",
  "tenant equals 'a'",
  "model starts_with ''",
  "model starts_with 'a' or model starts_with 'b'",
  "model starts_with 'a",
  "'a'",
  "",
])("%p is not", (text) => {
  expect(readCondition(text)).toBeUndefined();
});

const tests = fc.constantFrom("starts_with", "ends_with", "contains", "equals");
const condition = fc.record({ test: tests, value: fc.string({ minLength: 1 }) });

test("a condition reads back as it was printed", () => {
  fc.assert(
    fc.property(condition, (each) => {
      expect(readCondition(printCondition(each))).toEqual(each);
    }),
  );
});

test.each([
  ["starts_with", "ab", ["ab", "abc"], ["xab", "a", "AB"]],
  ["ends_with", "ab", ["ab", "xab"], ["abx", "b"]],
  ["contains", "ab", ["ab", "xabx"], ["axb", "ba"]],
  ["equals", "ab", ["ab"], ["abc", "xab", "a"]],
] as const)("%s %p holds for %p and not for %p", (kind, value, yes, no) => {
  for (const model of yes) expect(meetsCondition({ test: kind, value }, model)).toBe(true);
  for (const model of no) expect(meetsCondition({ test: kind, value }, model)).toBe(false);
});

test("a condition holds for what it says and for nothing shorter", () => {
  fc.assert(
    fc.property(condition, fc.string(), fc.string(), (each, before, after) => {
      const { test: kind, value } = each;
      const start = kind === "starts_with" || kind === "equals" ? "" : before;
      const end = kind === "ends_with" || kind === "equals" ? "" : after;
      expect(meetsCondition(each, start + value + end)).toBe(true);
      expect(meetsCondition(each, value.slice(1))).toBe(false);
    }),
  );
});
