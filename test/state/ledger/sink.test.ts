import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { systemClock } from "../../../src/runtime/clock.ts";
import { checkBooks } from "../../../src/state/ledger/books.ts";
import { attemptOf, factOf } from "../../../src/state/ledger/ship.ts";
import { sqliteSink } from "../../../src/state/ledger/sink.ts";
import { LEDGER } from "../../../src/state/slab/layout.ts";
import { hasFacts, viewLedger } from "../../../src/state/slab/ledger-desk.ts";
import { EMBEDDED } from "../../../src/state/migrations/embedded.ts";
import { run } from "../../../src/state/migrations/migrate.ts";
import { consistent } from "../../../src/state/rate-card/usage.ts";
import { openDatabase, openSqlite } from "../../../src/state/store/sqlite.ts";
import { int } from "../../../src/state/store/sql.ts";
import { temporaryFolder } from "../store/engines.ts";
import { entries, entry } from "./entries.ts";
import { ringsTo } from "./rings.ts";

let folder: ReturnType<typeof temporaryFolder>;
let path: string;
beforeEach(async () => {
  folder = temporaryFolder();
  path = join(folder.path, "a.db");
  await migrated(path);
});
afterEach(() => folder.remove());

async function migrated(at: string): Promise<void> {
  const sql = openSqlite({ path: at, deadlineMs: 5000 });
  await run(sql, EMBEDDED, { wall: 1 });
  await sql.close();
}
async function read<T>(at: string, question: (sql: ReturnType<typeof openSqlite>) => Promise<T>) {
  const sql = openSqlite({ path: at, deadlineMs: 5000, readonly: true });
  const answer = await question(sql);
  await sql.close();
  return answer;
}
const factCount = (at: string) =>
  read(at, async (sql) => int((await sql.rows("SELECT count(*) AS n FROM usage_fact"))[0]?.["n"]));

test("a fact is read as it was written, its parts no greater than their wholes", async () => {
  const sink = sqliteSink(openDatabase({ path, deadlineMs: 1000 }), { node: "n1" });
  let made = 0;
  const batch = fc.sample(entries, 200).map(({ fact, attempts }) => ({
    ...{ attempts, fact: { ...fact, id: `f${++made}` } },
  }));
  expect(sink.write(batch)).toEqual({ kind: "written", duplicates: 0 });
  const [facts, attempts] = await read(path, async (sql) => [
    (await sql.rows("SELECT * FROM usage_fact ORDER BY seq")).map(factOf),
    await sql.rows("SELECT * FROM attempt_fact ORDER BY fact_id, n"),
  ]);
  expect(facts).toEqual(batch.map(({ fact }) => ({ ...fact, usage: consistent(fact.usage) })));
  const given = batch.flatMap(({ attempts: all }) => all.length).reduce((a, b) => a + b, 0);
  expect(attempts).toHaveLength(given);
  for (const row of attempts) {
    const of = batch.find(({ fact }) => fact.id === row["fact_id"])!;
    const attempt = attemptOf(row);
    const told = of.attempts[attempt.n - 1]!;
    expect(attempt).toEqual({ ...told, usage: consistent(told.usage) });
  }
  expect(await read(path, checkBooks)).toEqual([]);
  sink.close();
});

test("the same fact again, in one group or a later one, changes nothing", async () => {
  const sink = sqliteSink(openDatabase({ path, deadlineMs: 1000 }), { node: "n1" });
  const one = entry({ id: "a", chargedNano: 5n });
  expect(sink.write([one, one])).toEqual({ kind: "written", duplicates: 1 });
  expect(sink.write([one, entry({ id: "b" })])).toEqual({ kind: "written", duplicates: 1 });
  expect(await factCount(path)).toBe(2);
  expect(await read(path, checkBooks)).toEqual([]);
  sink.close();
});

test("the same request id under two facts is two facts: a client may name its requests alike", async () => {
  const sink = sqliteSink(openDatabase({ path, deadlineMs: 1000 }), { node: "n1" });
  sink.write([entry({ id: "a", requestId: "mine" }), entry({ id: "b", requestId: "mine" })]);
  expect(await factCount(path)).toBe(2);
  sink.close();
});

test("books that were touched by hand do not balance, and say where", async () => {
  const db = openDatabase({ path, deadlineMs: 1000 });
  const sink = sqliteSink(db, { node: "n1" });
  sink.write([entry({ id: "a", tenant: "t", key: "k", chargedNano: 5n })]);
  db.run("UPDATE balance SET charged_nano = charged_nano + 1");
  expect(await read(path, checkBooks)).toMatchObject([
    { tenant: "t", key: "k", facts: { chargedNano: 5n }, balance: { chargedNano: 6n } },
  ]);
  sink.close();
});

test("another process's lock is busy, not a failure", () => {
  const holder = openDatabase({ path, deadlineMs: 1000 });
  holder.run("BEGIN IMMEDIATE");
  const sink = sqliteSink(openDatabase({ path, deadlineMs: 20 }), { node: "n1" });
  expect(sink.write([entry()])).toMatchObject({ kind: "failed", why: "busy" });
  holder.run("ROLLBACK");
  expect(sink.write([entry()])).toMatchObject({ kind: "written" });
  sink.close();
  holder.close();
});

const MOUNT = Bun.spawnSync(["sh", "-c", "command -v mount && id -u"]).stdout.toString();
const canMount = MOUNT.includes("mount") && MOUNT.trim().endsWith("\n0");

describe.each([
  { kind: "a page limit", skip: undefined },
  { kind: "a tmpfs", skip: canMount ? undefined : "skipped: needs root to mount a tmpfs" },
])("a full disk, by $kind", ({ kind, skip }) => {
  test.skipIf(skip !== undefined)(
    "loses nothing, doubles nothing, and goes on once there is room",
    async () => {
      const room = kind === "a tmpfs" ? mountSmall() : undefined;
      const at = room === undefined ? path : join(room.path, "full.db");
      if (room !== undefined) await migrated(at);
      const db = openDatabase({ path: at, deadlineMs: 100 });
      const pages = db.prepare<{ page_count: bigint }, []>("PRAGMA page_count");
      const used = int(pages.get()?.page_count);
      pages.finalize();
      if (room === undefined) db.run(`PRAGMA max_page_count = ${used + 400}`);
      const sink = sqliteSink(db, { node: "n1" });
      const { drain, publish, lost, actor, flush } = ringsTo(sink, systemClock, 1 << 21);
      const count = 4000;
      for (let n = 0; n < count; n++) {
        publish(entry({ id: `f${n}`, requestedModel: "m".repeat(150) }));
      }
      const hasMore = () => (flush(), hasFacts(actor.slab));
      const all = async () => {
        for (;;) {
          const turn = await drain.turn();
          if (turn.kind === "failed" || (turn.kind === "empty" && !hasMore())) return turn;
        }
      };
      expect(await all()).toMatchObject({ kind: "failed", why: "full" });
      const { written, state } = viewLedger(actor.slab);
      expect(state).toBe(LEDGER.full);
      expect(written).toBeGreaterThan(0);
      expect(written).toBeLessThan(count);
      expect(await factCount(at)).toBe(written);
      expect(await read(at, checkBooks)).toEqual([]);

      if (room === undefined) db.run("PRAGMA max_page_count = 1000000");
      else room.grow();
      expect(await all()).toEqual({ kind: "empty" });
      expect(viewLedger(actor.slab).state).toBe(LEDGER.healthy);
      expect(lost).toEqual([]);
      expect(await factCount(at)).toBe(count);
      expect(await read(at, checkBooks)).toEqual([]);
      const sound = await read(at, (sql) => sql.rows("PRAGMA integrity_check"));
      expect(sound).toEqual([{ integrity_check: "ok" }]);
      sink.close();
      room?.unmount();
    },
  );
});

/** A file system of two megabytes. */
function mountSmall() {
  const at = join(folder.path, "small");
  mkdirSync(at);
  const sh = (...words: string[]) => {
    const done = Bun.spawnSync(words);
    if (!done.success) throw new Error(done.stderr.toString());
  };
  sh("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", at);
  return {
    path: at,
    grow: () => sh("mount", "-o", "remount,size=64m", at),
    unmount: () => sh("umount", at),
  };
}
