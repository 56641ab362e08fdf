import type { Ms, Nano } from "../../core/units.ts";

/** What people and programs write about a key, and may write wrongly. */

const UNITS: Readonly<Record<string, Ms>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

/** Nobody means a longer one, and a date can hold no much longer one. */
const DURATION_MAX_MS: Ms = 1000 * 365 * 86_400_000;

/** `90d`, `12h`, `30m`, `45s`, `2w`; `0` is none at all. */
export function parseDuration(text: string): Ms | undefined {
  if (text === "0") return 0;
  const [, count, unit = ""] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  const duration = Number(count) * (UNITS[unit] ?? Number.NaN);
  return duration > 0 && duration <= DURATION_MAX_MS ? duration : undefined;
}

/** A duration from `now` on, or a moment that says its zone. */
export function parseExpiry(text: string, now: Ms): Ms | "malformed" | "past" {
  if (!/^\d{4}-/.test(text)) {
    const duration = parseDuration(text);
    return duration === undefined || duration === 0 ? "malformed" : now + duration;
  }
  const isMoment = /^\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?$/.test(text);
  const at = isMoment ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) return "malformed";
  return at <= now ? "past" : at;
}

/** Dollars in decimal to billionths of one, through no fraction; below ten million. */
export function parseDollars(text: string): Nano | undefined {
  const [, whole = "", part = ""] = /^(\d{1,7})(?:\.(\d{1,9}))?$/.exec(text) ?? [];
  const nano = Number(whole) * 1_000_000_000 + Number(part.padEnd(9, "0"));
  return whole !== "" && Number.isSafeInteger(nano) ? nano : undefined;
}

/** Names and tenants of keys stand in logs and labels. */
export function isLabel(text: string): boolean {
  return /^[\w.@:/-]{1,64}$/.test(text);
}
export const LABEL = "1 to 64 characters: letters, digits and . _ - @ : /";
