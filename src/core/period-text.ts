import { CALENDAR_PERIODS, type Period } from "./limits.ts";
import type { Ms } from "./units.ts";

const UNITS: readonly (readonly [unit: string, length: Ms])[] = [
  ["d", 86_400_000],
  ["w", 604_800_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
];
/** The longest window: a leap year. */
const ROLLING_MAX_MS: Ms = 366 * 86_400_000;
const ROLLING_MIN_MS: Ms = 3_600_000;

/** What `readPeriod` takes, in words. */
export const PERIOD_WORDS = `${CALENDAR_PERIODS.join(", ")}, or rolling:30d (1h to 366d)`;

/** Reads `monthly` and its like, and `rolling:30d`; undefined when it is none. */
export function readPeriod(text: string): Period | undefined {
  const calendar = CALENDAR_PERIODS.find((period) => period === text);
  if (calendar !== undefined) return calendar;
  const [, count, unit] = /^rolling:(\d{1,9})([smhdw])$/.exec(text) ?? [];
  const length = UNITS.find(([name]) => name === unit)?.[1];
  if (length === undefined) return undefined;
  const rollingMs = Number(count) * length;
  return rollingMs >= ROLLING_MIN_MS && rollingMs <= ROLLING_MAX_MS ? { rollingMs } : undefined;
}

/** A period as `readPeriod` takes it. */
export function printPeriod(period: Period): string {
  if (typeof period === "string") return period;
  const { rollingMs } = period;
  const [unit, length] = UNITS.find(([, each]) => rollingMs % each === 0) ?? ["s", 1000];
  return `rolling:${Math.ceil(rollingMs / length)}${unit}`;
}
