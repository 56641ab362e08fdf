import type { Ms } from "../../core/units.ts";

/** Over what time a budget counts. Calendar periods are UTC's; weeks begin on Monday (ISO 8601). */
export type PeriodKind =
  "total" | "hourly" | "daily" | "weekly" | "monthly" | { readonly rollingMs: Ms };

/** One stretch of a budget: what is spent in it is counted under its id. */
export interface Period {
  /** The same on every node and after every restart. */
  readonly id: string;
  readonly start: Ms;
  /** Exclusive; undefined when it never ends. */
  readonly end: Ms | undefined;
}

const HOUR_MS: Ms = 3_600_000;
const DAY_MS: Ms = 24 * HOUR_MS;
const WEEK_MS: Ms = 7 * DAY_MS;
/** 1970 began on a Thursday: the Monday of its first week is three days before. */
const MONDAY_MS: Ms = -3 * DAY_MS;
/** A rolling window is counted in so many steps; spend leaves it a step at a time. */
export const ROLLING_STEPS = 24;

/** The period that `wall` lies in; of a rolling window, its current step. */
export function periodOf(kind: PeriodKind, wall: Ms): Period {
  if (typeof kind === "object") return stepOf(kind.rollingMs, wall);
  switch (kind) {
    case "total":
      return { id: "total", start: 0, end: undefined };
    case "hourly":
      return fixed(HOUR_MS, wall, (start) => iso(start).slice(0, 13));
    case "daily":
      return fixed(DAY_MS, wall, (start) => iso(start).slice(0, 10));
    case "weekly":
      return weekOf(wall);
    case "monthly":
      return monthOf(wall);
  }
}

/** The periods whose spend counts against a budget at `wall`, the current one first. */
export interface Window {
  readonly current: Period;
  /** Ids of all that count; of a calendar period its own alone. */
  readonly counted: readonly string[];
  /** When the first of the spend that counts stops counting; undefined when never. */
  readonly easesAt: Ms | undefined;
}

export function windowOf(kind: PeriodKind, wall: Ms): Window {
  const current = periodOf(kind, wall);
  if (typeof kind !== "object") {
    return { current, counted: [current.id], easesAt: current.end };
  }
  const step = stepMs(kind.rollingMs);
  const counted: string[] = [];
  // One step more than the window has: what lies half in it counts whole, never too little.
  for (let back = 0; back <= ROLLING_STEPS; back++) {
    counted.push(stepOf(kind.rollingMs, current.start - back * step).id);
  }
  return { current, counted, easesAt: current.start + step };
}

/**
 * The period to count in after `before`. It never goes back, so that a clock set back cannot open a
 * period a second time with its spend forgotten.
 */
export function nextPeriod(kind: PeriodKind, wall: Ms, before: Period | undefined): Period {
  const period = periodOf(kind, wall);
  return before !== undefined && period.start < before.start ? before : period;
}

function fixed(lengthMs: Ms, wall: Ms, name: (start: Ms) => string): Period {
  const start = Math.floor(wall / lengthMs) * lengthMs;
  return { id: name(start), start, end: start + lengthMs };
}

function weekOf(wall: Ms): Period {
  const start = Math.floor((wall - MONDAY_MS) / WEEK_MS) * WEEK_MS + MONDAY_MS;
  // ISO 8601: a week is of the year that its Thursday is in.
  const thursday = start + 3 * DAY_MS;
  const year = new Date(thursday).getUTCFullYear();
  const number = Math.floor((thursday - Date.UTC(year, 0, 1)) / WEEK_MS) + 1;
  return {
    id: `${year}-W${String(number).padStart(2, "0")}`,
    start,
    end: start + WEEK_MS,
  };
}

function monthOf(wall: Ms): Period {
  const date = new Date(wall);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  const start = Date.UTC(year, month, 1);
  return { id: iso(start).slice(0, 7), start, end: Date.UTC(year, month + 1, 1) };
}

function stepMs(rollingMs: Ms): Ms {
  return Math.max(1, Math.floor(rollingMs / ROLLING_STEPS));
}

function stepOf(rollingMs: Ms, wall: Ms): Period {
  const length = stepMs(rollingMs);
  return fixed(length, wall, (start) => `r${length}:${start / length}`);
}

function iso(wall: Ms): string {
  return new Date(wall).toISOString();
}
