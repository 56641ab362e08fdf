import type { Period } from "../core/limits.ts";
import type { Ms } from "../core/units.ts";

const HOUR_MS: Ms = 3_600_000;
const DAY_MS: Ms = 24 * HOUR_MS;
/** 1970 began on a Thursday; ISO weeks begin on Monday. */
const MONDAY_MS: Ms = -3 * DAY_MS;

/** The number of the period an instant lies in: rising, and the same on every node. UTC. */
export function periodNumber(period: Period, wall: Ms): number {
  switch (period) {
    case "total":
      return 0;
    case "hourly":
      return Math.floor(wall / HOUR_MS);
    case "daily":
      return Math.floor(wall / DAY_MS);
    case "weekly":
      return Math.floor((wall - MONDAY_MS) / (7 * DAY_MS));
    case "monthly": {
      const date = new Date(wall);
      return date.getUTCFullYear() * 12 + date.getUTCMonth();
    }
  }
}

/** When that period ends; undefined when it never does. */
export function periodEnd(period: Period, wall: Ms): Ms | undefined {
  const next = periodNumber(period, wall) + 1;
  switch (period) {
    case "total":
      return undefined;
    case "hourly":
      return next * HOUR_MS;
    case "daily":
      return next * DAY_MS;
    case "weekly":
      return next * 7 * DAY_MS + MONDAY_MS;
    case "monthly":
      return Date.UTC(Math.floor(next / 12), next % 12);
  }
}
