import type { Database, Statement } from "bun:sqlite";
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Ms } from "../../core/units.ts";
import type { Clock, Random, Timer } from "../../runtime/runtime.ts";
import { KEY_FILE, openKeyFile } from "./key-file.ts";
import { type KeyLimits, parseLimits } from "./key-limits.ts";
import { makeKeyId, type StoredKey, type StoredSecret } from "./stored-key.ts";

/** How often the store is asked whether it changed: so long a revoked key may live on. */
export const KEY_POLL_MS: Ms = 200;
/** Distinct limits that are shared between the keys that have them. */
const SHARED_LIMITS_MAX = 1_024;

export interface KeyFollowerOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly pollMs?: Ms | undefined;
  /** Told once of a store that cannot be read, and of each key that cannot; the rest goes on. */
  readonly onProblem: (problem: string) => void;
}

interface KeyRow {
  readonly id: string;
  readonly name: string;
  readonly tenant: string | null;
  readonly created: number;
  readonly expires: number | null;
  readonly revoked: number | null;
  readonly limits: string;
}
interface SecretRow {
  readonly key: string;
  readonly digest: string;
  readonly ends: number | null;
}

interface Connection {
  readonly db: Database;
  readonly file: string;
  readonly version: Statement<{ readonly data_version: number }, []>;
  readonly head: Statement<{ readonly id: string; readonly revision: number }, []>;
  readonly keys: Statement<KeyRow, []>;
  readonly secrets: Statement<SecretRow, []>;
  readonly changedKeys: Statement<KeyRow, [number]>;
  readonly changedSecrets: Statement<SecretRow, [number]>;
}

const KEY_COLUMNS = "id, name, tenant, created, expires, revoked, limits";
const SECRET_COLUMNS = "secrets.key, digest, secrets.expires AS ends";

/**
 * The stored keys as a request sees them: a map in memory, by digest. The store itself is asked by
 * the clock alone, first whether anything was committed, then for what has a later revision.
 */
export class KeyFollower implements Disposable {
  readonly #options: KeyFollowerOptions;
  #byDigest = new Map<string, StoredSecret>();
  #limits = new Map<string, KeyLimits | string>();
  #connection: Connection | undefined;
  #storeId = "";
  #revision = 0;
  #dataVersion = -1;
  #seenAt: Ms;
  #broken: string | undefined;
  #timer: Timer | undefined;

  constructor(options: KeyFollowerOptions) {
    this.#options = options;
    this.#seenAt = options.clock.now();
  }

  /** Reads all keys and keeps following. Where the store cannot be opened it tries on. */
  start(): void {
    this.poll();
    const { clock, pollMs = KEY_POLL_MS } = this.#options;
    this.#timer = clock.after(pollMs, () => this.start());
  }

  /** The text of this digest; whether it is still valid is for whoever asks to judge. */
  find(digest: string): StoredSecret | undefined {
    return this.#byDigest.get(digest);
  }

  /** How many texts are known. */
  get size(): number {
    return this.#byDigest.size;
  }

  /** How long ago these were surely all of the store's keys. */
  get stalenessMs(): Ms {
    return this.#options.clock.now() - this.#seenAt;
  }

  /** Looks once, now. Whether anything changed. */
  poll(): boolean {
    try {
      const changed = this.#look();
      this.#seenAt = this.#options.clock.now();
      this.#broken = undefined;
      return changed;
    } catch (error) {
      this.#disconnect();
      const broken = error instanceof Error ? error.message : "unknown reason";
      if (broken !== this.#broken) this.#options.onProblem(broken);
      this.#broken = broken;
      return false;
    }
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#disconnect();
  }
  [Symbol.dispose](): void {
    this.stop();
  }

  #look(): boolean {
    const file = this.#identity();
    if (this.#connection !== undefined && this.#connection.file !== file) this.#disconnect();
    this.#connection ??= this.#connect();
    const connection = this.#connection;
    const { version, db } = connection;
    const dataVersion = version.get()?.data_version ?? -1;
    if (dataVersion === this.#dataVersion) return false;
    const changed = db.transaction(() => this.#read(connection))();
    this.#dataVersion = dataVersion;
    return changed;
  }

  /** Inside one transaction: head and rows are of the same moment. */
  #read({ head, ...rows }: Connection): boolean {
    const { id = "", revision = 0 } = head.get() ?? {};
    // Another store, or an earlier state of this one, was put in its place.
    const afresh = id !== this.#storeId || revision < this.#revision;
    if (!afresh && revision === this.#revision) return false;
    if (afresh) {
      this.#byDigest = new Map();
      // Each table from its start to its end: a join over a million keys takes ten times as long.
      this.#addAll(rows.keys.iterate(), rows.secrets.iterate());
    } else {
      const since = this.#revision;
      this.#addAll(rows.changedKeys.iterate(since), rows.changedSecrets.iterate(since));
    }
    this.#storeId = id;
    this.#revision = revision;
    return true;
  }

  #addAll(keyRows: Iterable<KeyRow>, secretRows: Iterable<SecretRow>): void {
    const keys = new Map<string, StoredKey>();
    for (const row of keyRows) {
      const limits = this.#limitsOf(row.limits);
      if (typeof limits !== "string") keys.set(row.id, keyOf(row, limits));
      else this.#options.onProblem(`the key ${row.id} is refused: ${limits}`);
    }
    for (const { key: id, digest, ends } of secretRows) {
      const key = keys.get(id);
      // Limits nobody understands must not become none: the key opens nothing.
      if (key === undefined) this.#byDigest.delete(digest);
      else this.#byDigest.set(digest, { key, expires: ends ?? undefined });
    }
  }

  /** Most keys of a large store have limits in common: those are read and kept once. */
  #limitsOf(text: string): KeyLimits | string {
    const known = this.#limits.get(text);
    if (known !== undefined) return known;
    if (this.#limits.size >= SHARED_LIMITS_MAX) this.#limits.clear();
    const limits = parseLimits(text);
    this.#limits.set(text, limits);
    return limits;
  }

  #connect(): Connection {
    const { directory, random } = this.#options;
    const db = openKeyFile(directory, makeKeyId(random));
    this.#dataVersion = -1;
    return {
      db,
      file: this.#identity(),
      version: db.query("PRAGMA data_version"),
      head: db.query("SELECT id, revision FROM store"),
      keys: db.query(`SELECT ${KEY_COLUMNS} FROM keys`),
      secrets: db.query(`SELECT ${SECRET_COLUMNS} FROM secrets`),
      changedKeys: db.query(`SELECT ${KEY_COLUMNS} FROM keys WHERE revision > ?`),
      changedSecrets: db.query(
        `SELECT ${SECRET_COLUMNS} FROM keys JOIN secrets ON secrets.key = keys.id
          WHERE revision > ?`,
      ),
    };
  }

  /** Which file stands in the store's place: a restored copy is another one. */
  #identity(): string {
    const path = join(this.#options.directory, KEY_FILE);
    const { dev, ino } = statSync(path, { throwIfNoEntry: false }) ?? { dev: 0, ino: 0 };
    return `${dev}:${ino}`;
  }

  #disconnect(): void {
    const { db } = this.#connection ?? {};
    this.#connection = undefined;
    db?.close();
  }
}

function keyOf(row: KeyRow, limits: KeyLimits): StoredKey {
  const { id, name, tenant, created, expires, revoked } = row;
  return {
    ...{ id, name, tenant: tenant ?? undefined, created },
    ...{ expires: expires ?? undefined, revoked: revoked ?? undefined, limits },
  };
}
