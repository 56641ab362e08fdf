import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Period } from "../../src/core/limits.ts";
import { periodEnd, periodNumber } from "../../src/governor/periods.ts";

const instant = fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2100, 0) });
const period = fc.constantFrom<Period>("hourly", "daily", "weekly", "monthly");

test("a period ends at the first instant of the next, and numbers rise by one", () => {
  fc.assert(
    fc.property(period, instant, (kind, wall) => {
      const end = periodEnd(kind, wall)!;
      expect(end).toBeGreaterThan(wall);
      expect(periodNumber(kind, end)).toBe(periodNumber(kind, wall) + 1);
      expect(periodNumber(kind, end - 1)).toBe(periodNumber(kind, wall));
      expect(periodNumber(kind, wall)).toBeLessThan(2 ** 24);
    }),
  );
});

test("months and weeks are UTC's, and weeks begin on Monday", () => {
  expect(periodEnd("monthly", Date.UTC(2026, 11, 31, 23))).toBe(Date.UTC(2027, 0, 1));
  expect(periodEnd("weekly", Date.UTC(2026, 10, 20))).toBe(Date.UTC(2026, 10, 23));
  expect(periodEnd("total", 0)).toBeUndefined();
});
