import { DIALECT_IDS, type DialectId } from "../../core/ids.ts";
import type { Privacy } from "../../core/privacy.ts";
import type { Provenance } from "../../core/usage.ts";
import type { BillableUsage } from "../rate-card/usage.ts";
import { big, int, orNull, places, type SqlRow, type SqlRunner, str } from "../store/sql.ts";
import type { Store } from "../store/store.ts";
import type { AttemptCost, AttemptFact, Entry, UsageFact } from "./facts.ts";
import { progressOf, setProgress } from "./insert.ts";

const PAGE = 500;

/** This node's ledger as one shared store has it. */
export interface Outbox {
  readonly ledger: SqlRunner;
  /** The store's name: how far each has come is kept apart. */
  readonly to: string;
}

/**
 * Brings facts of this node's ledger to the shared store, from where it last came to. The ledger is
 * the outbox: while the store is away facts wait in it, and one that arrives twice counts once.
 *
 * @throws StoreError when the store cannot take them now.
 */
export async function shipFacts(
  { ledger, to }: Outbox,
  store: Pick<Store, "appendFacts">,
): Promise<{ readonly shipped: number; readonly done: boolean }> {
  const from = await progressOf(ledger, progressName(to));
  const facts = await ledger.rows("SELECT * FROM usage_fact WHERE seq > ? ORDER BY seq LIMIT ?", [
    ...[from, PAGE],
  ]);
  const last = facts.at(-1);
  if (last === undefined) return { shipped: 0, done: true };
  await store.appendFacts(await entriesOf(ledger, facts));
  await setProgress(ledger, progressName(to), int(last["seq"]));
  return { shipped: facts.length, done: facts.length < PAGE };
}

/** How many facts of the ledger the store has not been given. */
export async function unshipped({ ledger, to }: Outbox): Promise<number> {
  const [row] = await ledger.rows("SELECT max(seq) AS last FROM usage_fact");
  return (orNull(row?.["last"], int) ?? 0) - (await progressOf(ledger, progressName(to)));
}

/** Begins anew where the store lost what it was given: it is a new one, or an older state of it. */
export async function checkShipped({ ledger, to }: Outbox, shared: SqlRunner): Promise<void> {
  const at = await progressOf(ledger, progressName(to));
  const [row] = await ledger.rows("SELECT id FROM usage_fact WHERE seq = ?", [at]);
  if (row === undefined) return;
  const known = await shared.rows("SELECT 1 FROM usage_fact WHERE id = ?", [str(row["id"])]);
  if (known.length === 0) await setProgress(ledger, progressName(to), 0);
}

function progressName(to: string): string {
  return `ship ${to}`;
}

async function entriesOf(ledger: SqlRunner, facts: readonly SqlRow[]): Promise<readonly Entry[]> {
  const ids = facts.map((row) => str(row["id"]));
  const text = `SELECT * FROM attempt_fact WHERE fact_id IN ${places(1, ids.length)} ORDER BY n`;
  const attempts = new Map<string, AttemptFact[]>(ids.map((id) => [id, []]));
  for (const row of await ledger.rows(text, ids)) {
    attempts.get(str(row["fact_id"]))?.push(attemptOf(row));
  }
  return facts.map((row) => ({ fact: factOf(row), attempts: attempts.get(str(row["id"])) ?? [] }));
}

/** A fact as it was stored. */
export function factOf(row: SqlRow): UsageFact {
  return {
    id: str(row["id"]),
    requestId: str(row["request_id"]),
    at: int(row["at_ms"]),
    tenant: orNull(row["tenant"], str),
    key: orNull(row["key_id"], str),
    requestedModel: str(row["requested_model"]),
    billedModel: str(row["billed_model"]),
    provider: str(row["provider"]),
    protocol: word<DialectId>(row["protocol"], DIALECT_IDS),
    privacy: orNull(row["privacy"], (value) => word<Privacy>(value, ["private", "shareable"])),
    stream: int(row["stream"]) === 1,
    usage: usageOf(row),
    provenance: word<Provenance>(row["provenance"], ["reported", "estimated", "partial"]),
    status: int(row["status"]),
    latencyMs: int(row["latency_ms"]),
    firstEventMs: orNull(row["first_event_ms"], int),
    attempts: int(row["attempts"]),
    chargedNano: big(row["charged_nano"]),
    card: str(row["card"]),
  };
}

/** An attempt as it was stored. */
export function attemptOf(row: SqlRow): AttemptFact {
  return {
    n: int(row["n"]),
    at: int(row["at_ms"]),
    provider: str(row["provider"]),
    model: str(row["model"]),
    fault: orNull(row["fault"], str),
    cost: word<AttemptCost>(row["cost"], ["reported", "estimated", "partial", "none", "unknown"]),
    usage: usageOf(row),
    firstEventMs: orNull(row["first_event_ms"], int),
  };
}

function usageOf(row: SqlRow): BillableUsage {
  return {
    inputTokens: int(row["input_tokens"]),
    outputTokens: int(row["output_tokens"]),
    cacheReadTokens: int(row["cache_read_tokens"]),
    cacheWriteTokens: int(row["cache_write_tokens"]),
    cacheWriteLongTokens: int(row["cache_write_long_tokens"]),
    reasoningTokens: int(row["reasoning_tokens"]),
  };
}

/** @throws when the column holds a word that this release does not know. */
function word<T extends string>(value: SqlRow[string] | undefined, words: readonly T[]): T {
  const found = words.find((each) => each === value);
  if (found === undefined) throw new Error(`${value} is none of ${words.join(", ")}`);
  return found;
}
