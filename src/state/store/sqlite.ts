import { Database } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Ms } from "../../core/units.ts";
import { type Sql, type SqlRow, type SqlRunner, type SqlValue, StoreError } from "./sql.ts";

export interface SqliteOptions {
  readonly path: string;
  /** How long a statement may wait for another process's write. */
  readonly deadlineMs: Ms;
  readonly readonly?: boolean | undefined;
}

/** Opens the file as every process of this program does. @throws when it cannot be opened. */
export function openDatabase({ path, deadlineMs, readonly }: SqliteOptions): Database {
  if (readonly !== true && path !== ":memory:") {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  }
  const options = readonly === true ? { readonly } : { create: true, readwrite: true };
  const db = new Database(path, { ...options, strict: true, safeIntegers: true });
  // The deadline first: even switching to WAL may have to wait for another process.
  db.run(`PRAGMA busy_timeout = ${Math.round(deadlineMs)}`);
  if (readonly !== true) {
    db.run("PRAGMA journal_mode = WAL");
    db.run("PRAGMA synchronous = FULL"); // An acknowledged fact survives a power cut.
  }
  return db;
}

/** One SQLite file. Its calls answer at once; they are promises because Postgres's are. */
export function openSqlite(options: SqliteOptions): Sql {
  return new SqliteSql(openDatabase(options));
}

class SqliteSql implements Sql {
  readonly engine = "sqlite";
  readonly #db: Database;
  /** Settles when everything asked so far is done: one connection, one transaction at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(db: Database) {
    this.#db = db;
  }

  rows(text: string, params: readonly SqlValue[] = []): Promise<readonly SqlRow[]> {
    return this.#inTurn(async () => this.#run(text, params));
  }

  transaction<T>(work: (within: SqlRunner) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      this.#run("BEGIN IMMEDIATE", []);
      try {
        const done = await work({ rows: async (text, params = []) => this.#run(text, params) });
        this.#run("COMMIT", []);
        return done;
      } catch (error) {
        if (this.#db.inTransaction) this.#run("ROLLBACK", []);
        throw error;
      }
    });
  }

  script(text: string): Promise<void> {
    return this.#inTurn(async () => {
      try {
        this.#db.run(text);
      } catch (error) {
        throw failureOf(error);
      }
    });
  }

  /** Other processes are not heard: whoever follows a SQLite log also asks now and then. */
  async listen(): Promise<() => void> {
    return () => {};
  }

  close(): Promise<void> {
    return this.#inTurn(async () => this.#db.close());
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => {}); // Whoever asked is told; the next one only waits.
    return turn;
  }

  #run(text: string, params: readonly SqlValue[]): SqlRow[] {
    try {
      return this.#db.query<SqlRow, SqlValue[]>(text).all(...params);
    } catch (error) {
      throw failureOf(error);
    }
  }
}

/** SQLite's words for a full disk, a lock that another process kept, and a file that fails. */
export function failureOf(error: unknown): unknown {
  const code = codeOf(error);
  if (code === undefined) return error;
  const message = error instanceof Error ? error.message : code;
  if (code === "SQLITE_FULL") return new StoreError("full", message, error);
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return new StoreError("deadline", message, error);
  if (/^SQLITE_(IOERR|CANTOPEN|READONLY|CORRUPT|NOTADB|PROTOCOL)/.test(code)) {
    return new StoreError("unavailable", message, error);
  }
  return new StoreError("refused", message, error);
}

/** SQLite's own name of what went wrong; undefined when it was not SQLite. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && code.startsWith("SQLITE_") ? code : undefined;
}
