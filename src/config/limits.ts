import type { Budget, Limits } from "../core/limits.ts";
import type { Ms } from "../core/units.ts";
import type { FileKey } from "./schema.ts";

/** Money is counted in these. */
export const NANO_PER_USD = 1_000_000_000;

type Limited = Pick<
  FileKey,
  "requests_per_minute" | "tokens_per_minute" | "max_concurrent" | "budget"
> &
  Partial<Pick<FileKey, "expires">>;

/** What a key of the file may use up. */
export function limitsOf(entry: Limited): Limits {
  return {
    requestsPerMinute: entry.requests_per_minute,
    tokensPerMinute: entry.tokens_per_minute,
    concurrency: entry.max_concurrent,
    budgets: budgetsOf(entry),
    expiresAt: expiryOf(entry.expires),
    onExhausted: entry.budget?.on_exhausted,
  };
}

function budgetsOf({ budget }: Limited): readonly Budget[] {
  const { usd, tokens, period = "total" } = budget ?? {};
  const budgets: Budget[] = [];
  if (usd !== undefined) {
    budgets.push({ unit: "usd", amount: Math.round(usd * NANO_PER_USD), period });
  }
  if (tokens !== undefined) budgets.push({ unit: "tokens", amount: tokens, period });
  return budgets;
}

/** A date without a time ends with the day, in UTC. */
function expiryOf(text: string | undefined): Ms | undefined {
  if (text === undefined) return undefined;
  return Date.parse(text.includes("T") ? text : `${text}T23:59:59Z`);
}
