import { expect, test } from "bun:test";
import fc from "fast-check";
import { median, percentile, spread, summarize } from "../../../src/cli/bench/stats.ts";

const values = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 });
const share = fc.double({ noNaN: true, min: 0.001, max: 1 });

test("a percentile is the least value that so many values do not exceed", () => {
  fc.assert(
    fc.property(values, share, (list, q) => {
      const enough = list.filter(
        (one) => list.filter((other) => other <= one).length >= q * list.length,
      );
      const sorted = [...list].sort((a, b) => a - b);
      expect(percentile(sorted, q)).toBe(Math.min(...enough));
    }),
  );
});

test("a median has as many values above as below, in whatever order they come", () => {
  fc.assert(
    fc.property(values, (list) => {
      const middle = median(list);
      const below = list.filter((value) => value < middle).length;
      const above = list.filter((value) => value > middle).length;
      expect(Math.max(below, above)).toBeLessThanOrEqual(list.length / 2);
    }),
  );
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
});

test("a summary of known values is what one works out by hand", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(summarize(hundred)).toEqual({
    count: 100,
    mean: 50.5,
    p50: 50,
    p90: 90,
    p99: 99,
    max: 100,
  });
});

test("nothing measured gives no figure instead of a zero", () => {
  expect(summarize([])).toBeUndefined();
  expect(spread([undefined, undefined])).toBeUndefined();
  expect(percentile([], 0.5)).toBeNaN();
  expect(median([])).toBeNaN();
});

test("windows without the figure are left out of a spread", () => {
  expect(spread([7, undefined, 1, 4])).toEqual({ median: 4, min: 1, max: 7 });
});
