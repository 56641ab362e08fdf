import { expect, test } from "bun:test";
import fc from "fast-check";
import { ERROR_MEANINGS, type ErrorWords, meaningOf } from "../../src/core/error-rule.ts";

const word = fc.constantFrom("a", "b", "c");
const words = fc.record({
  status: fc.constantFrom(0, 400, 429, 500, 503),
  codes: fc.array(word, { maxLength: 2 }),
  types: fc.array(word, { maxLength: 2 }),
  messages: fc.array(
    fc.array(word, { maxLength: 3 }).map((all) => all.join(" ")),
    { maxLength: 2 },
  ),
});
const means = fc.constantFrom(...ERROR_MEANINGS);

test("what a rule leaves out holds always, what it gives must hold", () => {
  fc.assert(
    fc.property(words, means, (said, meaning) => {
      fc.pre(meaning !== "context_length");
      const [code, type, message] = [said.codes[0], said.types[0], said.messages[0]];
      const whole = { status: said.status, code, type, message, means: meaning };
      expect(meaningOf([whole], said)).toBe(meaning);
      for (const wrong of [{ status: 418 }, { code: "z" }, { type: "z" }, { message: "z" }]) {
        expect(meaningOf([{ ...whole, ...wrong }], said)).toBeUndefined();
      }
    }),
  );
});

test("the first rule that holds decides", () => {
  const said: ErrorWords = { status: 400, codes: ["a"], types: [], messages: [] };
  const rules = [
    { code: "b", means: "auth" },
    { code: "a", means: "billing" },
    { status: 400, means: "overloaded" },
  ] as const;
  expect(meaningOf(rules, said)).toBe("billing");
});

test("no outage passes for a prompt that is too long", () => {
  fc.assert(
    fc.property(words, (said) => {
      const found = meaningOf([{ status: said.status, means: "context_length" }], said);
      expect(found).toBe(said.status < 500 ? "context_length" : undefined);
    }),
  );
});
