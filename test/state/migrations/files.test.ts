import { expect, test } from "bun:test";
import { newMigrationFiles, readMigrationFiles } from "../../../src/state/migrations/files.ts";

const wall = Date.UTC(2030, 11, 31, 23, 59, 59);
const file = (name: string, text = "x") => ({ name, text });

test("what is made can be read again, under its moment and name", () => {
  const made = newMigrationFiles("Add usage-tracking", { wall });
  if (typeof made === "string") throw new Error(made);
  expect(made.map(({ name }) => name)).toEqual([
    "20301231235959_add_usage_tracking.up.sql",
    "20301231235959_add_usage_tracking.down.sql",
  ]);
  expect(readMigrationFiles(made)).toMatchObject([
    { version: 20301231235959, name: "add_usage_tracking" },
  ]);
});

test.each(["", "../x", "a/b", "é", "x".repeat(65), "_x", "a;b"])(
  "%j names no migration",
  (name) => {
    expect(newMigrationFiles(name, { wall })).toBeString();
  },
);

test("files come in the order of their moments; other files are left alone", () => {
  const read = readMigrationFiles([
    ...[file("20310101000000_b.up.sql"), file("20310101000000_b.down.sql")],
    ...[file("20300101000000_a.up.sql"), file("20300101000000_a.down.sql"), file("notes.sql")],
  ]);
  expect(typeof read === "string" ? read : read.map(({ name }) => name)).toEqual(["a", "b"]);
});

test.each([
  [[file("20300101000000_a.up.sql")], "20300101000000_a.down.sql is missing"],
  [[file("20300101000000_a.down.sql")], "20300101000000_a.up.sql is missing"],
  [
    ["a", "b"].flatMap((n) => [
      file(`20300101000000_${n}.up.sql`),
      file(`20300101000000_${n}.down.sql`),
    ]),
    "two migrations are 20300101000000",
  ],
])("half or two of one are told", (files, why) => expect(readMigrationFiles(files)).toBe(why));
