import {
  type AuditHead,
  type AuditRecord,
  type ChainKey,
  link,
  type NewAudit,
} from "../audit/chain.ts";
import type { Entry } from "../ledger/facts.ts";
import { insertFacts } from "../ledger/insert.ts";
import type { NewEvent, Revision, StoredEvent } from "./event.ts";
import type { Changes, RegisterEntry } from "./registers.ts";
import { wins } from "./registers.ts";
import { int, only, orNull, type Sql, type SqlRow, type SqlRunner, str } from "./sql.ts";
import { appendEvents, eventOf, project, viewRowOf } from "./sql-events.ts";
import type { Appended, AppendOptions, Store } from "./store.ts";
import type { ViewRow } from "./views.ts";

export interface SqlStoreOptions {
  /** Seals the audit log. */
  readonly key?: ChainKey;
  /** Whose facts `appendFacts` brings. */
  readonly node: string;
}

/** A store in a database whose schema is current. Both engines run the same statements. */
export function sqlStore(sql: Sql, options: SqlStoreOptions): Store {
  return new SqlStore(sql, options);
}

/** Postgres's channel that says a node appended. */
const CHANNEL = "interlock_events";
const REBUILD_PAGE = 1000;

class SqlStore implements Store {
  readonly engine: Sql["engine"];
  readonly #sql: Sql;
  readonly #options: SqlStoreOptions;
  readonly #wakes = new Set<() => void>();

  constructor(sql: Sql, options: SqlStoreOptions) {
    this.engine = sql.engine;
    this.#sql = sql;
    this.#options = options;
  }

  async append(events: readonly NewEvent[], options: AppendOptions = {}): Promise<Appended> {
    const appended = await this.#sql.transaction(async (within): Promise<Appended> => {
      const done = await appendEvents(within, events, options.expected);
      if (!done.ok) return done;
      if (options.audit !== undefined) await this.#link(within, options.audit);
      if (done.fresh > 0 && this.engine === "postgres") {
        await within.rows("SELECT pg_notify(?, ?)", [CHANNEL, String(done.revision)]);
      }
      return done;
    });
    if (appended.ok && appended.fresh > 0) for (const wake of this.#wakes) wake();
    return appended;
  }

  async events(after: Revision, limit: number): Promise<readonly StoredEvent[]> {
    const rows = await this.#sql.rows(
      "SELECT * FROM event_log WHERE revision > ? ORDER BY revision LIMIT ?",
      [after, limit],
    );
    return rows.map(eventOf);
  }

  async revision(): Promise<Revision> {
    return int(only(await this.#sql.rows("SELECT revision FROM event_head"))["revision"]);
  }

  async view(name: string): Promise<ReadonlyMap<string, ViewRow>> {
    const text = "SELECT id, revision, body FROM projection WHERE view_name = ? ORDER BY id";
    const rows = (await this.#sql.rows(text, [name])).map(viewRowOf);
    return new Map(rows.map((row) => [row.id, row]));
  }

  async viewRow(name: string, id: string): Promise<ViewRow | undefined> {
    const text = "SELECT id, revision, body FROM projection WHERE view_name = ? AND id = ?";
    const [row] = await this.#sql.rows(text, [name, id]);
    return row === undefined ? undefined : viewRowOf(row);
  }

  async viewAfter(name: string, after: Revision, limit: number): Promise<readonly ViewRow[]> {
    const text = `SELECT id, revision, body FROM projection
      WHERE view_name = ? AND revision > ? ORDER BY revision LIMIT ?`;
    return (await this.#sql.rows(text, [name, after, limit])).map(viewRowOf);
  }

  async rebuild(): Promise<void> {
    await this.#sql.transaction(async (within) => {
      await within.rows("UPDATE event_head SET revision = revision"); // Nobody appends meanwhile.
      await within.rows("DELETE FROM projection");
      let after = 0;
      for (;;) {
        const page = await within.rows(
          "SELECT * FROM event_log WHERE revision > ? ORDER BY revision LIMIT ?",
          [after, REBUILD_PAGE],
        );
        for (const row of page) await project(within, eventOf(row));
        if (page.length < REBUILD_PAGE) return;
        after += page.length;
      }
    });
  }

  audit(entry: NewAudit): Promise<AuditRecord> {
    return this.#sql.transaction((within) => this.#link(within, entry));
  }

  async auditRecords(after: number, limit: number): Promise<readonly AuditRecord[]> {
    const text = "SELECT * FROM audit_log WHERE seq > ? ORDER BY seq LIMIT ?";
    return (await this.#sql.rows(text, [after, limit])).map(auditOf);
  }

  async auditHead(): Promise<AuditHead> {
    return headOf(await this.#sql.rows("SELECT seq, hash FROM audit_head"));
  }

  mergeRegisters(entries: readonly RegisterEntry[]): Promise<readonly RegisterEntry[]> {
    return this.#sql.transaction(async (within) => {
      const news: RegisterEntry[] = [];
      for (const entry of entries) if (await mergeOne(within, entry)) news.push(entry);
      return news;
    });
  }

  async registersAfter(cursor: number, limit: number): Promise<Changes> {
    const rows = await this.#sql.rows(
      "SELECT key, value, stamp, changed FROM register WHERE changed > ? ORDER BY changed LIMIT ?",
      [cursor, limit],
    );
    const last = rows.at(-1);
    return {
      entries: rows.map(registerOf),
      cursor: last === undefined ? cursor : int(last["changed"]),
    };
  }

  async pruneRegisters(before: string): Promise<number> {
    const text = "DELETE FROM register WHERE value IS NULL AND stamp < ? RETURNING key";
    return (await this.#sql.rows(text, [before])).length;
  }

  appendFacts(entries: readonly Entry[]): Promise<number> {
    return this.#sql.transaction((within) => insertFacts(within, entries, this.#options.node));
  }

  async onChange(wake: () => void): Promise<() => void> {
    this.#wakes.add(wake);
    const stop = await this.#sql.listen(CHANNEL, wake);
    return () => {
      this.#wakes.delete(wake);
      stop();
    };
  }

  async close(): Promise<void> {
    this.#wakes.clear();
    await this.#sql.close();
  }

  /** The head's row is locked by being written first: two nodes cannot link to one record. */
  async #link(within: SqlRunner, entry: NewAudit): Promise<AuditRecord> {
    const text = "UPDATE audit_head SET seq = seq + 1 RETURNING seq - 1 AS seq, hash";
    const record = link(entry, headOf(await within.rows(text)), this.#options.key);
    await within.rows("INSERT INTO audit_log VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [
      ...[record.seq, record.at, record.actor, record.action],
      ...[record.subject, record.detail, record.prev, record.hash],
    ]);
    await within.rows("UPDATE audit_head SET hash = ?", [record.hash]);
    return record;
  }
}

/** Whether the entry was news. */
async function mergeOne(within: SqlRunner, entry: RegisterEntry): Promise<boolean> {
  const head = await within.rows(
    "UPDATE register_head SET changed = changed + 1 RETURNING changed",
  );
  const [row] = await within.rows("SELECT key, value, stamp FROM register WHERE key = ?", [
    entry.key,
  ]);
  if (row !== undefined && !wins(entry, registerOf(row))) return false;
  await within.rows(
    `INSERT INTO register (key, value, stamp, changed) VALUES (?, ?, ?, ?)
      ON CONFLICT (key) DO UPDATE SET value = excluded.value, stamp = excluded.stamp,
      changed = excluded.changed`,
    [entry.key, entry.value ?? null, entry.stamp, int(only(head)["changed"])],
  );
  return true;
}

function registerOf(row: SqlRow): RegisterEntry {
  return { key: str(row["key"]), value: orNull(row["value"], str), stamp: str(row["stamp"]) };
}

function headOf(rows: readonly SqlRow[]): AuditHead {
  const row = only(rows);
  return { seq: int(row["seq"]), hash: str(row["hash"]) };
}

function auditOf(row: SqlRow): AuditRecord {
  return {
    seq: int(row["seq"]),
    at: int(row["at_ms"]),
    actor: str(row["actor"]),
    action: str(row["action"]),
    subject: str(row["subject"]),
    detail: str(row["detail"]),
    prev: str(row["prev"]),
    hash: str(row["hash"]),
  };
}
