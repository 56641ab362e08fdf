import { int, type SqlRow, type SqlRunner, big, str } from "../store/sql.ts";

/** A key whose balance is not the sum of its facts. */
export interface Imbalance {
  readonly tenant: string;
  readonly key: string;
  readonly facts: Sums;
  readonly balance: Sums;
}
export interface Sums {
  readonly facts: number;
  readonly inputTokens: bigint;
  readonly outputTokens: bigint;
  readonly chargedNano: bigint;
}

const SUMS = "facts, input_tokens, output_tokens, charged_nano";
const FROM_FACTS = `SELECT COALESCE(tenant, '') AS tenant, COALESCE(key_id, '') AS key_id,
  count(*) AS facts, sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
  sum(charged_nano) AS charged_nano FROM usage_fact GROUP BY 1, 2`;
const NOTHING: Sums = { facts: 0, inputTokens: 0n, outputTokens: 0n, chargedNano: 0n };

/** Adds all facts up and compares: what is returned is wrong. Empty when the books balance. */
export async function checkBooks(sql: SqlRunner): Promise<readonly Imbalance[]> {
  const facts = sumsByKey(await sql.rows(FROM_FACTS));
  const balances = sumsByKey(await sql.rows(`SELECT tenant, key_id, ${SUMS} FROM balance`));
  const names = new Set([...facts.keys(), ...balances.keys()]);
  return [...names].flatMap((name) => {
    const [sum, balance] = [facts.get(name) ?? NOTHING, balances.get(name) ?? NOTHING];
    if (sameSums(sum, balance)) return [];
    const [tenant = "", key = ""] = name.split("\0");
    return [{ tenant, key, facts: sum, balance }];
  });
}

/** What a key has been charged between two moments: its budget cell, when that was lost. */
export async function spentBetween(
  sql: SqlRunner,
  key: string,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<Sums> {
  const [row] = await sql.rows(
    `SELECT count(*) AS facts, COALESCE(sum(input_tokens), 0) AS input_tokens,
      COALESCE(sum(output_tokens), 0) AS output_tokens,
      COALESCE(sum(charged_nano), 0) AS charged_nano
      FROM usage_fact WHERE key_id = ? AND at_ms >= ? AND at_ms < ?`,
    [key, from, to],
  );
  return row === undefined ? NOTHING : sumsOf(row);
}

function sumsByKey(rows: readonly SqlRow[]): ReadonlyMap<string, Sums> {
  return new Map(rows.map((row) => [`${str(row["tenant"])}\0${str(row["key_id"])}`, sumsOf(row)]));
}

function sumsOf(row: SqlRow): Sums {
  return {
    facts: int(row["facts"]),
    inputTokens: big(row["input_tokens"]),
    outputTokens: big(row["output_tokens"]),
    chargedNano: big(row["charged_nano"]),
  };
}

function sameSums(a: Sums, b: Sums): boolean {
  return (
    a.facts === b.facts &&
    a.inputTokens === b.inputTokens &&
    a.outputTokens === b.outputTokens &&
    a.chargedNano === b.chargedNano
  );
}
