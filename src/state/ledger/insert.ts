import { int, only, places, type SqlRunner, type SqlValue, str } from "../store/sql.ts";
import {
  ADD_TO_BALANCE,
  ATTEMPT_COLUMNS,
  attemptRow,
  balanceRows,
  FACT_COLUMNS,
  factRow,
} from "./columns.ts";
import type { Entry } from "./facts.ts";

/** Rows of one statement: both engines take some ten thousand parameters. */
const CHUNK = 200;

/**
 * Writes entries within a transaction, each once, its key's balance with it: the way facts reach a
 * store that several nodes share. Answers how many were new.
 */
export async function insertFacts(
  within: SqlRunner,
  entries: readonly Entry[],
  node: string,
): Promise<number> {
  let fresh = 0;
  for (let at = 0; at < entries.length; at += CHUNK) {
    fresh += await insertChunk(within, entries.slice(at, at + CHUNK), node);
  }
  return fresh;
}

async function insertChunk(
  within: SqlRunner,
  entries: readonly Entry[],
  node: string,
): Promise<number> {
  const rows = entries.map(({ fact }) => factRow(fact, node));
  const insert = `INSERT INTO usage_fact (${FACT_COLUMNS.join(", ")})
    VALUES ${places(rows.length, FACT_COLUMNS.length)} ON CONFLICT (id) DO NOTHING RETURNING id`;
  const written = await within.rows(insert, rows.flat());
  const left = new Set(written.map((row) => str(row["id"])));
  // A fact twice in one call is written once: the first of them takes the id.
  const fresh = entries.filter(({ fact }) => left.delete(fact.id));
  const attempts = fresh.flatMap(({ fact, attempts: all }) =>
    all.map((attempt) => attemptRow(attempt, fact.id)),
  );
  await insertAttempts(within, attempts);
  for (const row of balanceRows(fresh.map(({ fact }) => fact))) {
    await within.rows(ADD_TO_BALANCE, row);
  }
  return fresh.length;
}

async function insertAttempts(within: SqlRunner, rows: readonly SqlValue[][]): Promise<void> {
  for (let at = 0; at < rows.length; at += CHUNK) {
    const chunk = rows.slice(at, at + CHUNK);
    const insert = `INSERT INTO attempt_fact (${ATTEMPT_COLUMNS.join(", ")})
      VALUES ${places(chunk.length, ATTEMPT_COLUMNS.length)} ON CONFLICT DO NOTHING`;
    await within.rows(insert, chunk.flat());
  }
}

/** How far something has read the ledger, by its name. */
export async function progressOf(sql: SqlRunner, name: string): Promise<number> {
  const [row] = await sql.rows("SELECT position FROM progress WHERE name = ?", [name]);
  return row === undefined ? 0 : int(only([row])["position"]);
}

export async function setProgress(sql: SqlRunner, name: string, position: number): Promise<void> {
  await sql.rows(
    `INSERT INTO progress (name, position) VALUES (?, ?)
      ON CONFLICT (name) DO UPDATE SET position = excluded.position`,
    [name, position],
  );
}
