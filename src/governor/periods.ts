import type { Period } from "../core/limits.ts";
import type { Ms } from "../core/units.ts";

const HOUR_MS: Ms = 3_600_000;
const DAY_MS: Ms = 24 * HOUR_MS;
const WEEK_MS: Ms = 7 * DAY_MS;
/** 1970 began on a Thursday; ISO weeks begin on Monday. */
const MONDAY_MS: Ms = -3 * DAY_MS;
/** A rolling window is counted in so many steps; what was spent leaves it a step at a time. */
const STEPS = 24;
/** A step's number stays below 2 ** 24, as the slab keeps it, until 2049. */
const STEP_MIN_MS: Ms = 150_000;

/** The number of the period an instant lies in: rising, and the same on every node. UTC. */
export function periodNumber(period: Period, wall: Ms): number {
  if (typeof period === "object") return Math.floor(wall / stepMs(period.rollingMs));
  switch (period) {
    case "total":
      return 0;
    case "hourly":
      return Math.floor(wall / HOUR_MS);
    case "daily":
      return Math.floor(wall / DAY_MS);
    case "weekly":
      return Math.floor((wall - MONDAY_MS) / WEEK_MS);
    case "monthly": {
      const date = new Date(wall);
      return date.getUTCFullYear() * 12 + date.getUTCMonth();
    }
  }
}

/** When that period ends, of a rolling window its step; undefined when it never does. */
export function periodEnd(period: Period, wall: Ms): Ms | undefined {
  const next = periodNumber(period, wall) + 1;
  if (typeof period === "object") return next * stepMs(period.rollingMs);
  switch (period) {
    case "total":
      return undefined;
    case "hourly":
      return next * HOUR_MS;
    case "daily":
      return next * DAY_MS;
    case "weekly":
      return next * WEEK_MS + MONDAY_MS;
    case "monthly":
      return Date.UTC(Math.floor(next / 12), next % 12);
  }
}

/**
 * Into how many steps a window is cut. One more than it has: what lies half in it counts whole, so
 * that never more is spent in any window than the budget.
 */
export function stepCount(period: Period): number {
  if (typeof period === "string") return 1;
  return Math.ceil(period.rollingMs / stepMs(period.rollingMs)) + 1;
}

/** A period as people read it: `2026-11`, `2026-W47`, `2026-11-20T15`, `total`. */
export function periodName(period: Period, wall: Ms): string {
  const hour = new Date(wall).toISOString();
  if (typeof period === "object") {
    const start = periodNumber(period, wall) * stepMs(period.rollingMs);
    return `to ${new Date(start + stepMs(period.rollingMs)).toISOString().slice(0, 19)}Z`;
  }
  switch (period) {
    case "total":
      return "total";
    case "hourly":
      return hour.slice(0, 13);
    case "daily":
      return hour.slice(0, 10);
    case "weekly":
      return weekName(wall);
    case "monthly":
      return hour.slice(0, 7);
  }
}

/** ISO 8601: a week is of the year that its Thursday is in. */
function weekName(wall: Ms): string {
  const thursday = periodNumber("weekly", wall) * WEEK_MS + MONDAY_MS + 3 * DAY_MS;
  const year = new Date(thursday).getUTCFullYear();
  const number = Math.floor((thursday - Date.UTC(year, 0, 1)) / WEEK_MS) + 1;
  return `${year}-W${String(number).padStart(2, "0")}`;
}

function stepMs(rollingMs: Ms): Ms {
  return Math.max(STEP_MIN_MS, Math.ceil(rollingMs / STEPS));
}
