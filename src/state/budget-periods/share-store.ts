import type { Ms } from "../../core/units.ts";
import { int, only, places, type Sql, type SqlRow, type SqlRunner, str } from "../store/sql.ts";
import {
  grantShare,
  type Share,
  type ShareClaim,
  type ShareGrant,
  type ShareTerms,
} from "./share.ts";

/** A claim on one budget's period. */
export interface BudgetClaim extends ShareTerms, ShareClaim {
  readonly budget: string;
  readonly period: number;
}

export interface BudgetGrant extends ShareGrant {
  /** Whether the store knew of this node's part before. */
  readonly isKnown: boolean;
}

/** What is kept of a period that is over. */
const KEPT_MS: Ms = 40 * 86_400_000;
const PRESENT_MS: Ms = 30_000;

/**
 * Answers the claims of one node in one transaction. The head's row is written first and locked to
 * the end: two nodes are never granted the same money.
 *
 * @throws StoreError; the same claims may be made again, whatever became of these.
 */
export function claimShares(
  sql: Sql,
  claims: readonly BudgetClaim[],
): Promise<readonly BudgetGrant[]> {
  return sql.transaction(async (within) => {
    await within.rows("UPDATE budget_share_head SET rounds = rounds + 1");
    const shares = await sharesOf(within, claims);
    const grants = claims.map((claim) => {
      const known = shares.get(nameOf(claim)) ?? [];
      const isKnown = known.some(({ node }) => node === claim.node);
      return { ...grantShare(known, claim, claim), isKnown };
    });
    if (claims.length > 0) await keep(within, claims, grants);
    return grants;
  });
}

/** Says that a node is there, forgets what is long over, and counts the nodes there are. */
export async function seeNodes(sql: Sql, node: string, now: Ms): Promise<number> {
  await sql.rows(
    `INSERT INTO node_seen (node, at_ms) VALUES (?, ?)
      ON CONFLICT (node) DO UPDATE SET at_ms = excluded.at_ms`,
    [node, now],
  );
  await sql.rows("DELETE FROM node_seen WHERE at_ms < ?", [now - KEPT_MS]);
  await sql.rows("DELETE FROM budget_share WHERE at_ms < ? AND period > 0", [now - KEPT_MS]);
  const text = "SELECT count(*) AS nodes FROM node_seen WHERE at_ms > ?";
  return int(only(await sql.rows(text, [now - PRESENT_MS]))["nodes"]);
}

async function sharesOf(
  within: SqlRunner,
  claims: readonly BudgetClaim[],
): Promise<ReadonlyMap<string, readonly Share[]>> {
  if (claims.length === 0) return new Map();
  const names = [...new Set(claims.map(({ budget }) => budget))];
  const text = `SELECT * FROM budget_share WHERE budget IN ${places(1, names.length)}`;
  const rows = await within.rows(text, names);
  const byName = Map.groupBy(rows, (row) => `${str(row["budget"])} ${int(row["period"])}`);
  return new Map([...byName].map(([name, each]) => [name, each.map(shareOf)]));
}

async function keep(
  within: SqlRunner,
  claims: readonly BudgetClaim[],
  grants: readonly ShareGrant[],
): Promise<void> {
  const rows = claims.map(({ budget, period, node, used, now }, at) => {
    return [budget, period, node, used, grants[at]?.held ?? used, now];
  });
  await within.rows(
    `INSERT INTO budget_share (budget, period, node, used, held, at_ms)
      VALUES ${places(rows.length, 6)} ON CONFLICT (budget, period, node) DO UPDATE SET
      used = excluded.used, held = excluded.held, at_ms = excluded.at_ms`,
    rows.flat(),
  );
}

function nameOf({ budget, period }: BudgetClaim): string {
  return `${budget} ${period}`;
}

function shareOf(row: SqlRow): Share {
  return {
    node: str(row["node"]),
    used: int(row["used"]),
    held: int(row["held"]),
    at: int(row["at_ms"]),
  };
}
