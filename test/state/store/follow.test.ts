import { describe, expect, test } from "bun:test";
import { systemClock } from "../../../src/runtime/clock.ts";
import type { StoredEvent } from "../../../src/state/store/event.ts";
import { follow } from "../../../src/state/store/follow.ts";
import { memoryStore } from "../../../src/state/store/memory-store.ts";
import { StoreError } from "../../../src/state/store/sql.ts";
import { sqlStore } from "../../../src/state/store/sql-store.ts";
import type { Store } from "../../../src/state/store/store.ts";
import { openPostgres } from "../../../src/state/store/postgres.ts";
import { microtasks, SimClock } from "../../sim/clock.ts";
import { EMBEDDED } from "../../../src/state/migrations/embedded.ts";
import { run } from "../../../src/state/migrations/migrate.ts";
import { DATABASES } from "./engines.ts";

const event = (n: number) => ({
  ...{ id: `e${n}`, kind: "key.created", subject: `k${n}`, body: {}, at: n, node: "n1" },
});

function following(store: Store, clock: SimClock, after = 0) {
  const seen: number[] = [];
  const errors: unknown[] = [];
  const stop = follow(store, {
    ...{ clock, after, onError: (error: unknown) => errors.push(error) },
    onEvents: (events: readonly StoredEvent[]) => void seen.push(...events.map((e) => e.revision)),
  });
  return { seen, errors, stop };
}

test("every event comes once and in order: those before, and those while it follows", async () => {
  const [store, clock] = [memoryStore(), new SimClock()];
  await store.append([event(1), event(2), event(3)]);
  const { seen, stop } = following(store, clock, 1);
  await microtasks();
  for (let n = 4; n <= 20; n++) await store.append([event(n)]);
  await microtasks();
  expect(seen).toEqual(Array.from({ length: 19 }, (_, n) => n + 2));
  stop();
  await store.append([event(21)]);
  await clock.advance(10_000);
  expect(seen.at(-1)).toBe(20);
  expect(clock.armed).toBe(0);
});

test("what nobody announced is seen within the poll", async () => {
  const [store, clock] = [memoryStore(), new SimClock()];
  const deaf: Store = Object.create(store, {
    onChange: { value: async () => () => {} },
    events: { value: (after: number, limit: number) => store.events(after, limit) },
  });
  const { seen, stop } = following(deaf, clock);
  await store.append([event(1)]);
  await clock.advance(999);
  expect(seen).toEqual([]);
  await clock.advance(2);
  expect(seen).toEqual([1]);
  stop();
});

test("a store that cannot be read is asked again from where it was", async () => {
  const [store, clock] = [memoryStore(), new SimClock()];
  let failing = true;
  const flaky: Store = Object.create(store, {
    onChange: { value: async () => Promise.reject(new StoreError("unavailable", "no")) },
    events: {
      value: async (after: number, limit: number) => {
        if (failing) throw new StoreError("deadline", "frozen");
        return store.events(after, limit);
      },
    },
  });
  await store.append([event(1), event(2)]);
  const { seen, errors, stop } = following(flaky, clock);
  await clock.advance(3000);
  expect(seen).toEqual([]);
  expect(errors.length).toBeGreaterThan(1);
  failing = false;
  await clock.advance(1000);
  expect(seen).toEqual([1, 2]);
  stop();
});

describe.each(DATABASES.filter(({ name }) => name === "postgres"))("$name", ({ missing, open }) => {
  if (missing !== undefined) {
    test.skip(missing, () => {});
    return;
  }
  test("one node hears of another's events at once, and misses none", async () => {
    const { it: sql, close } = await open();
    await run(sql, EMBEDDED, { wall: 1 });
    const here = sqlStore(sql, { node: "here" });
    const [{ url }] = [await databaseUrl(sql)];
    const other = openPostgres({ url, clock: systemClock, deadlineMs: 5000 });
    const there = sqlStore(other, { node: "there" });
    const seen: number[] = [];
    const done = Promise.withResolvers<void>();
    const stop = follow(there, {
      ...{ clock: systemClock, after: 0, pollMs: 30_000, onError: done.reject },
      onEvents: (events) => {
        seen.push(...events.map((e) => e.revision));
        if (seen.length === 60) done.resolve();
      },
    });
    await there.revision(); // It listens by now.
    await systemPause(200);
    await Promise.all(Array.from({ length: 60 }, (_, n) => here.append([event(n)])));
    await done.promise;
    expect(seen).toEqual(Array.from({ length: 60 }, (_, n) => n + 1));
    stop();
    await there.close();
    await close();
  });
});

async function databaseUrl(sql: {
  rows(text: string): Promise<readonly Record<string, unknown>[]>;
}): Promise<{ readonly url: string }> {
  const [row] = await sql.rows("SELECT current_database() AS name");
  const url = new URL(Bun.env["INTERLOCK_POSTGRES_URL"] ?? "");
  url.pathname = `/${row?.["name"]}`;
  return { url: url.href };
}

function systemPause(ms: number): Promise<void> {
  return new Promise((resolve) => systemClock.after(ms, resolve));
}
