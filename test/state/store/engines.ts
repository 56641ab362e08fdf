import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SQL } from "bun";
import { systemClock } from "../../../src/runtime/clock.ts";
import { EMBEDDED } from "../../../src/state/migrations/embedded.ts";
import { run } from "../../../src/state/migrations/migrate.ts";
import { memoryStore } from "../../../src/state/store/memory-store.ts";
import { openPostgres } from "../../../src/state/store/postgres.ts";
import { openSqlite } from "../../../src/state/store/sqlite.ts";
import type { Sql } from "../../../src/state/store/sql.ts";
import { sqlStore } from "../../../src/state/store/sql-store.ts";
import type { Store } from "../../../src/state/store/store.ts";

/** Set by whoever has a server to spare; a database of its own is made in it and dropped. */
export const POSTGRES_URL = Bun.env["INTERLOCK_POSTGRES_URL"];

export interface Opened<T> {
  readonly it: T;
  close(): Promise<void>;
}

/** A database of one engine, empty. */
export interface EmptyDatabase {
  readonly name: "sqlite" | "postgres";
  /** Undefined when it can be used here. */
  readonly missing: string | undefined;
  open(): Promise<Opened<Sql>>;
}

export const DATABASES: readonly EmptyDatabase[] = [
  { name: "sqlite", missing: undefined, open: sqlite },
  {
    name: "postgres",
    missing: POSTGRES_URL === undefined ? "skipped: needs postgres" : undefined,
    open: postgres,
  },
];

/** Every implementation of Store, with its schema in place. */
export const STORES = [
  {
    name: "memory",
    missing: undefined,
    open: async (): Promise<Opened<Store>> => ({ it: memoryStore(), close: async () => {} }),
  },
  ...DATABASES.map((database) => ({
    name: database.name,
    missing: database.missing,
    open: async (): Promise<Opened<Store>> => {
      const { it: sql, close } = await database.open();
      await run(sql, EMBEDDED, { wall: 1 });
      return { it: sqlStore(sql, { node: "n1" }), close };
    },
  })),
] as const;

export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "interlock-state-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

async function sqlite(): Promise<Opened<Sql>> {
  const folder = temporaryFolder();
  const it = openSqlite({ path: join(folder.path, "state.db"), deadlineMs: 5000 });
  const close = async (): Promise<void> => {
    await it.close();
    folder.remove();
  };
  return { it, close };
}

async function postgres(): Promise<Opened<Sql>> {
  const server = new SQL(POSTGRES_URL ?? "", { max: 1 });
  const name = `interlock_test_${crypto.randomUUID().replaceAll("-", "")}`;
  await server.unsafe(`CREATE DATABASE ${name}`);
  const url = new URL(POSTGRES_URL ?? "");
  url.pathname = `/${name}`;
  const it = openPostgres({ url: url.href, clock: systemClock, deadlineMs: 5000 });
  const close = async (): Promise<void> => {
    await it.close();
    await server.unsafe(`DROP DATABASE ${name} WITH (FORCE)`);
    await server.close({ timeout: 0 });
  };
  return { it, close };
}
