import { printPeriod } from "../../core/period-text.ts";
import type { Ms } from "../../core/units.ts";
import type { KeyLimits } from "./key-limits.ts";
import type { ListedKey } from "./key-store.ts";
import type { StoredKey } from "./stored-key.ts";

/** A key for programs, its names those of the configuration file. */
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

/** A key of a list, with what it is good for now. */
export function listedJson(key: ListedKey, now: Ms) {
  return { ...keyJson(key), state: keyState(key, now), secrets: key.secrets };
}

export function keyState(
  { revoked, expires }: Pick<StoredKey, "revoked" | "expires">,
  now: Ms,
): "active" | "revoked" | "expired" {
  if (revoked !== undefined) return "revoked";
  return expires !== undefined && expires <= now ? "expired" : "active";
}

export function limitsJson({ budget, privacy, allow, zones, ...rates }: KeyLimits) {
  return {
    requests_per_minute: rates.requestsPerMinute,
    tokens_per_minute: rates.tokensPerMinute,
    max_concurrent: rates.concurrency,
    budget: budget && {
      usd: budget.nano === undefined ? undefined : dollarText(budget.nano),
      tokens: budget.tokens,
      period: printPeriod(budget.period),
    },
    privacy,
    allow,
    zones,
  };
}

export function dollarText(nano: number): string {
  const part = String(nano % 1_000_000_000)
    .padStart(9, "0")
    .replace(/0{1,7}$/, "");
  return `${Math.floor(nano / 1_000_000_000)}.${part}`;
}

/** A moment as people and programs read it. */
export function momentText(at: Ms): string {
  return new Date(at).toISOString().replace(".000Z", "Z");
}
