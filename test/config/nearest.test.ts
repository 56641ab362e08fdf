import { expect, test } from "bun:test";
import fc from "fast-check";
import { editDistance, nearest } from "../../src/config/nearest.ts";

/** The definition itself, without the table: slow, and easy to see right. */
function slow(a: string, b: string): number {
  if (a === "" || b === "") return a.length + b.length;
  const same = a.at(-1) === b.at(-1) ? 0 : 1;
  const costs = [
    slow(a.slice(0, -1), b) + 1,
    slow(a, b.slice(0, -1)) + 1,
    slow(a.slice(0, -1), b.slice(0, -1)) + same,
  ];
  if (a.length > 1 && b.length > 1 && a.at(-1) === b.at(-2) && a.at(-2) === b.at(-1)) {
    costs.push(slow(a.slice(0, -2), b.slice(0, -2)) + 1);
  }
  return Math.min(...costs);
}

test("the distance is the least number of inserts, deletes, replacements and swaps", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 5 });
  fc.assert(
    fc.property(word, word, (a, b) => expect(editDistance(a, b)).toBe(slow(a, b))),
    { numRuns: 1000 },
  );
});

const KNOWN = ["base_url", "api_key", "timeout_seconds", "placement", "max_retries"];
test.each([
  ["baseUrl", "base_url"],
  ["BASE-URL", "base_url"],
  ["bsae_url", "base_url"],
  ["api_kye", "api_key"],
  ["apikey", "api_key"],
  ["timeout", "timeout_seconds"],
  ["placment", "placement"],
])("%s is taken for %s", (typed, meant) => {
  expect(nearest(typed, KNOWN)).toBe(meant);
});

test.each(["x", "password", "zzzzzzzz", "url_of_something"])("%s is taken for nothing", (typed) => {
  expect(nearest(typed, KNOWN)).toBeUndefined();
});

test("one slip in a name of five letters or more is always recognised", () => {
  const slip = fc.tuple(fc.constantFrom(...KNOWN), fc.nat(), fc.constantFrom("q", ""));
  fc.assert(
    fc.property(slip, ([name, seed, replacement]) => {
      const at = seed % name.length;
      expect(nearest(name.slice(0, at) + replacement + name.slice(at + 1), KNOWN)).toBe(name);
    }),
  );
});
