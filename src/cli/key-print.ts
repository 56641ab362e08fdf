import { printPeriod } from "../core/period-text.ts";
import { dollarText } from "../state/keys/key-json.ts";
import type { KeyLimits } from "../state/keys/key-limits.ts";

/** Limits in a line, for people. */
export function limitsText(limits: KeyLimits | string): string {
  if (typeof limits === "string") return `unreadable, opens nothing: ${limits}`;
  const { requestsPerMinute, tokensPerMinute, concurrency, budget, privacy, allow, zones } = limits;
  const parts: string[] = [];
  if (requestsPerMinute !== undefined) parts.push(`${requestsPerMinute} rpm`);
  if (tokensPerMinute !== undefined) parts.push(`${tokensPerMinute} tpm`);
  if (concurrency !== undefined) parts.push(`${concurrency} at once`);
  const period = budget === undefined ? "" : ` ${printPeriod(budget.period)}`;
  if (budget?.nano !== undefined) parts.push(`$${dollarText(budget.nano)}${period}`);
  if (budget?.tokens !== undefined) parts.push(`${budget.tokens} tokens${period}`);
  if (privacy !== undefined) parts.push(privacy);
  if (allow !== undefined) parts.push(`only ${allow.join(",")}`);
  if (zones !== undefined) parts.push(`in ${zones.join(",")}`);
  return parts.length === 0 ? "no limits" : parts.join("; ");
}
