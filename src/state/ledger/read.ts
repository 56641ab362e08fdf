import type { Ms } from "../../core/units.ts";
import type { BillableUsage } from "../rate-card/usage.ts";
import { int, orNull, type SqlRow, type SqlRunner, type SqlValue, str } from "../store/sql.ts";

/** Which facts a question is about. */
export interface FactFilter {
  readonly from: Ms;
  /** Exclusive. */
  readonly to: Ms;
  readonly provider?: string | undefined;
  /** Billed or requested under this name. */
  readonly model?: string | undefined;
  readonly tenant?: string | undefined;
}

/** By what facts are put together. */
export type GroupBy = (typeof GROUPS)[number];
export const GROUPS = ["provider", "model", "tenant", "key", "hour", "day"] as const;

/** Facts that one price applies to, added up. */
export interface UsageSum {
  /** The group's name; undefined for what has none, and without a grouping. */
  readonly group: string | undefined;
  readonly provider: string;
  readonly model: string;
  /** The day they settled on, UTC: prices change by the day. */
  readonly day: Ms;
  /** How many input lengths at which a price may change each of them was longer than. */
  readonly tier: number;
  readonly requests: number;
  readonly errors: number;
  readonly estimated: number;
  readonly usage: BillableUsage;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const USAGE = [
  ...["input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"],
  ...["cache_write_long_tokens", "reasoning_tokens"],
] as const;

export interface SumOptions {
  readonly filter: FactFilter;
  readonly groupBy: GroupBy | undefined;
  /** Input lengths at which some price changes: sums never mix two sides of one. */
  readonly thresholds: readonly number[];
}

/**
 * Usage by group, and within it by whatever decides a price. The database adds up: reading a month
 * costs as many rows as it has prices, not as it has requests.
 */
export async function sumUsage(
  sql: SqlRunner,
  { filter, groupBy, thresholds }: SumOptions,
): Promise<readonly UsageSum[]> {
  const where = whereOf(filter);
  const sums = USAGE.map((column) => `sum(${column}) AS ${column}`).join(", ");
  const text = `SELECT ${groupColumn(groupBy)} AS grp, provider, billed_model,
    at_ms / ${DAY_MS} * ${DAY_MS} AS day, ${tierColumn(thresholds)} AS tier,
    count(*) AS requests,
    sum(CASE WHEN status >= 400 THEN 1 ELSE 0 END) AS errors,
    sum(CASE WHEN provenance <> 'reported' THEN 1 ELSE 0 END) AS estimated, ${sums}
    FROM usage_fact WHERE ${where.text} GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5`;
  return (await sql.rows(text, where.params)).map((row) => sumOf(row, groupBy));
}

/** What providers used over all attempts, ours to pay for whoever was charged. */
export async function sumAttempts(
  sql: SqlRunner,
  { filter, thresholds }: Omit<SumOptions, "groupBy">,
): Promise<readonly (UsageSum & { readonly unknown: number })[]> {
  const where = ["at_ms >= ?", "at_ms < ?"];
  const params: SqlValue[] = [filter.from, filter.to];
  if (filter.provider !== undefined) {
    where.push("provider = ?");
    params.push(filter.provider);
  }
  if (filter.model !== undefined) {
    where.push("model = ?");
    params.push(filter.model);
  }
  const sums = USAGE.map((column) => `sum(${column}) AS ${column}`).join(", ");
  const text = `SELECT NULL AS grp, provider, model AS billed_model,
    at_ms / ${DAY_MS} * ${DAY_MS} AS day, ${tierColumn(thresholds)} AS tier,
    sum(CASE WHEN cost = 'none' THEN 0 ELSE 1 END) AS requests,
    sum(CASE WHEN fault IS NULL THEN 0 ELSE 1 END) AS errors,
    sum(CASE WHEN cost IN ('estimated', 'partial') THEN 1 ELSE 0 END) AS estimated,
    sum(CASE WHEN cost = 'unknown' THEN 1 ELSE 0 END) AS unknown, ${sums}
    FROM attempt_fact WHERE ${where.join(" AND ")} GROUP BY 2, 3, 4, 5 ORDER BY 2, 3, 4, 5`;
  const rows = await sql.rows(text, params);
  return rows.map((row) => ({ ...sumOf(row, undefined), unknown: int(row["unknown"]) }));
}

/** How long one provider's model took, each request by itself, the shortest first. */
export interface LatencySample {
  readonly group: string | undefined;
  readonly provider: string;
  readonly model: string;
  readonly latencyMs: Ms;
  readonly firstEventMs: Ms | undefined;
  readonly failed: boolean;
}

const SAMPLE_PAGE = 20_000;

/** Reads samples page by page, so that a month of them is never in memory twice. */
export async function* latencySamples(
  sql: SqlRunner,
  { filter, groupBy }: Omit<SumOptions, "thresholds">,
): AsyncGenerator<LatencySample> {
  const where = whereOf(filter);
  for (let after = 0; ;) {
    const rows = await sql.rows(
      `SELECT seq, ${groupColumn(groupBy)} AS grp, provider, billed_model, latency_ms,
        first_event_ms, status FROM usage_fact WHERE ${where.text} AND seq > ?
        ORDER BY seq LIMIT ${SAMPLE_PAGE}`,
      [...where.params, after],
    );
    for (const row of rows) yield sampleOf(row, groupBy);
    const last = rows.at(-1);
    if (last === undefined || rows.length < SAMPLE_PAGE) return;
    after = int(last["seq"]);
  }
}

interface Where {
  readonly text: string;
  readonly params: readonly SqlValue[];
}

function whereOf({ from, to, provider, model, tenant }: FactFilter): Where {
  const parts = ["at_ms >= ?", "at_ms < ?"];
  const params: SqlValue[] = [from, to];
  if (provider !== undefined) {
    parts.push("provider = ?");
    params.push(provider);
  }
  if (model !== undefined) {
    parts.push("(billed_model = ? OR requested_model = ?)");
    params.push(model, model);
  }
  if (tenant !== undefined) {
    parts.push("tenant = ?");
    params.push(tenant);
  }
  return { text: parts.join(" AND "), params };
}

function groupColumn(groupBy: GroupBy | undefined): string {
  switch (groupBy) {
    case undefined:
      return "NULL";
    case "provider":
      return "provider";
    case "model":
      return "billed_model";
    case "tenant":
      return "tenant";
    case "key":
      return "key_id";
    case "hour":
      return `at_ms / ${HOUR_MS} * ${HOUR_MS}`;
    case "day":
      return `at_ms / ${DAY_MS} * ${DAY_MS}`;
  }
}

function tierColumn(thresholds: readonly number[]): string {
  const passed = thresholds.map(
    (above) => `(CASE WHEN input_tokens > ${Math.trunc(above)} THEN 1 ELSE 0 END)`,
  );
  return passed.length === 0 ? "0" : passed.join(" + ");
}

function sumOf(row: SqlRow, groupBy: GroupBy | undefined): UsageSum {
  return {
    group: groupName(row["grp"], groupBy),
    provider: str(row["provider"]),
    model: str(row["billed_model"]),
    day: int(row["day"]),
    tier: int(row["tier"]),
    requests: int(row["requests"]),
    errors: int(row["errors"]),
    estimated: int(row["estimated"]),
    usage: {
      inputTokens: int(row["input_tokens"]),
      outputTokens: int(row["output_tokens"]),
      cacheReadTokens: int(row["cache_read_tokens"]),
      cacheWriteTokens: int(row["cache_write_tokens"]),
      cacheWriteLongTokens: int(row["cache_write_long_tokens"]),
      reasoningTokens: int(row["reasoning_tokens"]),
    },
  };
}

function sampleOf(row: SqlRow, groupBy: GroupBy | undefined): LatencySample {
  return {
    group: groupName(row["grp"], groupBy),
    provider: str(row["provider"]),
    model: str(row["billed_model"]),
    latencyMs: int(row["latency_ms"]),
    firstEventMs: orNull(row["first_event_ms"], int),
    failed: int(row["status"]) >= 400,
  };
}

function groupName(value: SqlValue | undefined, groupBy: GroupBy | undefined): string | undefined {
  if (value === null || value === undefined) return undefined;
  const moment = (): string => new Date(int(value)).toISOString();
  if (groupBy === "hour") return `${moment().slice(0, 13)}:00Z`;
  return groupBy === "day" ? moment().slice(0, 10) : str(value);
}
