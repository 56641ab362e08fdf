import { expect, test } from "bun:test";
import fc from "fast-check";
import { CALENDAR_PERIODS, type Period } from "../../src/core/limits.ts";
import { printPeriod, readPeriod } from "../../src/core/period-text.ts";

const HOUR = 3_600_000;
const periods = fc.oneof(
  fc.constantFrom<Period>(...CALENDAR_PERIODS),
  fc.integer({ min: 3600, max: 366 * 86_400 }).map((seconds) => ({ rollingMs: seconds * 1000 })),
);

test("what is printed of a period is read as the same period", () => {
  fc.assert(
    fc.property(periods, (period) => {
      expect(readPeriod(printPeriod(period))).toEqual(period);
    }),
  );
});

test.each([
  ["rolling:1h", HOUR],
  ["rolling:30d", 720 * HOUR],
  ["rolling:2w", 336 * HOUR],
])("%s is %d ms", (text, rollingMs) => {
  expect(readPeriod(text)).toEqual({ rollingMs });
});

test.each([
  "",
  "rolling",
  "rolling:",
  "rolling:0d",
  "rolling:59m",
  "rolling:367d",
  "yearly",
  "30d",
])("%p is no period", (text) => {
  expect(readPeriod(text)).toBeUndefined();
});
