import { type NewEvent, parseObject, type Revision, type StoredEvent } from "./event.ts";
import { int, only, places, type SqlRow, type SqlRunner, str } from "./sql.ts";
import type { Appended } from "./store.ts";
import { effectOf, type ViewRow } from "./views.ts";

/**
 * Appends within a transaction. The head's row is written first and so locked to the end: revisions
 * are given in the order in which they become visible, and a reader's cursor skips nothing.
 */
export async function appendEvents(
  within: SqlRunner,
  events: readonly NewEvent[],
  expected: Revision | undefined,
): Promise<Appended> {
  const lock = "UPDATE event_head SET revision = revision RETURNING revision";
  const before = int(only(await within.rows(lock))["revision"]);
  if (expected !== undefined && expected !== before) return { ok: false, revision: before };
  const known = await knownIds(within, events);
  let revision = before;
  for (const event of events) {
    if (known.has(event.id)) continue;
    known.add(event.id);
    revision++;
    await within.rows("INSERT INTO event_log VALUES (?, ?, ?, ?, ?, ?, ?)", [
      ...[revision, event.id, event.kind, event.subject],
      ...[JSON.stringify(event.body), event.at, event.node],
    ]);
    await project(within, { ...event, revision });
  }
  if (revision > before) await within.rows("UPDATE event_head SET revision = ?", [revision]);
  return { ok: true, revision, fresh: revision - before };
}

async function knownIds(within: SqlRunner, events: readonly NewEvent[]): Promise<Set<string>> {
  if (events.length === 0) return new Set();
  const ids = events.map(({ id }) => id);
  const text = `SELECT id FROM event_log WHERE id IN ${places(1, ids.length)}`;
  return new Set((await within.rows(text, ids)).map((row) => str(row["id"])));
}

/** Puts what an event changes into its view. */
export async function project(within: SqlRunner, event: StoredEvent): Promise<void> {
  const effect = effectOf(event);
  if (effect === undefined) return;
  const at = [effect.view, event.subject];
  const [row] = await within.rows(
    "SELECT id, revision, body FROM projection WHERE view_name = ? AND id = ?",
    at,
  );
  const body = effect.apply(row === undefined ? undefined : viewRowOf(row).body);
  if (body === undefined) {
    await within.rows("DELETE FROM projection WHERE view_name = ? AND id = ?", at);
    return;
  }
  await within.rows(
    `INSERT INTO projection (view_name, id, revision, body) VALUES (?, ?, ?, ?)
      ON CONFLICT (view_name, id) DO UPDATE SET revision = excluded.revision,
      body = excluded.body`,
    [...at, event.revision, JSON.stringify(body)],
  );
}

export function viewRowOf(row: SqlRow): ViewRow {
  return {
    id: str(row["id"]),
    revision: int(row["revision"]),
    body: parseObject(str(row["body"])),
  };
}

export function eventOf(row: SqlRow): StoredEvent {
  return {
    revision: int(row["revision"]),
    id: str(row["id"]),
    kind: str(row["kind"]),
    subject: str(row["subject"]),
    body: parseObject(str(row["body"])),
    at: int(row["at_ms"]),
    node: str(row["node"]),
  };
}
