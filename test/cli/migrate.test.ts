import { expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { migrate } from "../../src/cli/migrate.ts";
import { EMBEDDED } from "../../src/state/migrations/embedded.ts";
import type { Migration } from "../../src/state/migrations/migration.ts";
import { entry } from "../state/ledger/entries.ts";
import { ledgerOf } from "./cost-place.ts";

test("run, status, revert, revert --steps: the seed's own session", async () => {
  const state = await ledgerOf(undefined);
  const { ask } = state;
  const states = async () => (await state.json(migrate, "status")).map((row) => row["state"]);
  expect(await states()).toEqual(EMBEDDED.map(() => "pending"));
  expect(await ask(migrate, "run")).toMatchObject({
    code: 0,
    out: EMBEDDED.map(({ version, name }) => `applied ${version} ${name}\n`).join(""),
  });
  expect(await ask(migrate, "run")).toMatchObject({ code: 0, out: "nothing to be applied\n" });
  const { out } = await ask(migrate, "status");
  expect(out).toMatch(/1 ledger +applied +2030-01-15T12:30:00\.000Z/);
  const [last, ...rest] = [...EMBEDDED].reverse();
  const back = ({ version, name }: Migration): string => `taken back ${version} ${name}\n`;
  expect(await ask(migrate, "revert")).toMatchObject({ out: back(last!) });
  expect(await ask(migrate, "revert", "--steps", "2")).toMatchObject({
    out: rest.slice(0, 2).map(back).join(""),
  });
  expect(await states()).toEqual(
    EMBEDDED.map((_, at) => (at < EMBEDDED.length - 3 ? "applied" : "pending")),
  );
  state.remove();
});

test("status of nothing makes nothing", async () => {
  const state = await ledgerOf(undefined);
  await state.ask(migrate, "status");
  expect(() => readdirSync(state.place.dir)).toThrow("ENOENT");
  state.remove();
});

test("facts are not thrown away without --force", async () => {
  const state = await ledgerOf([entry()]);
  const all = ["revert", "--steps", String(EMBEDDED.length)] as const;
  const kept = await state.ask(migrate, ...all);
  expect(kept.code).toBe(1);
  expect(kept.err).toContain("ledger would take 1 row(s) of usage_fact with it; --force");
  expect((await state.ask(migrate, ...all, "--force")).code).toBe(0);
  state.remove();
});

test("a step of one's own is created, run in its turn and taken back first", async () => {
  const state = await ledgerOf(undefined);
  const made = await state.ask(migrate, "create", "add_usage_tracking");
  const paths = made.out.trim().split("\n");
  expect(paths).toEqual([
    join(state.place.dir, "migrations/20300115123000_add_usage_tracking.up.sql"),
    join(state.place.dir, "migrations/20300115123000_add_usage_tracking.down.sql"),
  ]);
  writeFileSync(paths[0]!, "CREATE TABLE mine (n $int) $strict;");
  writeFileSync(paths[1]!, "DROP TABLE mine;");
  expect((await state.ask(migrate, "run")).out).toEndWith(
    "applied 20300115123000 add_usage_tracking\n",
  );
  expect((await state.ask(migrate, "revert")).out).toBe(
    "taken back 20300115123000 add_usage_tracking\n",
  );
  expect((await state.ask(migrate, "create", "../evil")).code).toBe(2);
  state.remove();
});

test("half a step of one's own stops everything before it begins", async () => {
  const state = await ledgerOf([]);
  await state.ask(migrate, "create", "x");
  const folder = join(state.place.dir, "migrations");
  const [down] = readdirSync(folder);
  await Bun.file(join(folder, down!)).delete();
  const { code, err } = await state.ask(migrate, "run");
  expect(code).toBe(1);
  expect(err).toContain("is missing");
  state.remove();
});

test("a Postgres that is not there is told", async () => {
  const state = await ledgerOf(undefined);
  const { code, err } = await state.ask(
    ...([migrate, "run", "--database-url", "postgres://x@127.0.0.1:1/x"] as const),
  );
  expect(code).toBe(1);
  expect(err).toContain("the database cannot be used");
  state.remove();
});

test.each([
  [[], "a part is missing"],
  [["undo"], "no part 'undo'"],
  [["run", "now"], "now is too much"],
  [["create"], "create needs a name"],
  [["revert", "--steps", "0"], "--steps 0 is no number of steps"],
  [["revert", "--steps", "two"], "--steps two is no number of steps"],
])("%p is not understood", async (argv, why) => {
  const state = await ledgerOf(undefined);
  const { code, err } = await state.ask(migrate, ...argv);
  expect(code).toBe(2);
  expect(err).toContain(why);
  state.remove();
});
