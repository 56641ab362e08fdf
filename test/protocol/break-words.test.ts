import { expect, test } from "bun:test";
import fc from "fast-check";
import { DIALECT_IDS } from "../../src/core/ids.ts";
import { wordsOfBreak } from "../../src/protocol/break-words.ts";
import { dialects as all } from "../../src/protocol/dialects.ts";

test("a stream that a rule about its key ended names the rule, in every protocol", () => {
  const dialect = fc.constantFrom(...DIALECT_IDS);
  const why = fc.constantFrom("budget_exceeded" as const, "key_revoked" as const);
  fc.assert(
    fc.property(dialect, why, fc.boolean(), (id, rule, atBoundary) => {
      const broken = { mode: "surface", why: rule, atBoundary, requestId: "req_1" } as const;
      const said = Buffer.from(
        all[id].writeStreamError({ ...broken, id: "x", model: "m" }),
      ).toString();
      expect(said).toContain(rule);
      expect(said).toContain(wordsOfBreak(rule).message);
    }),
  );
});

test("what a stream broke by otherwise is the upstream's, and nothing is said of it", () => {
  const messages = (["truncated", "timeout", "shutdown", "bug"] as const).map(
    (why) => wordsOfBreak(why).coded,
  );
  expect(new Set(messages)).toEqual(new Set(["The response stream was interrupted."]));
});
