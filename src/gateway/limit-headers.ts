import type { DialectId } from "../core/ids.ts";
import { printPeriod } from "../core/period-text.ts";
import type { Ms } from "../core/units.ts";
import type { BudgetLeft } from "../governor/levels.ts";
import type { RateLevel } from "../state/slab/rate.ts";
import type { Visit } from "./visit.ts";

/** What a key has left, in its protocol's own names and in the place of an upstream's. */
export function addLimitHeaders(headers: Record<string, string>, visit: Visit): void {
  const { gateway, key } = visit;
  if (key === undefined) return;
  const { clock } = gateway.runtime;
  const wall = clock.wall();
  const period = gateway.wall();
  const levels = gateway.governor.levels(key, { nowNs: clock.machine(), wall: period });
  if (levels === undefined) return;
  for (const name of Object.keys(headers)) if (UPSTREAMS.test(name)) delete headers[name];
  const spell = SPELLINGS[visit.dialect.id] ?? openaiNames;
  addRate(
    headers,
    { level: levels.requests, max: levels.requestsMax, what: "requests" },
    spell(wall),
  );
  addRate(headers, { level: levels.tokens, max: levels.tokensMax, what: "tokens" }, spell(wall));
  const budgets = levels.budgets.map((left) => budgetText(left, period));
  if (budgets.length > 0) headers["x-interlock-budget"] = budgets.join(", ");
}

const UPSTREAMS = /^(?:x-ratelimit|anthropic-ratelimit)-/;

interface Rate {
  readonly level: RateLevel | undefined;
  readonly max: number | undefined;
  readonly what: "requests" | "tokens";
}
interface Spelling {
  name(what: Rate["what"], part: "limit" | "remaining" | "reset"): string;
  /** When all of it is there again. */
  reset(resetNs: number): string;
}

const SPELLINGS: { readonly [D in DialectId]?: (wall: number) => Spelling } = {
  anthropic: anthropicNames,
};

/** A Go duration, as OpenAI's own: protocols.md 6.4. */
function openaiNames(): Spelling {
  return {
    name: (what, part) => `x-ratelimit-${part}-${what}`,
    reset: (resetNs) => `${(resetNs / 1e9).toFixed(3)}s`,
  };
}

/** An instant by RFC 3339, as Anthropic's own. */
function anthropicNames(wall: number): Spelling {
  return {
    name: (what, part) => `anthropic-ratelimit-${what}-${part}`,
    reset: (resetNs) => new Date(wall + resetNs / 1e6).toISOString(),
  };
}

function addRate(headers: Record<string, string>, rate: Rate, spelling: Spelling): void {
  const { level, max, what } = rate;
  if (level === undefined || max === undefined) return;
  headers[spelling.name(what, "limit")] = String(max);
  headers[spelling.name(what, "remaining")] = String(level.remaining);
  headers[spelling.name(what, "reset")] = spelling.reset(level.resetNs);
}

const NANO_PER_USD = 1e9;

/** All amounts in the budget's unit; `reset` in seconds, as in `retry-after`. */
function budgetText(left: BudgetLeft, wall: Ms): string {
  const { budget, spent, reserved, remaining, resetAt, whose } = left;
  const shown = (amount: number): string =>
    budget.unit === "usd" ? (amount / NANO_PER_USD).toFixed(6) : String(amount);
  const parts = [
    `unit=${budget.unit}`,
    `spent=${shown(spent)}`,
    `reserved=${shown(reserved)}`,
    `remaining=${shown(remaining)}`,
    `limit=${shown(budget.amount)}`,
    `period=${printPeriod(budget.period)}`,
  ];
  if (whose !== "key") parts.push(`of=${whose}`);
  if (resetAt !== undefined) parts.push(`reset=${Math.max(0, Math.ceil((resetAt - wall) / 1000))}`);
  return parts.join("; ");
}
