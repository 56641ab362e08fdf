import type { Ms } from "../core/units.ts";

/** Nobody waits longer, whatever a header says. */
export const RETRY_AFTER_MS_MAX: Ms = 24 * 60 * 60 * 1000;

const DECIMAL = /^\d{1,15}(\.\d{1,9})?$/;
/** A day name opens all three date forms of RFC 9110 §5.6.7. */
const DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/;

/**
 * How long an answer asks us to wait. `retry-after-ms` is OpenAI's and the finer one, but Azure
 * sends it as 0 beside a whole second. A date is measured against the answer's own `date`.
 */
export function readRetryAfter(headers: Headers): Ms | undefined {
  const fine = decimal(headers.get("retry-after-ms"));
  if (fine !== undefined && fine > 0) return clamp(fine);
  const coarse = headers.get("retry-after");
  if (coarse === null) return fine;
  return retryAfterMs(coarse, parseDate(headers.get("date"))) ?? fine;
}

/** One `retry-after` value: seconds, or a date as seen at `wallNow`. RFC 9110 §10.2.3. */
export function retryAfterMs(value: string, wallNow: Ms | undefined): Ms | undefined {
  const seconds = decimal(value);
  if (seconds !== undefined) return clamp(seconds * 1000);
  const date = parseDate(value);
  return date === undefined || wallNow === undefined ? undefined : clamp(date - wallNow);
}

function decimal(value: string | null): number | undefined {
  const text = value?.trim() ?? "";
  return DECIMAL.test(text) ? Number(text) : undefined;
}

/** asctime's form names no zone, and means GMT. */
function parseDate(value: string | null): Ms | undefined {
  const text = value?.trim() ?? "";
  if (!DATE.test(text)) return undefined;
  const time = Date.parse(text.endsWith("GMT") ? text : `${text} GMT`);
  return Number.isNaN(time) ? undefined : time;
}

function clamp(ms: Ms): Ms {
  return Math.min(Math.max(Math.ceil(ms), 0), RETRY_AFTER_MS_MAX);
}
