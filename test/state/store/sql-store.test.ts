import { describe, expect, test } from "bun:test";
import { EMBEDDED } from "../../../src/state/migrations/embedded.ts";
import { run } from "../../../src/state/migrations/migrate.ts";
import { sqlStore } from "../../../src/state/store/sql-store.ts";
import { DATABASES } from "./engines.ts";

describe.each(DATABASES)("$name", ({ missing, open }) => {
  if (missing !== undefined) {
    test.skip(missing, () => {});
    return;
  }

  test("views made anew are what the log says, whatever somebody wrote into them", async () => {
    const { it: sql, close } = await open();
    await run(sql, EMBEDDED, { wall: 1 });
    const store = sqlStore(sql, { node: "n1" });
    const event = (id: string, kind: string, subject: string, body = {}) => ({
      ...{ id, kind, subject, body, at: 1, node: "n1" },
    });
    await store.append([
      event("1", "key.created", "a", { rpm: 5 }),
      event("2", "key.created", "gone"),
      event("3", "key.removed", "gone"),
    ]);
    const sound = await store.view("key");
    await sql.rows("UPDATE projection SET body = '{\"rpm\":99}'");
    await sql.rows("INSERT INTO projection VALUES ('key', 'ghost', 9, '{}')");
    await store.rebuild();
    expect(await store.view("key")).toEqual(sound);
    await close();
  });

  test("a long log is rebuilt whole", async () => {
    const { it: sql, close } = await open();
    await run(sql, EMBEDDED, { wall: 1 });
    const store = sqlStore(sql, { node: "n1" });
    const events = Array.from({ length: 2300 }, (_, n) => ({
      ...{ id: `e${n}`, kind: "key.created", subject: `k${n}`, body: {}, at: n, node: "n1" },
    }));
    await store.append(events);
    await sql.rows("DELETE FROM projection");
    await store.rebuild();
    expect((await store.view("key")).size).toBe(2300);
    await close();
  });
});
