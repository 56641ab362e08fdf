import type { Database } from "bun:sqlite";
import type { Random } from "../../runtime/runtime.ts";
import type { JsonObject, NewEvent } from "../store/event.ts";
import type { Store } from "../store/store.ts";
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
