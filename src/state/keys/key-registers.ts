import type { Database, SQLQueryBindings, Statement } from "bun:sqlite";
import type { Random } from "../../runtime/runtime.ts";
import { openKeyFile } from "./key-file.ts";
import { makeKeyId } from "./stored-key.ts";

// A stored key as registers, which nodes without a database exchange. What two nodes may change at
// once stands in a register of its own: the key itself, that it is revoked, and each of its texts.

/** What the registers of keys begin with. */
export const KEY_REGISTERS = "key/";
const NAME = /^key\/([\w-]{1,64})(?:\/(revoked|text\/([0-9a-f]{64})))?$/;

interface KeyRow {
  readonly id: string;
  readonly name: string;
  readonly tenant: string | null;
  readonly created: number;
  readonly expires: number | null;
  readonly revoked: number | null;
  readonly limits: string;
}
interface TextRow {
  readonly key: string;
  readonly digest: string;
  readonly created: number;
  readonly expires: number | null;
}

/** The key that a register is about; undefined when it is about none. */
export function keyOfRegister(name: string): string | undefined {
  return NAME.exec(name)?.[1];
}

/** A register's value as this program writes it; undefined when it cannot be read. */
export function plainRegister(name: string, value: string): string | undefined {
  const [, id, part, digest] = NAME.exec(name) ?? [];
  if (id === undefined) return undefined;
  if (part === undefined) return write(keyOf(id, value), textOfKey);
  if (digest === undefined) return write(momentOf(value), String);
  return write(textOf(id, digest, value), textOfText);
}

/** Reads registers of one key, by name. */
export type RegisterReader = (name: string) => string | undefined;

/** The key file of a node, as whoever exchanges registers sees it. */
export class KeyRegisters implements Disposable {
  readonly #db: Database;
  #revision = -1;

  /** @throws KeyStoreError when the file cannot be opened or made. */
  constructor({ directory, random }: { readonly directory: string; readonly random: Random }) {
    this.#db = openKeyFile(directory, makeKeyId(random));
  }

  /** The registers of every key that was changed since this was last asked; all at first. */
  changed(): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    const head =
      this.#query<{ revision: number }>("SELECT revision FROM store").get()?.revision ?? 0;
    if (head === this.#revision) return found;
    // An earlier state of the file was put in its place: all of it is looked at.
    const after = head < this.#revision ? -1 : this.#revision;
    const keys = this.#query<KeyRow>("SELECT * FROM keys WHERE revision > ?").all(after);
    for (const row of keys) {
      found.set(`key/${row.id}`, textOfKey(row));
      if (row.revoked !== null) found.set(`key/${row.id}/revoked`, String(row.revoked));
    }
    const texts = this.#query<TextRow>(
      `SELECT secrets.* FROM secrets JOIN keys ON keys.id = secrets.key WHERE revision > ?`,
    ).all(after);
    for (const row of texts) found.set(`key/${row.key}/text/${row.digest}`, textOfText(row));
    this.#revision = head;
    return found;
  }

  /**
   * Puts these registers into the file, with what `read` knows of their keys besides. A key that is
   * revoked here stays so, whatever others say.
   */
  put(names: Iterable<string>, read: RegisterReader): void {
    const byKey = Map.groupBy(names, (name) => keyOfRegister(name) ?? "");
    byKey.delete("");
    if (byKey.size === 0) return;
    this.#db
      .transaction(() => {
        const next = "UPDATE store SET revision = revision + 1 RETURNING revision";
        const revision = this.#query<{ revision: number }>(next).get()?.revision ?? 0;
        for (const [id, all] of byKey) this.#putKey({ id, names: all, read, revision });
      })
      .immediate();
  }

  close(): void {
    this.#db.close();
  }
  [Symbol.dispose](): void {
    this.close();
  }

  #putKey({ id, names, read, revision }: Putting): void {
    const key = keyOf(id, read(`key/${id}`) ?? "");
    if (key === undefined) return; // Its own register is on its way: then it is put whole.
    const revoked = momentOf(read(`key/${id}/revoked`) ?? "") ?? null;
    this.#query(
      `INSERT INTO keys VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (id) DO UPDATE SET
        name = ?2, tenant = ?3, created = ?4, expires = ?5, revoked = coalesce(revoked, ?6),
        limits = ?7, revision = ?8`,
    ).run(...[id, key.name, key.tenant, key.created, key.expires, revoked, key.limits, revision]);
    for (const name of names) {
      const digest = NAME.exec(name)?.[3];
      const text = digest && textOf(id, digest, read(name) ?? "");
      if (text) this.#putText(text);
    }
  }

  /** A text of another key is not given away, whatever somebody says. */
  #putText({ key, digest, created, expires }: TextRow): void {
    this.#query(
      `INSERT INTO secrets VALUES (?1, ?2, ?3, ?4) ON CONFLICT (digest) DO UPDATE SET
        created = ?3, expires = ?4 WHERE key = ?2`,
    ).run(digest, key, created, expires);
  }

  #query<Result = unknown>(sql: string): Statement<Result, SQLQueryBindings[]> {
    return this.#db.query<Result, SQLQueryBindings[]>(sql);
  }
}

interface Putting {
  readonly id: string;
  readonly names: readonly string[];
  readonly read: RegisterReader;
  readonly revision: number;
}

function textOfKey({ name, tenant, created, expires, limits }: KeyRow): string {
  return JSON.stringify([name, tenant, created, expires, limits]);
}
function textOfText({ created, expires }: TextRow): string {
  return JSON.stringify([created, expires]);
}

function keyOf(id: string, text: string): KeyRow | undefined {
  const [name, tenant, created, expires, limits] = listOf(text) ?? [];
  if (typeof name !== "string" || typeof limits !== "string" || !isMoment(created))
    return undefined;
  if (tenant !== null && typeof tenant !== "string") return undefined;
  if (expires !== null && !isMoment(expires)) return undefined;
  return { id, name, tenant, created, expires, revoked: null, limits };
}

function textOf(key: string, digest: string, text: string): TextRow | undefined {
  const [created, expires] = listOf(text) ?? [];
  if (!isMoment(created) || (expires !== null && !isMoment(expires))) return undefined;
  return { key, digest, created, expires };
}

function momentOf(text: string): number | undefined {
  const value = Number(text);
  return text !== "" && isMoment(value) ? value : undefined;
}

function isMoment(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function listOf(text: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined; // Another node's words: what is no JSON says nothing.
  }
}

function write<T>(value: T | undefined, text: (value: T) => string): string | undefined {
  return value === undefined ? undefined : text(value);
}
