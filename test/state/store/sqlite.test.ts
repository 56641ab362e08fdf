import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { openDatabase, openSqlite } from "../../../src/state/store/sqlite.ts";
import { StoreError } from "../../../src/state/store/sql.ts";
import { temporaryFolder } from "./engines.ts";

async function failure(asked: Promise<unknown>): Promise<StoreError["kind"] | "none"> {
  try {
    await asked;
    return "none";
  } catch (error) {
    if (error instanceof StoreError) return error.kind;
    throw error;
  }
}

test("a transaction that fails leaves nothing, and the next one works", async () => {
  const sql = openSqlite({ path: ":memory:", deadlineMs: 100 });
  await sql.script("CREATE TABLE t (n INTEGER) STRICT");
  const broken = sql.transaction(async (within) => {
    await within.rows("INSERT INTO t VALUES (?)", [1]);
    throw new Error("no");
  });
  expect(broken).rejects.toThrow("no");
  await sql.transaction((within) => within.rows("INSERT INTO t VALUES (?)", [2]));
  expect(await sql.rows("SELECT n FROM t")).toEqual([{ n: 2n }]);
  await sql.close();
});

test("transactions asked for at once do not mix", async () => {
  const sql = openSqlite({ path: ":memory:", deadlineMs: 100 });
  await sql.script("CREATE TABLE t (n INTEGER) STRICT; INSERT INTO t VALUES (0)");
  const add = () =>
    sql.transaction(async (within) => {
      const [row] = await within.rows("SELECT n FROM t");
      await Promise.resolve();
      await within.rows("UPDATE t SET n = ?", [BigInt(row?.["n"] ?? 0) + 1n]);
    });
  await Promise.all(Array.from({ length: 50 }, add));
  expect(await sql.rows("SELECT n FROM t")).toEqual([{ n: 50n }]);
  await sql.close();
});

test("integers beyond a number's reach come back as they went", async () => {
  const sql = openSqlite({ path: ":memory:", deadlineMs: 100 });
  await sql.script("CREATE TABLE t (n INTEGER) STRICT");
  await sql.rows("INSERT INTO t VALUES (?)", [2n ** 62n + 1n]);
  expect(await sql.rows("SELECT n FROM t")).toEqual([{ n: 2n ** 62n + 1n }]);
  await sql.close();
});

test("a lock that another keeps is waited for to the deadline, and told as one", async () => {
  const folder = temporaryFolder();
  const path = join(folder.path, "a.db");
  const holder = openDatabase({ path, deadlineMs: 100 });
  holder.run("CREATE TABLE t (n INTEGER)");
  holder.run("BEGIN IMMEDIATE");
  const sql = openSqlite({ path, deadlineMs: 100 });
  const before = performance.now();
  expect(await failure(sql.transaction((within) => within.rows("DELETE FROM t")))).toBe("deadline");
  expect(performance.now() - before).toBeGreaterThanOrEqual(90);
  holder.run("ROLLBACK");
  expect(await failure(sql.rows("DELETE FROM t"))).toBe("none");
  await sql.close();
  holder.close();
  folder.remove();
});

test("a file with no more room is full, and what was in it stays", async () => {
  const folder = temporaryFolder();
  const sql = openSqlite({ path: join(folder.path, "a.db"), deadlineMs: 100 });
  await sql.script("CREATE TABLE t (x TEXT); PRAGMA max_page_count = 20");
  const insert = () => sql.rows("INSERT INTO t VALUES (?)", ["x".repeat(4000)]);
  let stored = 0;
  let kind: Awaited<ReturnType<typeof failure>> = "none";
  for (; kind === "none"; stored++) kind = await failure(insert());
  expect(kind).toBe("full");
  expect(await sql.rows("SELECT x FROM t")).toHaveLength(stored - 1);
  await sql.close();
  folder.remove();
});

test("what is no database is told as unusable; a folder is made for its owner alone", async () => {
  const folder = temporaryFolder();
  await Bun.write(join(folder.path, "a.db"), "not a database, and long enough to be read as one");
  expect(() => openSqlite({ path: join(folder.path, "a.db"), deadlineMs: 100 })).toThrow();
  const sql = openSqlite({ path: join(folder.path, "deep/er/a.db"), deadlineMs: 100 });
  expect(statSync(join(folder.path, "deep/er")).mode & 0o777).toBe(0o700);
  await sql.close();
  folder.remove();
});
