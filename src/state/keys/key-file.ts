import { Database } from "bun:sqlite";
import { closeSync, existsSync, linkSync, mkdirSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";

/** The store's file inside the state directory. */
export const KEY_FILE = "keys.sqlite";
/** What `PRAGMA user_version` says of the tables below. */
export const KEY_SCHEMA = 1;
/** How long a statement waits for another process's commit. */
const BUSY_MS = 5_000;

const TABLES = `
  CREATE TABLE store (
    id TEXT NOT NULL,
    revision INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    tenant TEXT,
    created INTEGER NOT NULL,
    expires INTEGER,
    revoked INTEGER,
    limits TEXT NOT NULL,
    revision INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX keys_by_revision ON keys (revision);
  CREATE TABLE secrets (
    digest TEXT PRIMARY KEY,
    key TEXT NOT NULL REFERENCES keys (id),
    created INTEGER NOT NULL,
    expires INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX secrets_by_key ON secrets (key);
  PRAGMA user_version = ${KEY_SCHEMA};
`;

/** The store cannot be opened, with a sentence for whoever runs the command. */
export class KeyStoreError extends Error {
  override readonly name = "KeyStoreError";
}

/** Whether a store is there. */
export function hasKeyFile(directory: string): boolean {
  return existsSync(join(directory, KEY_FILE));
}

/** Whether a store is there and a key was ever made in it. */
export function holdsKeys(directory: string): boolean {
  if (!hasKeyFile(directory)) return false;
  const db = openExisting(join(directory, KEY_FILE));
  try {
    return db.query("SELECT 1 FROM keys LIMIT 1").get() !== null;
  } finally {
    db.close();
  }
}

/**
 * Opens the store, making it where there is none.
 *
 * A new one is made whole beside its place and linked into it: of several processes that start
 * together one wins, and whoever is killed on the way leaves no half-made store behind.
 */
export function openKeyFile(directory: string, newId: string): Database {
  const path = join(directory, KEY_FILE);
  try {
    return openExisting(path);
  } catch (error) {
    if (!isMissing(error)) throw cannot(path, error);
  }
  try {
    makeFile(directory, path, newId);
    return openExisting(path);
  } catch (error) {
    throw cannot(path, error);
  }
}

function cannot(path: string, error: unknown): KeyStoreError {
  if (error instanceof KeyStoreError) return error;
  const why = error instanceof Error ? error.message : "unknown reason";
  return new KeyStoreError(`the key store ${path} cannot be opened: ${why}`);
}

function openExisting(path: string): Database {
  const db = new Database(path, { readwrite: true, create: false, strict: true });
  try {
    db.run(`PRAGMA busy_timeout = ${BUSY_MS}`);
    const version = db.query<{ user_version: number }, []>("PRAGMA user_version").get();
    if (version?.user_version !== KEY_SCHEMA) {
      const found = `it has schema ${version?.user_version}, this interlock reads ${KEY_SCHEMA}`;
      throw new KeyStoreError(`the key store ${path} cannot be opened: ${found}`);
    }
    // A key is shown once: what was told to be kept must outlast a power cut.
    db.run("PRAGMA synchronous = FULL");
    db.run("PRAGMA foreign_keys = ON");
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}

function makeFile(directory: string, path: string, id: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const making = `${path}.${id}.new`;
  try {
    closeSync(openSync(making, "wx", 0o600));
    const db = new Database(making, { readwrite: true, create: false, strict: true });
    try {
      db.run("PRAGMA journal_mode = WAL");
      db.transaction(() => {
        db.run(TABLES);
        db.run("INSERT INTO store (id, revision) VALUES (?, 0)", [id]);
      })();
    } finally {
      db.close(); // Writes the log back: the file alone is the whole store.
    }
    linkSync(making, path);
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error; // Another process was first, with a store as good.
  } finally {
    for (const end of ["", "-wal", "-shm"]) rmSync(`${making}${end}`, { force: true });
  }
}

function isMissing(error: unknown): boolean {
  return isCode(error, "SQLITE_CANTOPEN") || isCode(error, "ENOENT");
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
