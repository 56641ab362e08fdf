import { describe, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { audit } from "../../src/cli/audit.ts";
import type { AuditRecord } from "../../src/state/audit/chain.ts";
import type { Io } from "../../src/cli/io.ts";
import { key } from "../../src/cli/key.ts";
import { migrate } from "../../src/cli/migrate.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { SimClock } from "../sim/clock.ts";
import { temporaryFolder } from "../state/store/engines.ts";

function desk() {
  const folder = temporaryFolder();
  const dir = join(folder.path, "state");
  const clock = new SimClock();
  const run = async (line: string) => {
    const [out, err]: string[][] = [[], []];
    const io: Io = {
      env: {},
      stdout: (text) => out!.push(text),
      stderr: (text) => err!.push(text),
      readFile: (path) => Bun.file(path).text(),
    };
    const [command, ...argv] = line.split(" ");
    const context = { stateDir: dir, clock, random: systemRandom, by: "cli:ann@desk" };
    const code =
      command === "key"
        ? await key(argv, io, context)
        : await (command === "audit" ? audit : migrate)(argv, io, { dir, clock });
    return { code, out: out!.join(""), err: err!.join("") };
  };
  const tamper = (...statements: readonly string[]): void => {
    using db = new Database(join(dir, "interlock.db"));
    for (const statement of statements) db.run(statement);
  };
  const records = async () => JSON.parse((await run("audit list --json")).out) as AuditRecord[];
  return { dir, run, tamper, records, [Symbol.dispose]: folder.remove };
}

/** A log of eight records. */
async function busyDesk() {
  const at = desk();
  for (const name of ["one", "two", "three", "four"]) await at.run(`key create --name ${name}`);
  await at.run("key rotate two --overlap 1h");
  await at.run("key revoke three");
  await at.run("key create --name five --rpm 60 --budget-usd 2.5");
  await at.run("key revoke five");
  return at;
}

test("each change of a key is a record of who, what and when, and opens nothing", async () => {
  using at = await busyDesk();
  const records = await at.records();
  expect(records.map(({ seq, action }) => [seq, action])).toEqual([
    ...[1, 2, 3, 4].map((seq) => [seq, "key.create"]),
    ...[
      [5, "key.rotate"],
      [6, "key.revoke"],
      [7, "key.create"],
      [8, "key.revoke"],
    ],
  ]);
  expect(records.every(({ actor }) => actor === "cli:ann@desk")).toBe(true);
  expect(records[4]!.subject).toBe(records[1]!.subject);
  expect(JSON.parse(records[6]!.detail)).toMatchObject({
    name: "five",
    limits: { requests_per_minute: 60, budget: { usd: "2.50", period: "monthly" } },
  });
  expect(JSON.stringify(records)).not.toMatch(/ilk_/);
  const { out } = await at.run("audit list --limit 2 --action key.revoke");
  expect(out.trim().split("\n").length).toBe(3);
  expect(await at.run("audit verify")).toMatchObject({ code: 0 });
});

test("what is refused changes nothing, and is no change to tell of", async () => {
  using at = await busyDesk();
  expect((await at.run("key revoke nobody")).code).toBe(1);
  expect((await at.run("key revoke five")).code).toBe(1);
  expect((await at.run("key rotate five")).code).toBe(1);
  expect((await at.records()).length).toBe(8);
});

test("where it cannot be written down, no key is made, ended or renewed", async () => {
  using at = await busyDesk();
  const before = (await at.run("key list --json --all")).out;
  at.tamper("ALTER TABLE audit_log RENAME TO gone");
  for (const line of ["create --name six", "revoke one", "rotate one"]) {
    const { code, out } = await at.run(`key ${line}`);
    expect([code, out]).toEqual([1, ""]);
  }
  expect((await at.run("key list --json --all")).out).toBe(before);
});

describe("verify finds", () => {
  const rows = [1, 2, 3, 4, 5, 6, 7, 8];
  test.each(rows)("record %d edited, in any of its fields", async (seq) => {
    for (const set of ["actor = 'eve'", "at_ms = at_ms + 1", "detail = '{ }'", "subject = 'x'"]) {
      using at = await busyDesk();
      at.tamper(`UPDATE audit_log SET ${set} WHERE seq = ${seq}`);
      const { code, out } = await at.run("audit verify --json");
      expect([code, JSON.parse(out)]).toEqual([
        1,
        expect.objectContaining({ ok: false, broken: seq, sound: seq - 1 }),
      ]);
    }
  });

  test.each(rows)("record %d removed", async (seq) => {
    using at = await busyDesk();
    at.tamper(`DELETE FROM audit_log WHERE seq = ${seq}`);
    const { code, out } = await at.run("audit verify");
    expect(code).toBe(1);
    expect(out).toContain(`Record ${seq} is not sound`);
  });

  test.each(rows.slice(1))("record %d removed and those behind it moved up", async (seq) => {
    using at = await busyDesk();
    at.tamper(
      `DELETE FROM audit_log WHERE seq = ${seq - 1}`,
      `UPDATE audit_log SET seq = -seq WHERE seq >= ${seq}`,
      "UPDATE audit_log SET seq = -seq - 1 WHERE seq < 0",
      "UPDATE audit_head SET seq = seq - 1",
    );
    expect((await at.run("audit verify")).code).toBe(1);
  });

  test.each(rows.slice(1))("record %d in the place of the one before it", async (seq) => {
    using at = await busyDesk();
    at.tamper(
      `UPDATE audit_log SET seq = 1000 WHERE seq = ${seq}`,
      `UPDATE audit_log SET seq = ${seq} WHERE seq = ${seq - 1}`,
      `UPDATE audit_log SET seq = ${seq - 1} WHERE seq = 1000`,
    );
    expect((await at.run("audit verify")).code).toBe(1);
  });

  test("an end that was cut off together with the head, by an anchor that was kept", async () => {
    using at = await busyDesk();
    const { head } = JSON.parse((await at.run("audit verify --json")).out);
    at.tamper(
      "DELETE FROM audit_log WHERE seq > 5",
      "UPDATE audit_head SET seq = 5, hash = (SELECT hash FROM audit_log WHERE seq = 5)",
    );
    expect((await at.run("audit verify")).code).toBe(0);
    expect((await at.run(`audit verify --anchor ${head.seq}:${head.hash}`)).code).toBe(1);
    await at.run("key create --name later");
    await at.run("key create --name later2");
    await at.run("key create --name later3");
    expect((await at.run(`audit verify --anchor ${head.seq}:${head.hash}`)).code).toBe(1);
  });
});

test("a log that was never begun is sound and empty", async () => {
  using at = desk();
  expect(await at.run("audit list")).toMatchObject({ code: 0, out: "Nothing was changed yet.\n" });
  expect((await at.run("audit verify")).out).toStartWith("0 records, all sound.\n");
});

test("the schema's own changes are told", async () => {
  using at = await busyDesk();
  await at.run("migrate revert");
  await at.run("migrate run");
  const told = (await at.records()).slice(8).map(({ action }) => action);
  expect(told).toEqual(["migrate.revert", "migrate.run"]);
  expect((await at.run("audit verify")).code).toBe(0);
});

test.each(["", "shred", "list now", "list --limit 0", "verify --anchor 5"])(
  "'audit %s' is not understood",
  async (line) => {
    using at = desk();
    expect((await at.run(`audit ${line}`.trim())).code).toBe(2);
  },
);

test("a state that cannot be opened is an error in words", async () => {
  using at = await busyDesk();
  chmodSync(join(at.dir, "interlock.db"), 0o600);
  await Bun.write(
    join(at.dir, "interlock.db"),
    "this is no database, however long it may be".repeat(99),
  );
  const { code, err } = await at.run("audit verify");
  expect(code).toBe(1);
  expect(err).toContain("the state cannot be read");
});
