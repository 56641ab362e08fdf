import type { Database, SQLQueryBindings, Statement } from "bun:sqlite";
import type { Random } from "../../runtime/runtime.ts";
import { type JsonObject, parseObject, type Revision, type StoredEvent } from "../store/event.ts";
import { effectOf, type ViewRow } from "../store/views.ts";
import { DENIAL_VIEW } from "./deny-events.ts";
import { KEY_VIEW, readKey } from "./key-event.ts";
import { openKeyFile } from "./key-file.ts";
import { makeKeyId } from "./stored-key.ts";

/** How far the copy has come in the log, and which event it met there. */
export interface ReplicaCursor {
  readonly revision: Revision;
  /** The same revision with another event is another log: a database put back or made anew. */
  readonly eventId: string;
  /** Which of the node's own keys were brought into the log: an opaque word. */
  readonly imported: string;
}

const TABLES = `
  CREATE TABLE IF NOT EXISTS origin (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    revision INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    imported TEXT NOT NULL
  ) STRICT;
  INSERT OR IGNORE INTO origin VALUES (1, 0, '', '');
  CREATE TABLE IF NOT EXISTS origin_key (
    id TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS origin_denial (
    id TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
`;
/** Only another process of this node writes here, at a restart: it is not waited for long. */
const BUSY_MS = 50;

/**
 * A node's own copy of the shared keys: a key file as one node alone has it, which the processes
 * that serve follow. They go on with it whatever becomes of the database, and start with it.
 */
export class KeyReplica implements Disposable {
  readonly #db: Database;

  /** @throws KeyStoreError when the copy cannot be opened or made. */
  constructor({ directory, random }: { readonly directory: string; readonly random: Random }) {
    this.#db = openKeyFile(directory, makeKeyId(random));
    this.#db.run(`PRAGMA busy_timeout = ${BUSY_MS}`);
    // What a power cut takes of a copy is copied again, and a request must not wait for the disk.
    this.#db.run("PRAGMA synchronous = NORMAL");
    this.#db.transaction(() => this.#db.run(TABLES)).immediate();
  }

  get cursor(): ReplicaCursor {
    const row = this.#query<{ revision: number; event_id: string; imported: string }>(
      "SELECT revision, event_id, imported FROM origin",
    ).get();
    if (row === null) throw new Error("the copy of the shared keys has lost its place");
    return { revision: row.revision, eventId: row.event_id, imported: row.imported };
  }

  get size(): number {
    const text = "SELECT count(*) AS count FROM origin_key";
    return this.#query<{ count: number }>(text).get()?.count ?? 0;
  }

  /** Keys as the log left them, by their ids. */
  rows(after: string, limit: number): readonly ViewRow[] {
    const text = "SELECT id, revision, body FROM origin_key WHERE id > ? ORDER BY id LIMIT ?";
    const rows = this.#query<{ id: string; revision: number; body: string }>(text);
    return rows.all(after, limit).map(({ body, ...row }) => ({ ...row, body: parseObject(body) }));
  }

  /** Tenants shut out by hand, as the log left them: for a log that loses them. */
  denials(): readonly ViewRow[] {
    const rows = this.#query<{ id: string; revision: number; body: string }>(
      "SELECT id, revision, body FROM origin_denial ORDER BY id",
    );
    return rows.all().map(({ body, ...row }) => ({ ...row, body: parseObject(body) }));
  }

  /** Takes all of them as they stand now. */
  alignDenials(rows: Iterable<ViewRow>): void {
    this.#db
      .transaction(() => {
        this.#db.run("DELETE FROM origin_denial");
        for (const { id, revision, body } of rows) this.#deny({ subject: id, revision }, body);
      })
      .immediate();
  }

  #deny(
    { subject, revision }: Pick<StoredEvent, "subject" | "revision">,
    body: JsonObject | undefined,
  ): void {
    if (body === undefined) {
      this.#query("DELETE FROM origin_denial WHERE id = ?").run(subject);
      return;
    }
    this.#query(
      `INSERT INTO origin_denial VALUES (?1, ?2, ?3)
        ON CONFLICT (id) DO UPDATE SET revision = ?2, body = ?3`,
    ).run(subject, revision, JSON.stringify(body));
  }

  imported(word: string): void {
    this.#query("UPDATE origin SET imported = ?").run(word);
  }

  /** Takes events in order; those it has already change nothing. Ids of keys it cannot read. */
  apply(events: readonly StoredEvent[]): readonly string[] {
    return this.#change((revision) => {
      const strange: string[] = [];
      for (const event of events) {
        const effect = effectOf(event);
        if (effect?.view === DENIAL_VIEW) this.#deny(event, effect.apply(undefined));
        if (effect?.view !== KEY_VIEW) continue;
        const before = this.#bodyOf(event.subject);
        if (before !== undefined && before.revision >= event.revision) continue;
        const body = effect.apply(before?.body);
        if (body === undefined) this.#end(event.subject, { revision, at: event.at });
        else if (!this.#put({ id: event.subject, revision: event.revision, body }, revision))
          strange.push(event.subject);
      }
      const last = events.at(-1);
      if (last !== undefined) this.#goOnAfter(last.revision, last.id);
      return strange;
    });
  }

  /** A comparison with all rows of the view begins. */
  beginAligning(): void {
    this.#db.run("CREATE TEMP TABLE IF NOT EXISTS met (id TEXT PRIMARY KEY) WITHOUT ROWID");
    this.#db.run("DELETE FROM met");
  }

  /** Takes rows of the view as they stand; ids of keys it cannot read. */
  align(rows: readonly ViewRow[]): readonly string[] {
    return this.#change((revision) => {
      const strange: string[] = [];
      for (const row of rows) {
        this.#query("INSERT OR IGNORE INTO met VALUES (?)").run(row.id);
        if (!this.#put(row, revision)) strange.push(row.id);
      }
      return strange;
    });
  }

  /**
   * All rows were taken: the copy is of this moment of the log. What else it has is of another past
   * and ends now; nothing that is in both was away for a moment.
   */
  aligned({ revision: at, eventId }: Pick<ReplicaCursor, "revision" | "eventId">): void {
    this.#change((revision) => {
      const text = "SELECT id, created FROM keys WHERE id NOT IN (SELECT id FROM met)";
      for (const { id, created } of this.#query<{ id: string; created: number }>(text).all()) {
        this.#end(id, { revision, at: created });
      }
      this.#goOnAfter(at, eventId);
    });
    this.#db.run("DELETE FROM met");
  }

  close(): void {
    this.#db.close();
  }
  [Symbol.dispose](): void {
    this.close();
  }

  #bodyOf(id: string): { readonly revision: Revision; readonly body: JsonObject } | undefined {
    const text = "SELECT revision, body FROM origin_key WHERE id = ?";
    const row = this.#query<{ revision: number; body: string }>(text).get(id);
    return row === null ? undefined : { revision: row.revision, body: parseObject(row.body) };
  }

  /** Whether it can be read; a key that cannot opens nothing. */
  #put({ id, revision: at, body }: ViewRow, revision: number): boolean {
    this.#query(
      `INSERT INTO origin_key VALUES (?1, ?2, ?3)
        ON CONFLICT (id) DO UPDATE SET revision = ?2, body = ?3`,
    ).run(id, at, JSON.stringify(body));
    const key = readKey(id, body);
    if (key === undefined) {
      this.#query("UPDATE keys SET revoked = 0, revision = ? WHERE id = ?").run(revision, id);
      return false;
    }
    this.#query(
      `INSERT INTO keys VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (id) DO UPDATE SET
        name = ?2, tenant = ?3, created = ?4, expires = ?5, revoked = ?6, limits = ?7,
        revision = ?8`,
    ).run(
      ...[id, key.name, key.tenant ?? null, key.created, key.expires ?? null],
      ...[key.revoked ?? null, key.limitsText, revision],
    );
    const digests = JSON.stringify(key.secrets.map(({ digest }) => digest));
    // A text that is gone ends at once also where it was read already: it is changed, not dropped.
    this.#query(
      `UPDATE secrets SET expires = 0
        WHERE key = ?1 AND digest NOT IN (SELECT value FROM json_each(?2))`,
    ).run(id, digests);
    for (const { digest, created, expires } of key.secrets) {
      this.#query(
        `INSERT INTO secrets VALUES (?1, ?2, ?3, ?4)
          ON CONFLICT (digest) DO UPDATE SET key = ?2, created = ?3, expires = ?4`,
      ).run(digest, id, created, expires ?? null);
    }
    return true;
  }

  /** A key that is no longer in the log stays as a revoked one: followers see changes only. */
  #end(id: string, { revision, at }: { readonly revision: number; readonly at: number }): void {
    this.#query("UPDATE keys SET revoked = coalesce(revoked, ?2), revision = ?3 WHERE id = ?1").run(
      id,
      Math.floor(at),
      revision,
    );
    this.#query("DELETE FROM origin_key WHERE id = ?").run(id);
  }

  #goOnAfter(revision: Revision, eventId: string): void {
    this.#query("UPDATE origin SET revision = ?, event_id = ?").run(revision, eventId);
  }

  /** The copy's own revisions only rise, so its followers never begin anew. */
  #change<T>(act: (revision: number) => T): T {
    return this.#db
      .transaction(() => {
        const next = "UPDATE store SET revision = revision + 1 RETURNING revision";
        const row = this.#query<{ readonly revision: number }>(next).get();
        if (row === null) throw new Error("the copy of the shared keys has lost its revision");
        return act(row.revision);
      })
      .immediate();
  }

  #query<Result = unknown>(sql: string): Statement<Result, SQLQueryBindings[]> {
    return this.#db.query<Result, SQLQueryBindings[]>(sql);
  }
}
