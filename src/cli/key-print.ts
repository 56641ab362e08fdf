import { printPeriod } from "../core/period-text.ts";
import type { KeyLimits } from "../state/keys/key-limits.ts";
import type { StoredKey } from "../state/keys/stored-key.ts";
import { momentText } from "./key-options.ts";

/** A key as `--json` prints it, its names those of the configuration file. */
export function keyJson(key: Omit<StoredKey, "limits"> & { readonly limits: KeyLimits | string }) {
  const { id, name, tenant, created, expires, revoked, limits } = key;
  return {
    id,
    name,
    tenant,
    created: momentText(created),
    expires: expires === undefined ? undefined : momentText(expires),
    revoked: revoked === undefined ? undefined : momentText(revoked),
    ...(typeof limits === "string" ? { unreadable: limits } : { limits: limitsJson(limits) }),
  };
}

function limitsJson({ budget, privacy, allow, zones, ...rates }: KeyLimits) {
  return {
    requests_per_minute: rates.requestsPerMinute,
    tokens_per_minute: rates.tokensPerMinute,
    max_concurrent: rates.concurrency,
    budget: budget && {
      usd: budget.nano === undefined ? undefined : dollars(budget.nano),
      tokens: budget.tokens,
      period: printPeriod(budget.period),
    },
    privacy,
    allow,
    zones,
  };
}

/** Limits in a line, for people. */
export function limitsText(limits: KeyLimits | string): string {
  if (typeof limits === "string") return `unreadable, opens nothing: ${limits}`;
  const { requestsPerMinute, tokensPerMinute, concurrency, budget, privacy, allow, zones } = limits;
  const parts: string[] = [];
  if (requestsPerMinute !== undefined) parts.push(`${requestsPerMinute} rpm`);
  if (tokensPerMinute !== undefined) parts.push(`${tokensPerMinute} tpm`);
  if (concurrency !== undefined) parts.push(`${concurrency} at once`);
  const period = budget === undefined ? "" : ` ${printPeriod(budget.period)}`;
  if (budget?.nano !== undefined) parts.push(`$${dollars(budget.nano)}${period}`);
  if (budget?.tokens !== undefined) parts.push(`${budget.tokens} tokens${period}`);
  if (privacy !== undefined) parts.push(privacy);
  if (allow !== undefined) parts.push(`only ${allow.join(",")}`);
  if (zones !== undefined) parts.push(`in ${zones.join(",")}`);
  return parts.length === 0 ? "no limits" : parts.join("; ");
}

function dollars(nano: number): string {
  const part = String(nano % 1_000_000_000)
    .padStart(9, "0")
    .replace(/0{1,7}$/, "");
  return `${Math.floor(nano / 1_000_000_000)}.${part}`;
}
