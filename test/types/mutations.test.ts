import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "bun:test";
import { PARTS } from "../mutations/list.ts";

const ROOT = resolve(import.meta.dir, "../..");
const all = PARTS.flatMap(({ mutations }) => mutations);
const named = all.map(({ what, edits }) => [what, edits] as const);

test.each(named)("a mutation still finds what it breaks: %s", (_, edits) => {
  for (const { file, replace, by, all: everywhere } of edits) {
    const places = readFileSync(`${ROOT}/${file}`, "utf8").split(replace).length - 1;
    if (everywhere) expect(places).toBeGreaterThan(0);
    else expect(places).toBe(1);
    expect(by).not.toBe(replace);
  }
});

test("every net that must notice one is there, and every mutation has one or says why not", () => {
  for (const { what, caughtBy, equivalent } of all) {
    const paths = caughtBy.filter((net) => net.startsWith("test/"));
    expect(paths.filter((path) => !existsSync(`${ROOT}/${path}`))).toEqual([]);
    expect([what, caughtBy.length > 0]).toEqual([what, equivalent === undefined]);
  }
});

test("the table in README.md is of these mutations, none missing", () => {
  const text = readFileSync(`${ROOT}/test/README.md`, "utf8");
  const [, table = ""] = /<!-- mutations -->([^]*)<!-- \/mutations -->/.exec(text) ?? [];
  const rows = table
    .split("\n")
    .filter((line) => line.startsWith("| ") && !/^\| (?:mutation|-)/.test(line));
  expect(rows.map((line) => line.split(" | ")[0]!.slice(2).trim())).toEqual(
    all.map(({ what }) => what),
  );
});
