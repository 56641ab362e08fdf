import { describe, expect, test } from "bun:test";
import { verifyAudit } from "../../../src/state/audit/verify.ts";
import { sqlStore } from "../../../src/state/store/sql-store.ts";
import { EMBEDDED } from "../../../src/state/migrations/embedded.ts";
import { run } from "../../../src/state/migrations/migrate.ts";
import type { Sql, SqlRunner } from "../../../src/state/store/sql.ts";
import { DATABASES } from "../store/engines.ts";

const KEY = new TextEncoder().encode("a key that only the gateway has");
const COUNT = 2500; // More than two pages.
const BATCH = 100;

/** A transaction within another is part of it. */
function runIn(within: SqlRunner): Sql["transaction"] {
  return (work) => work(within);
}

describe.each(DATABASES)("$name", ({ missing, open }) => {
  if (missing !== undefined) {
    test.skip(missing, () => {});
    return;
  }

  test("whoever writes the database by hand is found, and where", async () => {
    const { it: sql, close } = await open();
    await run(sql, EMBEDDED, { wall: 1 });
    const store = sqlStore(sql, { node: "n1", key: KEY });
    // A commit for each of 2,500 is another test's matter, and one for all is past its deadline.
    for (let n = 1; n <= COUNT; n += BATCH) {
      await sql.transaction(async (within) => {
        const one = { ...sql, engine: sql.engine, transaction: runIn(within) };
        const inOne = sqlStore(one, { node: "n1", key: KEY });
        for (let at = n; at < n + BATCH; at++) {
          await inOne.audit({ at, actor: "ann", action: "a", subject: `s${at}`, detail: "{}" });
        }
      });
    }
    const sound = await verifyAudit(store, { key: KEY });
    expect(sound).toMatchObject({ sound: COUNT, broken: undefined });
    const anchor = sound.head;

    const tampered = async (change: string, undo: string) => {
      await sql.rows(change);
      const { broken } = await verifyAudit(store, { key: KEY, anchor });
      await sql.rows(undo);
      return broken;
    };
    expect(
      await tampered(
        "UPDATE audit_log SET actor = 'eve' WHERE seq = 1700",
        "UPDATE audit_log SET actor = 'ann' WHERE seq = 1700",
      ),
    ).toEqual({ seq: 1700, why: "changed" });
    expect(
      await tampered(
        "UPDATE audit_log SET seq = -1 WHERE seq = 3",
        "UPDATE audit_log SET seq = 3 WHERE seq = -1",
      ),
    ).toEqual({ seq: 3, why: "missing" });

    // Cut off with its head made to fit: only the head that was kept elsewhere shows it.
    await sql.rows("DELETE FROM audit_log WHERE seq > 2000");
    await sql.rows(
      "UPDATE audit_head SET seq = 2000, hash = (SELECT hash FROM audit_log WHERE seq = 2000)",
    );
    expect((await verifyAudit(store, { key: KEY })).broken).toBeUndefined();
    expect((await verifyAudit(store, { key: KEY, anchor })).broken).toEqual({
      ...{ seq: 2001, why: "cut_off" },
    });
    await close();
  });
});

test("an empty log is sound", async () => {
  const { it: sql, close } = await DATABASES[0]!.open();
  await run(sql, EMBEDDED, { wall: 1 });
  const store = sqlStore(sql, { node: "n1" });
  expect(await verifyAudit(store, { key: undefined })).toMatchObject({
    sound: 0,
    broken: undefined,
  });
  await close();
});
