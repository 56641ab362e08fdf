import type { Ms } from "../../core/units.ts";

const UNITS: Readonly<Record<string, Ms>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const PART = /(\d{1,6})([smhdw])/g;

/** `24h`, `7d`, `1h30m`, `all`: how far back; undefined when it says none of these. */
export function readWindow(text: string): Ms | undefined {
  if (text === "all") return Number.POSITIVE_INFINITY;
  if (!/^(\d{1,6}[smhdw])+$/.test(text)) return undefined;
  let total = 0;
  for (const [, count = "", unit = ""] of text.matchAll(PART)) {
    total += Number(count) * (UNITS[unit] ?? 0);
  }
  return total > 0 ? total : undefined;
}

/** The moments that a window of this length ends with `now` covers, the end exclusive. */
export function rangeOf(windowMs: Ms, now: Ms): { readonly from: Ms; readonly to: Ms } {
  return { from: Math.max(0, now - windowMs), to: now + 1 };
}
