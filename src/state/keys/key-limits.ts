import { z } from "zod";
import type { Privacy } from "../../core/privacy.ts";
import { CALENDAR_PERIODS, type Period } from "../../core/limits.ts";
import type { Nano } from "../../core/units.ts";

/** What a stored key may do. What is left out is not limited by the key. */
export interface KeyLimits {
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
  readonly concurrency?: number | undefined;
  readonly budget?: KeyBudget | undefined;
  readonly privacy?: Privacy | undefined;
  /** Pool and model names it may use. */
  readonly allow?: readonly string[] | undefined;
  /** Zones its requests may be sent to. */
  readonly zones?: readonly string[] | undefined;
}

/** Money, tokens or both, over one period. */
export interface KeyBudget {
  readonly nano?: Nano | undefined;
  readonly tokens?: number | undefined;
  readonly period: Period;
}

const positive = z.int().positive();
const names = z.array(z.string().min(1)).readonly();

/** Strict: a limit this version does not know must not be read as no limit. */
const LIMITS = z.strictObject({
  requestsPerMinute: positive.optional(),
  tokensPerMinute: positive.optional(),
  concurrency: positive.optional(),
  budget: z
    .strictObject({
      nano: z.int().nonnegative().optional(),
      tokens: z.int().nonnegative().optional(),
      period: z.union([z.enum(CALENDAR_PERIODS), z.strictObject({ rollingMs: positive })]),
    })
    .refine(({ nano, tokens }) => nano !== undefined || tokens !== undefined, "limits nothing")
    .optional(),
  privacy: z.enum(["private", "shareable"]).optional(),
  allow: names.optional(),
  zones: names.optional(),
});

/** Reads limits that come from outside; a sentence when they are none. */
export function readLimits(value: unknown): KeyLimits | string {
  const read = LIMITS.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const at = issue === undefined || issue.path.length === 0 ? "limits" : issue.path.join(".");
  return `${at}: ${issue?.message ?? "not readable"}`;
}

/** Reads limits as the store keeps them. */
export function parseLimits(text: string): KeyLimits | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "limits: not JSON"; // The parser's own words could quote the text.
  }
  return readLimits(value);
}
