import { describe, expect, test } from "bun:test";
import { systemClock } from "../../../src/runtime/clock.ts";
import { numbered, openPostgres } from "../../../src/state/store/postgres.ts";
import { StoreError } from "../../../src/state/store/sql.ts";
import { DATABASES } from "./engines.ts";

const DEADLINE_MS = 200;

/** The server as it looks when it is frozen: connections open, and nobody answers. */
function frozenServer() {
  return Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
}
async function failure(asked: Promise<unknown>): Promise<StoreError["kind"] | "none"> {
  try {
    await asked;
    return "none";
  } catch (error) {
    if (error instanceof StoreError) return error.kind;
    throw error;
  }
}

test("a frozen server is given up at the deadline, and then not asked for a while", async () => {
  const server = frozenServer();
  const url = `postgres://nobody@127.0.0.1:${server.port}/none`;
  const sql = openPostgres({ url, clock: systemClock, deadlineMs: DEADLINE_MS });
  const before = systemClock.now();
  expect(await failure(sql.rows("SELECT 1"))).toBe("deadline");
  const took = systemClock.now() - before;
  expect(took).toBeGreaterThanOrEqual(DEADLINE_MS - 5);
  expect(took).toBeLessThan(DEADLINE_MS * 3);
  const again = systemClock.now();
  expect(await failure(sql.transaction(async (within) => within.rows("SELECT 1")))).toBe(
    "unavailable",
  );
  expect(systemClock.now() - again).toBeLessThan(50);
  await sql.close();
  server.stop(true);
});

test("a server that is not there is told as such", async () => {
  const server = frozenServer();
  const { port } = server;
  server.stop(true);
  const url = `postgres://nobody@127.0.0.1:${port}/none`;
  const sql = openPostgres({ url, clock: systemClock, deadlineMs: 2000 });
  expect(await failure(sql.rows("SELECT 1"))).toBe("unavailable");
  await sql.close();
});

test("parameters are numbered in order", () => {
  expect(numbered("a = ? AND b IN (?, ?)")).toBe("a = $1 AND b IN ($2, $3)");
});

describe.each(DATABASES.filter(({ name }) => name === "postgres"))("$name", ({ missing, open }) => {
  if (missing !== undefined) {
    test.skip(missing, () => {});
    return;
  }

  test("a slow statement is given up, its transaction leaves nothing, and it goes on after", async () => {
    const { it: fine, close } = await open();
    const [row] = await fine.rows("SELECT current_database() AS name");
    const url = new URL(Bun.env["INTERLOCK_POSTGRES_URL"] ?? "");
    url.pathname = `/${row?.["name"]}`;
    const sql = openPostgres({ url: url.href, clock: systemClock, deadlineMs: DEADLINE_MS });
    await sql.script("CREATE TABLE t (n BIGINT); CREATE TABLE u (n BIGINT)");
    const slow = sql.transaction(async (within) => {
      await within.rows("INSERT INTO t VALUES (?)", [1]);
      await within.rows("SELECT pg_sleep(5)");
      await within.rows("INSERT INTO u VALUES (?)", [1]);
    });
    expect(await failure(slow)).toBe("deadline");
    await new Promise((resolve) => systemClock.after(1100, () => resolve(undefined)));
    expect(await sql.rows("SELECT 1 AS one")).toHaveLength(1);
    await sql.rows("INSERT INTO u VALUES (?)", [2]);
    expect(await sql.rows("SELECT n FROM t")).toHaveLength(0);
    await sql.close();
    await close();
  });

  test("a statement that it does not understand is refused, and is no reason to rest", async () => {
    const { it: sql, close } = await open();
    expect(await failure(sql.rows("SELECT nothing FROM nowhere"))).toBe("refused");
    expect(await sql.rows("SELECT 1 AS one")).toHaveLength(1);
    await close();
  });
});
