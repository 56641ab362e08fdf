import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseLimits } from "../../../src/state/keys/key-limits.ts";
import { limits } from "./any-limits.ts";

test("limits come back from the store as they went in", () => {
  fc.assert(
    fc.property(limits, (given) => {
      expect(parseLimits(JSON.stringify(given))).toEqual(given);
    }),
  );
});

test.each([
  ["", "limits: not JSON"],
  ["null", "limits"],
  ["[]", "limits"],
  ['{"rpm": 5}', "limits"],
  ['{"requestsPerMinute": 0}', "requestsPerMinute"],
  ['{"requestsPerMinute": 1.5}', "requestsPerMinute"],
  ['{"requestsPerMinute": "60"}', "requestsPerMinute"],
  ['{"tokensPerMinute": 1e400}', "tokensPerMinute"],
  ['{"concurrency": -1}', "concurrency"],
  ['{"budget": {"period": "monthly"}}', "budget"],
  ['{"budget": {"nano": -1, "period": "monthly"}}', "budget.nano"],
  ['{"budget": {"nano": 9007199254740993, "period": "monthly"}}', "budget.nano"],
  ['{"budget": {"nano": 1, "period": "yearly"}}', "budget.period"],
  ['{"budget": {"nano": 1, "period": {"rollingMs": 0}}}', "budget.period"],
  ['{"privacy": "open"}', "privacy"],
  ['{"allow": "fast"}', "allow"],
  ['{"allow": [""]}', "allow"],
  ['{"__proto__": {"privacy": "shareable"}, "x": 1}', "limits"],
])("what cannot be read is refused and never read as no limit: %s", (text, at) => {
  const read = parseLimits(text);
  expect(read).toBeString();
  expect(read).toStartWith(at);
});
