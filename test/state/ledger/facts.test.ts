import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { flawOf, plainName } from "../../../src/state/ledger/facts.ts";
import { entries, entry, usage } from "./entries.ts";

test("what the gateway makes has no flaw", () => {
  fc.assert(fc.property(entries, (each) => expect(flawOf(each)).toBeUndefined()));
});

describe("a flaw is found before it can spoil a group:", () => {
  test.each([
    ["no id", entry({ id: "" })],
    ["negative tokens", entry({ usage: usage({ inputTokens: -1 }) })],
    ["half a token", entry({ usage: usage({ outputTokens: 0.5 }) })],
    ["tokens that are no number", entry({ usage: usage({ cacheReadTokens: Number.NaN }) })],
    ["more than a number holds", entry({ usage: usage({ inputTokens: 2 ** 53 }) })],
    ["half a millisecond", entry({ latencyMs: 0.5 })],
    ["a first event before the request", entry({ firstEventMs: -1 })],
    ["a negative charge", entry({ chargedNano: -1n })],
    ["a charge beyond a column", entry({ chargedNano: 2n ** 57n })],
    ["an attempt's tokens", entry({}, [{ usage: usage({ inputTokens: -1 }) }])],
    ["two attempts with one number", entry({}, [{ n: 1 }, { n: 1 }])],
  ])("%s", (_, each) => expect(flawOf(each)).toBeString());
});

test.each([
  ["gpt-4o", "gpt-4o"],
  ["a\0b\nc\x1b[31m", "a\ufffdb\ufffdc\ufffd[31m"],
  ["\ud800x", "\ufffdx"],
  ["x".repeat(500), `${"x".repeat(200)}…`],
])("%j is kept as %j", (name, kept) => expect(plainName(name)).toBe(kept));
