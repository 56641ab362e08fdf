import { expect, test } from "bun:test";
import fc from "fast-check";
import { Times } from "../../../src/state/ledger/percentiles.ts";

test("a percentile is the least time that so many stay within", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(1000), { minLength: 1 }),
      fc.integer({ min: 1, max: 100 }),
      (all, percent) => {
        const times = new Times();
        for (const time of all) times.add(time);
        const found = times.at(percent)!;
        const within = (limit: number) => all.filter((time) => time <= limit).length;
        expect(all).toContain(found);
        expect(within(found) * 100).toBeGreaterThanOrEqual(percent * all.length);
        expect(within(found - 1) * 100).toBeLessThan(percent * all.length);
      },
    ),
  );
});

test("of none there is none", () => {
  expect([new Times().at(50), new Times().mean]).toEqual([undefined, undefined]);
});

test("times that come after a question count in the next", () => {
  const times = new Times();
  times.add(5);
  expect(times.at(100)).toBe(5);
  times.add(9);
  times.add(1);
  expect([times.at(1), times.at(100), times.mean]).toEqual([1, 9, 5]);
});
