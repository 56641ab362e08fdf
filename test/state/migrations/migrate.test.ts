import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { EMBEDDED } from "../../../src/state/migrations/embedded.ts";
import {
  revert,
  run,
  splitStatements,
  status,
  unfit,
} from "../../../src/state/migrations/migrate.ts";
import type { Migration } from "../../../src/state/migrations/migration.ts";
import type { Sql } from "../../../src/state/store/sql.ts";
import { DATABASES } from "../store/engines.ts";

const WALL = { wall: 1_900_000_000_000 };
const extra = (version: number, up: string, down = "SELECT 1"): Migration => ({
  ...{ version, name: `extra_${version}`, up, down, holds: [] },
});

describe.each(DATABASES)("$name", ({ missing, open }) => {
  if (missing !== undefined) {
    test.skip(missing, () => {});
    return;
  }
  let sql: Sql;
  let close: () => Promise<void>;
  beforeEach(async () => {
    ({ it: sql, close } = await open());
  });
  afterEach(() => close());

  const states = async (known = EMBEDDED) =>
    (await status(sql, known)).map(({ version, state }) => `${version} ${state}`);
  const tables = async () => {
    const text =
      sql.engine === "sqlite"
        ? "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        : "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'";
    return (await sql.rows(text)).map(({ name }) => name as string).sort();
  };

  test("all steps run once, and a second run has nothing to do", async () => {
    expect(await states()).toEqual(EMBEDDED.map(({ version }) => `${version} pending`));
    expect(await unfit(sql, EMBEDDED)).toContain("pending");
    const first = await run(sql, EMBEDDED, WALL);
    expect(first.ok && first.steps.length).toBe(EMBEDDED.length);
    expect(await run(sql, EMBEDDED, WALL)).toEqual({ ok: true, steps: [] });
    expect(await states()).toEqual(EMBEDDED.map(({ version }) => `${version} applied`));
    expect(await unfit(sql, EMBEDDED)).toBeUndefined();
    expect((await status(sql, EMBEDDED))[0]?.appliedAt).toBe(WALL.wall);
  });

  test("looking at an empty database writes nothing into it", async () => {
    await status(sql, EMBEDDED);
    expect(await tables()).toEqual([]);
  });

  test("run and reverted to the end it is as it was, and runs again", async () => {
    await run(sql, EMBEDDED, WALL);
    const full = await tables();
    const back = await revert(sql, EMBEDDED, { steps: 99, force: false });
    expect(back.ok && back.steps.map(({ version }) => version)).toEqual(
      EMBEDDED.map(({ version }) => version).reverse(),
    );
    expect(await tables()).toEqual(["schema_migration"]);
    await run(sql, EMBEDDED, WALL);
    expect(await tables()).toEqual(full);
  });

  test("each step can be taken back by itself and applied again", async () => {
    await run(sql, EMBEDDED, WALL);
    for (let left = EMBEDDED.length; left > 0; left--) {
      expect(await revert(sql, EMBEDDED, { steps: 1, force: false })).toMatchObject({ ok: true });
      expect((await states()).filter((state) => state.endsWith("applied"))).toHaveLength(left - 1);
    }
    expect(await revert(sql, EMBEDDED, { steps: 1, force: false })).toEqual({
      ok: true,
      steps: [],
    });
  });

  test("a step that holds facts or events is not thrown away by mistake", async () => {
    await run(sql, EMBEDDED, WALL);
    await sql.rows("INSERT INTO event_log VALUES (1, 'e', 'key.created', 'a', '{}', 1, 'n')");
    const steps = EMBEDDED.length - EMBEDDED.findIndex(({ name }) => name === "events");
    const kept = await revert(sql, EMBEDDED, { steps, force: false });
    expect(kept).toMatchObject({ ok: false });
    expect(kept.ok ? "" : kept.why).toContain("1 row(s) of event_log");
    expect(await states()).toEqual(EMBEDDED.map(({ version }) => `${version} applied`));
    expect(await revert(sql, EMBEDDED, { steps, force: true })).toMatchObject({ ok: true });
  });

  test("a newer schema is refused, and not touched", async () => {
    await run(sql, [...EMBEDDED, extra(99, "CREATE TABLE newer (n BIGINT)")], WALL);
    for (const outcome of [
      await run(sql, EMBEDDED, WALL),
      await revert(sql, EMBEDDED, { steps: 1, force: true }),
    ]) {
      expect(outcome.ok ? "" : outcome.why).toContain("99 extra_99");
    }
    expect(await unfit(sql, EMBEDDED)).toContain("it is newer");
    expect((await states()).at(-1)).toBe("99 foreign");
    expect(await tables()).toContain("newer");
  });

  test("a step whose text changed after it was applied is refused", async () => {
    await run(sql, [extra(1, "CREATE TABLE a (n BIGINT)")], WALL);
    const other = [extra(1, "CREATE TABLE a (n BIGINT, m BIGINT)")];
    expect(await states(other)).toEqual(["1 changed"]);
    expect(await run(sql, other, WALL)).toMatchObject({ ok: false });
  });

  test("of a run that fails in the middle nothing stays", async () => {
    const broken = [...EMBEDDED, extra(50, "CREATE TABLE half (n BIGINT); CREATE NONSENSE")];
    expect(run(sql, broken, WALL)).rejects.toThrow();
    expect(await tables()).toEqual([]);
  });

  test("two that migrate at once apply each step once", async () => {
    const outcomes = await Promise.all([run(sql, EMBEDDED, WALL), run(sql, EMBEDDED, WALL)]);
    const applied = outcomes.flatMap((outcome) => (outcome.ok ? outcome.steps : []));
    expect(applied.map(({ version }) => version)).toEqual(EMBEDDED.map(({ version }) => version));
  });

  test("a step for one engine is done on the other without a trace", async () => {
    const only = {
      ...extra(9, "CREATE TABLE mine (n BIGINT)", "DROP TABLE mine"),
      holds: ["mine"],
    };
    const both = [
      { ...only, only: "sqlite" as const },
      { ...only, version: 10, only: "postgres" as const },
    ];
    expect(await run(sql, both, WALL)).toMatchObject({ ok: true });
    expect(await states(both)).toEqual(["9 applied", "10 applied"]);
    expect(await tables()).toEqual(["mine", "schema_migration"]);
    expect(await revert(sql, both, { steps: 2, force: false })).toMatchObject({ ok: true });
    expect(await tables()).toEqual(["schema_migration"]);
  });

  test("an operator's own step runs after ours, in both spellings", async () => {
    const own = extra(20300101000000, "CREATE TABLE own (id $serial, n $int) $strict; -- ; mine");
    await run(sql, [...EMBEDDED, own], WALL);
    await sql.rows("INSERT INTO own (n) VALUES (?)", [2n ** 40n]);
    const [row] = await sql.rows("SELECT id, n FROM own");
    expect([BigInt(row?.["id"] ?? 0), BigInt(row?.["n"] ?? 0)]).toEqual([1n, 2n ** 40n]);
  });
});

test.each([
  ["a; b;", ["a", "b"]],
  ["a ';' b; c", ["a ';' b", "c"]],
  ["a 'it''s; so' b; c", ["a 'it''s; so' b", "c"]],
  ['a ";" b', ['a ";" b']],
  ["a -- no; no\n; b", ["a", "b"]],
  ["do $$ x; y $$; z", ["do $$ x; y $$", "z"]],
  [" ;; ", []],
])("%j is %j", (script, statements) => expect(splitStatements(script)).toEqual(statements));
