import type { Database, SQLQueryBindings, Statement } from "bun:sqlite";
import type { Ms } from "../../core/units.ts";
import type { Random } from "../../runtime/runtime.ts";
import { openKeyFile } from "./key-file.ts";
import { type KeyLimits, parseLimits } from "./key-limits.ts";
import { keyDigest, makeKeyId, makeKeyText, type StoredKey } from "./stored-key.ts";

/** What a new key is to be. */
export interface NewKey {
  readonly name: string;
  readonly tenant?: string | undefined;
  readonly expires?: Ms | undefined;
  readonly limits?: KeyLimits | undefined;
}

/** A key together with its text, which nothing will ever show again. */
export interface ShownKey {
  readonly key: StoredKey;
  readonly text: string;
}

/** One line of `interlock key list`. */
export interface ListedKey extends Omit<StoredKey, "limits"> {
  /** A sentence where they cannot be read: such a key opens nothing. */
  readonly limits: KeyLimits | string;
  /** How many texts of it are valid now: two while an old one overlaps its successor. */
  readonly secrets: number;
}

/** Why a key was not changed. */
export type KeyRefusal =
  | { readonly refused: "unknown" }
  | { readonly refused: "ambiguous"; readonly ids: readonly string[] }
  | { readonly refused: "revoked" | "expired"; readonly id: string }
  | { readonly refused: "unreadable"; readonly id: string; readonly why: string };

interface Row {
  readonly id: string;
  readonly name: string;
  readonly tenant: string | null;
  readonly created: number;
  readonly expires: number | null;
  readonly revoked: number | null;
  readonly limits: string;
}

/** A column of the row of a key. */
const COLUMNS = "id, name, tenant, created, expires, revoked, limits";
/** Texts of a key that still open it. */
const LIVE = "key = ?1 AND (expires IS NULL OR expires > ?2)";

export interface KeyStoreOptions {
  readonly directory: string;
  readonly random: Random;
}

/**
 * The stored keys, for whoever changes them: the command line and the admin API. Every change is
 * one transaction under a new revision, by which the followers in the workers find it.
 */
export class KeyStore implements Disposable {
  readonly #db: Database;
  readonly #random: Random;

  /** @throws KeyStoreError when the store cannot be opened or made. */
  constructor({ directory, random }: KeyStoreOptions) {
    this.#random = random;
    this.#db = openKeyFile(directory, makeKeyId(random));
  }

  create(
    { name, tenant, expires, limits = {} }: NewKey,
    now: Ms,
    id = makeKeyId(this.#random),
  ): ShownKey {
    const text = makeKeyText(id, this.#random);
    const created = Math.floor(now);
    const key: StoredKey = { id, name, tenant, created, expires, revoked: undefined, limits };
    this.#change((revision) => {
      this.#query(`INSERT INTO keys (${COLUMNS}, revision) VALUES (?, ?, ?, ?, ?, NULL, ?, ?)`).run(
        ...[id, name, tenant ?? null, created, expires ?? null, JSON.stringify(limits), revision],
      );
      this.#addSecret(id, text, created);
    });
    return { key, text };
  }

  /** Every key, the oldest first. Nothing here gives a text or a digest away. */
  list(now: Ms): readonly ListedKey[] {
    const live = `SELECT count(*) FROM secrets WHERE key = keys.id
      AND (expires IS NULL OR expires > ?1)`;
    return this.#query<Row & { readonly secrets: number }>(
      `SELECT ${COLUMNS}, (${live}) AS secrets FROM keys ORDER BY created, id`,
    )
      .all(now)
      .map((row) => ({ ...listed(row), secrets: row.secrets }));
  }

  /** Which key `revoke` would end, or why it would not. */
  canRevoke(named: string): { readonly id: string } | KeyRefusal {
    const found = this.#find(named);
    if ("refused" in found) return found;
    return found.revoked === null ? found : { refused: "revoked", id: found.id };
  }

  /** Ends a key and all its texts, for good. Named by its id, or by its name if one has it. */
  revoke(named: string, now: Ms): { readonly id: string } | KeyRefusal {
    const found = this.canRevoke(named);
    if ("refused" in found) return found;
    const at = Math.floor(now);
    this.#change((revision) => {
      this.#query("UPDATE keys SET revoked = ?, revision = ? WHERE id = ? AND revoked IS NULL").run(
        ...[at, revision, found.id],
      );
    });
    return { id: found.id };
  }

  /** Which key `rotate` would give a new text, or why it would not. */
  canRotate(named: string, now: Ms): StoredKey | KeyRefusal {
    const found = this.#find(named);
    if ("refused" in found) return found;
    const { id } = found;
    if (found.revoked !== null) return { refused: "revoked", id };
    if (found.expires !== null && found.expires <= Math.floor(now)) {
      return { refused: "expired", id };
    }
    const { limits, ...rest } = listed(found);
    if (typeof limits === "string") return { refused: "unreadable", id, why: limits };
    return { ...rest, limits };
  }

  /**
   * Gives a key a new text; the present ones end after `overlap`. Its id stays, and with it what is
   * counted by it: a rotation does not refill a budget.
   */
  rotate(
    named: string,
    { now, overlap }: { readonly now: Ms; readonly overlap: Ms },
  ): (ShownKey & { readonly overlapEnds: Ms }) | KeyRefusal {
    const key = this.canRotate(named, now);
    if ("refused" in key) return key;
    const { id } = key;
    const at = Math.floor(now);
    const text = makeKeyText(id, this.#random);
    const overlapEnds = at + Math.floor(overlap);
    this.#change((revision) => {
      this.#query(`UPDATE secrets SET expires = min(coalesce(expires, ?3), ?3) WHERE ${LIVE}`).run(
        ...[id, at, overlapEnds],
      );
      this.#addSecret(id, text, at);
      this.#query("UPDATE keys SET revision = ? WHERE id = ?").run(revision, id);
    });
    return { key, text, overlapEnds };
  }

  close(): void {
    this.#db.close();
  }
  [Symbol.dispose](): void {
    this.close();
  }

  #find(named: string): Row | KeyRefusal {
    const byId = this.#query<Row>(`SELECT ${COLUMNS} FROM keys WHERE id = ?`).get(named);
    if (byId !== null) return byId;
    const byName = this.#query<Row>(
      `SELECT ${COLUMNS} FROM keys WHERE name = ? ORDER BY revoked IS NOT NULL, created, id`,
    ).all(named);
    const [first] = byName;
    if (first === undefined) return { refused: "unknown" };
    const live = byName.filter(({ revoked }) => revoked === null);
    return live.length > 1 ? { refused: "ambiguous", ids: live.map(({ id }) => id) } : first;
  }

  #addSecret(id: string, text: string, created: Ms): void {
    this.#query("INSERT INTO secrets (digest, key, created, expires) VALUES (?, ?, ?, NULL)").run(
      ...[keyDigest(text), id, created],
    );
  }

  /** `immediate` takes the write lock first: a change never starts on what it would then lose. */
  #change(act: (revision: number) => void): void {
    const next = "UPDATE store SET revision = revision + 1 RETURNING revision";
    this.#db
      .transaction(() => {
        const row = this.#query<{ readonly revision: number }>(next).get();
        if (row === null) throw new Error("the key store has lost its revision row");
        act(row.revision);
      })
      .immediate();
  }

  /** Prepared once per text: the database keeps it. */
  #query<Result = unknown>(sql: string): Statement<Result, SQLQueryBindings[]> {
    return this.#db.query<Result, SQLQueryBindings[]>(sql);
  }
}

function listed(row: Row): Omit<ListedKey, "secrets"> {
  const { id, name, tenant, created, expires, revoked } = row;
  return {
    ...{ id, name, tenant: tenant ?? undefined, created },
    ...{ expires: expires ?? undefined, revoked: revoked ?? undefined },
    limits: parseLimits(row.limits),
  };
}
