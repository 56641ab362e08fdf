import type { Database, Statement } from "bun:sqlite";
import { codeOf } from "../store/sqlite.ts";
import type { SqlValue } from "../store/sql.ts";
import {
  ADD_TO_BALANCE,
  ATTEMPT_COLUMNS,
  attemptRow,
  balanceRows,
  FACT_COLUMNS,
  factRow,
} from "./columns.ts";
import type { Entry, UsageFact } from "./facts.ts";

/** Where a group of entries is written: all of it or nothing, each fact once. */
export interface LedgerSink {
  /** Called again only when it has answered. Never throws for what a store may do. */
  write(entries: readonly Entry[]): Written | Promise<Written>;
  close(): void | Promise<void>;
}
export type Written =
  /** On disk. `duplicates` were there already, and changed nothing. */
  | { readonly kind: "written"; readonly duplicates: number }
  /** Nothing was written, and later it may be. */
  | { readonly kind: "failed"; readonly why: SinkFailure; readonly message: string }
  /** Nothing was written: an entry in it never will be. */
  | { readonly kind: "refused"; readonly message: string };
/** `busy`: another process holds the file; `full`: no room; `io`: the file cannot be used. */
export type SinkFailure = "busy" | "full" | "io";

/** Writes to the ledger's tables of an open database whose schema is current. */
export function sqliteSink(db: Database, { node }: { readonly node: string }): LedgerSink {
  return new SqliteSink(db, node);
}

class SqliteSink implements LedgerSink {
  readonly #db: Database;
  readonly #node: string;
  readonly #fact: Statement<unknown, SqlValue[]>;
  readonly #attempt: Statement<unknown, SqlValue[]>;
  readonly #balance: Statement<unknown, SqlValue[]>;

  constructor(db: Database, node: string) {
    this.#db = db;
    this.#node = node;
    const once = (table: string, columns: readonly string[]): string => {
      const places = columns.map(() => "?").join(", ");
      const names = columns.join(", ");
      return `INSERT INTO ${table} (${names}) VALUES (${places}) ON CONFLICT DO NOTHING`;
    };
    this.#fact = db.prepare(once("usage_fact", FACT_COLUMNS));
    this.#attempt = db.prepare(once("attempt_fact", ATTEMPT_COLUMNS));
    this.#balance = db.prepare(ADD_TO_BALANCE);
  }

  write(entries: readonly Entry[]): Written {
    const written: UsageFact[] = [];
    try {
      this.#db.run("BEGIN IMMEDIATE");
      for (const entry of entries) if (this.#writeOne(entry)) written.push(entry.fact);
      // Balances move with their facts or not at all.
      for (const row of balanceRows(written)) this.#balance.run(...row);
      this.#db.run("COMMIT");
      return { kind: "written", duplicates: entries.length - written.length };
    } catch (error) {
      this.#rollBack();
      return verdictOn(error);
    }
  }

  close(): void {
    // A statement that is still there keeps the file open behind a closed database.
    for (const statement of [this.#fact, this.#attempt, this.#balance]) statement.finalize();
    this.#db.close();
  }

  /** Whether it is new. */
  #writeOne({ fact, attempts }: Entry): boolean {
    const { changes } = this.#fact.run(...factRow(fact, this.#node));
    if (changes === 0) return false;
    for (const attempt of attempts) this.#attempt.run(...attemptRow(attempt, fact.id));
    return true;
  }

  #rollBack(): void {
    // A full disk may have rolled it back already.
    if (!this.#db.inTransaction) return;
    try {
      this.#db.run("ROLLBACK");
    } catch {
      // The next BEGIN fails then, which is told; nothing of this group is counted as written.
    }
  }
}

function verdictOn(error: unknown): Written {
  const message = error instanceof Error ? error.message : String(error);
  const code = codeOf(error) ?? "";
  if (code === "SQLITE_FULL") return { kind: "failed", why: "full", message };
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return { kind: "failed", why: "busy", message };
  if (/^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE)/.test(code)) {
    return { kind: "refused", message };
  }
  if (code === "" && error instanceof TypeError) return { kind: "refused", message };
  return { kind: "failed", why: "io", message };
}
