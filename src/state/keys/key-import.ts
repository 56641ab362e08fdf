import type { Database } from "bun:sqlite";
import type { Ms } from "../../core/units.ts";
import type { Random } from "../../runtime/runtime.ts";
import type { JsonObject, NewEvent } from "../store/event.ts";
import type { Store } from "../store/store.ts";
import type { ViewRow } from "../store/views.ts";
import { DENIAL_VIEW } from "./deny-events.ts";
import { KEY_VIEW, keyBody, type KeySecret } from "./key-event.ts";
import { hasKeyFile, openKeyFile } from "./key-file.ts";
import type { KeyReplica } from "./key-replica.ts";
import { makeKeyId } from "./stored-key.ts";

export interface ImportOptions {
  /** Where the node's own key file is. */
  readonly directory: string;
  readonly random: Random;
  readonly node: string;
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly tenant: string | null;
  readonly created: number;
  readonly expires: number | null;
  readonly revoked: number | null;
  readonly limits: string;
}

const PAGE = 200;

/**
 * Brings the keys that this node had for itself into the shared log, once each: their events are
 * named by the keys, so what was revoked in the log since does not come back.
 */
export async function importKeys(
  store: Pick<Store, "append">,
  replica: KeyReplica,
  options: ImportOptions,
): Promise<void> {
  const { directory, random } = options;
  if (!hasKeyFile(directory)) return;
  const db = openKeyFile(directory, makeKeyId(random));
  try {
    const state = stateOf(db);
    if (replica.cursor.imported === state) return;
    for (let after = ""; ;) {
      const rows = db
        .query<Row, [string, number]>("SELECT * FROM keys WHERE id > ? ORDER BY id LIMIT ?")
        .all(after, PAGE);
      const last = rows.at(-1);
      if (last === undefined) break;
      await store.append(rows.flatMap((row) => eventsOf(db, row, options.node)));
      after = last.id;
    }
    replica.imported(state);
  } finally {
    db.close();
  }
}

/**
 * Lets a copy that has nothing yet begin with the keys of the node itself, which then open it also
 * while the database is away. Whether the copy was empty.
 */
export function seedReplica(
  replica: KeyReplica,
  { directory, random }: Pick<ImportOptions, "directory" | "random">,
): boolean {
  if (replica.cursor.revision > 0 || replica.size > 0) return false;
  if (!hasKeyFile(directory)) return true;
  const db = openKeyFile(directory, makeKeyId(random));
  try {
    const rows = db.query<Row, []>("SELECT * FROM keys").all();
    replica.beginAligning();
    replica.align(
      rows.map((row) => ({ id: row.id, revision: 0, body: bodyOf(db, row, row.revoked) })),
    );
  } finally {
    db.close();
  }
  return true;
}

/**
 * Brings back what a log has lost that was put back from an old copy or made anew: keys that it
 * gave this node and does not have, ends that it told of and does not know, and denials. How many
 * it were.
 */
export async function restoreKeys(
  store: Pick<Store, "append" | "view">,
  replica: KeyReplica,
  { node, at }: { readonly node: string; readonly at: Ms },
): Promise<number> {
  if (replica.cursor.revision === 0) return 0;
  const known = await store.view(KEY_VIEW);
  let count = await restoreDenials(store, replica, { node, at });
  for (let after = ""; ;) {
    const rows = replica.rows(after, PAGE);
    const last = rows.at(-1);
    if (last === undefined) return count;
    after = last.id;
    const events = rows.flatMap((row) => lostEvents(row, { known: known.get(row.id), node, at }));
    if (events.length === 0) continue;
    count += new Set(events.map(({ subject }) => subject)).size;
    const detail = JSON.stringify({ ids: [...new Set(events.map(({ subject }) => subject))] });
    await store.append(events, {
      audit: { at, actor: `node:${node}`, action: "key.restore", subject: "keys", detail },
    });
  }
}

/** An end of a denial that the log has lost as well is to be said again. */
async function restoreDenials(
  store: Pick<Store, "append" | "view">,
  replica: KeyReplica,
  { node, at }: { readonly node: string; readonly at: Ms },
): Promise<number> {
  const known = await store.view(DENIAL_VIEW);
  const lost = replica.denials().filter(({ id }) => !known.has(id));
  const events = lost.map(({ id: subject, revision, body }): NewEvent => {
    const id = `restore-denial-${subject}-${revision}`;
    return { id, kind: `${DENIAL_VIEW}.set`, subject, body, at, node };
  });
  if (events.length === 0) return 0;
  const detail = JSON.stringify({ tenants: lost.map(({ id }) => id) });
  await store.append(events, {
    audit: { at, actor: `node:${node}`, action: "deny.restore", subject: "denials", detail },
  });
  return events.length;
}

interface Losing {
  /** What the log has of it. */
  readonly known: ViewRow | undefined;
  readonly node: string;
  readonly at: Ms;
}

/** Events named by their keys: of several nodes that bring one back the first does. */
function lostEvents({ id, body }: ViewRow, { known, node, at }: Losing): readonly NewEvent[] {
  const { revoked = null } = body;
  const event = (word: string): Omit<NewEvent, "body"> => {
    return { id: `restore-${word}-${id}`, kind: `${KEY_VIEW}.${word}`, subject: id, at, node };
  };
  const made = { ...event("created"), body: { ...body, revoked: null } };
  const ended = { ...event("revoked"), body: { revoked } };
  const isLive = known === undefined || (known.body["revoked"] ?? null) === null;
  return [...(known === undefined ? [made] : []), ...(revoked !== null && isLive ? [ended] : [])];
}

function stateOf(db: Database): string {
  const row = db.query<{ id: string; revision: number }, []>("SELECT * FROM store").get();
  return `${row?.id}:${row?.revision}`;
}

function eventsOf(db: Database, row: Row, node: string): readonly NewEvent[] {
  const { id, created, revoked } = row;
  const event = (word: string, at: number): Omit<NewEvent, "body"> => {
    return { id: `import-${word}-${id}`, kind: `${KEY_VIEW}.${word}`, subject: id, at, node };
  };
  const made = { ...event("created", created), body: bodyOf(db, row, null) };
  return revoked === null ? [made] : [made, { ...event("revoked", revoked), body: { revoked } }];
}

function bodyOf(db: Database, row: Row, revoked: number | null): JsonObject {
  const { id, name, created, limits: limitsText } = row;
  const secrets = db
    .query<{ digest: string; created: number; expires: number | null }, [string]>(
      "SELECT digest, created, expires FROM secrets WHERE key = ?",
    )
    .all(id)
    .map((secret): KeySecret => ({ ...secret, expires: secret.expires ?? undefined }));
  return keyBody({
    ...{ name, tenant: row.tenant ?? undefined, created, limitsText, secrets },
    ...{ expires: row.expires ?? undefined, revoked: revoked ?? undefined },
  });
}
