import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  nextPeriod,
  type PeriodKind,
  periodOf,
  windowOf,
} from "../../../src/state/budget-periods/period.ts";

const KINDS: readonly PeriodKind[] = [
  "hourly",
  "daily",
  "weekly",
  "monthly",
  { rollingMs: 86_400_000 },
];
const kinds = fc.constantFrom(...KINDS);
const moments = fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) });
const at = (text: string) => Date.parse(text);

test.each([
  ["total", "2030-01-15T12:30:00Z", "total", undefined],
  ["hourly", "2030-01-15T12:30:00Z", "2030-01-15T12", "2030-01-15T13:00:00Z"],
  ["daily", "2030-01-15T23:59:59.999Z", "2030-01-15", "2030-01-16T00:00:00Z"],
  ["weekly", "2030-01-15T12:30:00Z", "2030-W03", "2030-01-21T00:00:00Z"],
  // ISO 8601: the days before the year's first Thursday may be the old year's, and back.
  ["weekly", "2027-01-01T00:00:00Z", "2026-W53", "2027-01-04T00:00:00Z"],
  ["weekly", "2024-12-30T00:00:00Z", "2025-W01", "2025-01-06T00:00:00Z"],
  ["monthly", "2028-02-29T23:59:59Z", "2028-02", "2028-03-01T00:00:00Z"],
  ["monthly", "2030-12-31T23:59:59Z", "2030-12", "2031-01-01T00:00:00Z"],
] as const)("%s at %s is %s, to %s", (kind, moment, id, end) => {
  const period = periodOf(kind, at(moment));
  expect(period.id).toBe(id);
  expect(period.end).toBe(end === undefined ? undefined : at(end));
});

test("every moment lies in its period, and its end begins the next", () => {
  fc.assert(
    fc.property(kinds, moments, (kind, wall) => {
      const period = periodOf(kind, wall);
      expect(period.start).toBeLessThanOrEqual(wall);
      expect(period.end!).toBeGreaterThan(wall);
      const next = periodOf(kind, period.end!);
      expect(next.start).toBe(period.end!);
      expect(next.id).not.toBe(period.id);
      expect(periodOf(kind, period.end! - 1)).toEqual(period);
    }),
  );
});

test("two moments have one id exactly when they are of one period", () => {
  fc.assert(
    fc.property(
      kinds,
      moments,
      fc.integer({ min: 0, max: 40 * 86_400_000 }),
      (kind, wall, later) => {
        const [a, b] = [periodOf(kind, wall), periodOf(kind, wall + later)];
        expect(a.id === b.id).toBe(a.start === b.start);
      },
    ),
  );
});

describe("a rolling window", () => {
  const kind = { rollingMs: 3_600_000 };
  test("counts whatever was spent within it, and no more than a step longer", () => {
    fc.assert(
      fc.property(
        moments.filter((m) => m > 10_000_000),
        fc.nat(8_000_000),
        (wall, ago) => {
          const counts = windowOf(kind, wall).counted.includes(periodOf(kind, wall - ago).id);
          if (ago <= kind.rollingMs) expect(counts).toBe(true);
          if (ago > kind.rollingMs + 2 * (kind.rollingMs / 24)) expect(counts).toBe(false);
        },
      ),
    );
  });

  test("counts to the very end of it", () => {
    for (const wall of [at("2030-01-15T12:31:00Z"), at("2030-01-15T12:30:00Z")]) {
      const edge = periodOf(kind, wall - kind.rollingMs).id;
      expect(windowOf(kind, wall).counted).toContain(edge);
    }
  });

  test("eases when its current step is over", () => {
    const wall = at("2030-01-15T12:31:00Z");
    expect(windowOf(kind, wall).easesAt).toBe(at("2030-01-15T12:32:30Z"));
  });
});

test("a calendar period counts itself alone and eases at its end", () => {
  const wall = at("2030-01-15T12:30:00Z");
  expect(windowOf("monthly", wall)).toMatchObject({
    counted: ["2030-01"],
    easesAt: at("2030-02-01T00:00:00Z"),
  });
  expect(windowOf("total", wall).easesAt).toBeUndefined();
});

test("a clock that goes back opens no period again", () => {
  fc.assert(
    fc.property(kinds, fc.array(moments, { minLength: 1 }), (kind, walls) => {
      let period = periodOf(kind, walls[0]!);
      for (const wall of walls) {
        const next = nextPeriod(kind, wall, period);
        expect(next.start).toBeGreaterThanOrEqual(period.start);
        period = next;
      }
      expect(period.start).toBe(periodOf(kind, Math.max(...walls)).start);
    }),
  );
});
