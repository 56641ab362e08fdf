import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Period } from "../../src/core/limits.ts";
import { periodEnd, periodName, periodNumber, stepCount } from "../../src/governor/periods.ts";

const instant = fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2049, 0) });
const calendar = fc.constantFrom<Period>("hourly", "daily", "weekly", "monthly");
const rolling = fc.integer({ min: 1, max: 366 * 86_400_000 }).map((rollingMs) => ({ rollingMs }));
const period = fc.oneof(calendar, rolling);

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

test("the steps of a rolling window cover it from whatever instant of a step", () => {
  fc.assert(
    fc.property(rolling, instant, (window, wall) => {
      const step = periodEnd(window, wall)! - periodEnd(window, wall - 1)! || undefined;
      const length = periodEnd(window, periodEnd(window, wall)!)! - periodEnd(window, wall)!;
      expect((stepCount(window) - 1) * length).toBeGreaterThanOrEqual(window.rollingMs);
      expect(step === undefined || step === length).toBe(true);
    }),
  );
});

test.each([
  ["total", "2030-01-15T12:30:00Z", "total"],
  ["hourly", "2030-01-15T12:30:00Z", "2030-01-15T12"],
  ["daily", "2030-01-15T23:59:59.999Z", "2030-01-15"],
  ["weekly", "2030-01-15T12:30:00Z", "2030-W03"],
  // ISO 8601: the days before the year's first Thursday may be the old year's, and back.
  ["weekly", "2027-01-01T00:00:00Z", "2026-W53"],
  ["weekly", "2024-12-30T00:00:00Z", "2025-W01"],
  ["monthly", "2028-02-29T23:59:59Z", "2028-02"],
] as const)("%s at %s is called %s", (kind, moment, name) => {
  expect(periodName(kind, Date.parse(moment))).toBe(name);
});
