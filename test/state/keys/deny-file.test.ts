import { expect, test } from "bun:test";
import { appendFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { DENY_FILE_POLL_MS, FileDenials } from "../../../src/state/keys/deny-file.ts";
import { denyLine, freshLine } from "../../../src/state/keys/deny-log.ts";
import { DenySet } from "../../../src/state/keys/deny-set.ts";
import type { DenyEvent } from "../../../src/state/keys/deny-source.ts";
import { SimClock } from "../../sim/clock.ts";
import { stateDir } from "./state-dir.ts";

function set(text?: string) {
  const dir = stateDir();
  const path = join(dir.path, "deny.log");
  if (text !== undefined) writeFileSync(path, text);
  const clock = new SimClock();
  const file = new FileDenials({ path, clock });
  const problems: (string | undefined)[] = [];
  const denied = new DenySet(clock, (_, problem) => void problems.push(problem));
  const events: DenyEvent[] = [];
  const start = file.start.bind(file);
  file.start = (onEvent) =>
    start((event) => {
      events.push(event);
      onEvent(event);
    });
  denied.follow(file);
  const end = async (): Promise<void> => {
    await denied.stop();
    dir[Symbol.dispose]();
  };
  const look = (): Promise<void> => clock.advance(DENY_FILE_POLL_MS);
  const kinds = (): string[] => events.splice(0).map(({ kind }) => kind);
  return { path, clock, file, denied, look, kinds, events, problems, [Symbol.asyncDispose]: end };
}

test("what is appended is told by itself; what was replaced is told whole", async () => {
  await using at = set("deny 1 spend\n");
  expect(at.kinds()).toEqual(["reset", "fresh"]);
  await at.look();
  expect(at.kinds()).toEqual(["fresh"]);
  appendFileSync(at.path, "deny 2 fraud\nrestore 1\n");
  await at.look();
  expect(at.kinds()).toEqual(["deny", "restore", "fresh"]);
  writeFileSync(`${at.path}.new`, "deny 3 spend\n");
  renameSync(`${at.path}.new`, at.path);
  await at.look();
  expect(at.kinds()).toEqual(["reset", "fresh"]);
  expect([1n, 2n, 3n].map((tenant) => at.denied.find(tenant))).toEqual([
    undefined,
    undefined,
    "spend",
  ]);
});

test("a file written over in its place is read whole, longer, shorter or just as long", async () => {
  await using at = set("deny 1 spend\ndeny 2 spend\n");
  for (const text of [
    "deny 3 spend\ndeny 4 spend\n",
    "deny 5 spend\n",
    "deny 6 fraud\n".repeat(9),
  ]) {
    writeFileSync(at.path, text);
    await at.look();
    const tenants = [1n, 2n, 3n, 4n, 5n, 6n].filter((tenant) => at.denied.find(tenant));
    expect(tenants).toEqual([...new Set(text.match(/\d/g))].map(BigInt));
  }
});

test("a file put in the place of one with the same end is read whole", async () => {
  const end = "# the same\n".repeat(40);
  await using at = set(`deny 1 spend\n${end}`);
  writeFileSync(`${at.path}.new`, `deny 2 spend\n${end}`);
  renameSync(`${at.path}.new`, at.path);
  await at.look();
  expect([at.denied.find(1n), at.denied.find(2n)]).toEqual([undefined, "spend"]);
});

test("however appends are cut, each line counts once, whole, and in order", async () => {
  const lines = fc.array(fc.tuple(fc.nat(3), fc.constantFrom("spend", "fraud", undefined)));
  await fc.assert(
    fc.asyncProperty(lines, fc.array(fc.nat(12)), async (all, cuts) => {
      await using at = set("");
      let text = "";
      for (const [tenant, reason] of all) {
        text += reason === undefined ? `restore ${tenant}\n` : `deny ${tenant} ${reason}\n`;
      }
      let from = 0;
      for (const cut of [...cuts, text.length]) {
        appendFileSync(at.path, text.slice(from, from + cut));
        from += cut;
        await at.look();
        // A number that is half there is another tenant: it must never count.
        const whole = text.slice(0, text.slice(0, from).lastIndexOf("\n") + 1);
        const right = new Map<string, string>();
        for (const [, word, tenant = "", reason = ""] of whole.matchAll(/(\w+) (\d+) ?(\w*)\n/g)) {
          if (word === "deny") right.set(tenant, reason);
          else right.delete(tenant);
        }
        for (const tenant of [0n, 1n, 2n, 3n]) {
          expect(at.denied.find(tenant) as string | undefined).toBe(right.get(`${tenant}`));
        }
      }
    }),
    { numRuns: 40 },
  );
});

test("a last line without its end does not count, and whoever wrote it is told", async () => {
  await using at = set("deny 1 spend\ndeny 4");
  await at.look();
  await at.look();
  expect(at.denied.statuses()[0]).toMatchObject({
    size: 1,
    flaw: expect.stringContaining("no line end"),
  });
  appendFileSync(at.path, "2 fraud\n");
  await at.look();
  expect([at.denied.find(4n), at.denied.find(42n)]).toEqual([undefined, "fraud"]);
});

test("lines that say nothing are complained of while they stand, and the others count", async () => {
  await using at = set("deny all\ndeny 1 spend\n");
  expect(at.denied.statuses()[0]?.flaw).toContain("1 unreadable lines");
  await at.look();
  expect(at.denied.find(1n)).toBe("spend");
  expect(at.denied.statuses()[0]?.flaw).toContain("1 unreadable lines");
  writeFileSync(at.path, "deny 1 spend\n");
  await at.look();
  expect(at.denied.statuses()[0]?.flaw).toBeUndefined();
});

test("a file that is gone denies on and grows stale; back again it counts again", async () => {
  await using at = set("deny 1 spend\n");
  rmSync(at.path);
  await at.clock.advance(60_000);
  expect([at.denied.find(1n), at.denied.stalenessMs]).toEqual(["spend", 60_000]);
  expect(at.problems).toEqual([expect.stringContaining("ENOENT")]);
  writeFileSync(at.path, "deny 2 spend\n");
  await at.look();
  expect([at.denied.find(1n), at.denied.find(2n), at.denied.stalenessMs]).toEqual([
    undefined,
    "spend",
    0,
  ]);
});

test("the log of a source elsewhere is as old as that source, not as the file", async () => {
  await using at = set();
  const wall = at.clock.wall();
  writeFileSync(at.path, denyLine(1n, "spend", 4n) + freshLine(wall - 30_000, 4n));
  await at.look();
  expect(at.denied.stalenessMs).toBe(30_000 + DENY_FILE_POLL_MS);
  await at.clock.advance(60_000);
  expect(at.denied.stalenessMs).toBe(90_000 + DENY_FILE_POLL_MS);
  appendFileSync(at.path, freshLine(at.clock.wall(), 5n));
  await at.look();
  expect(at.denied.stalenessMs).toBe(DENY_FILE_POLL_MS);
  expect(at.events.at(-1)).toMatchObject({ kind: "fresh", revision: 5n });
});

test("an emptied file restores everybody", async () => {
  await using at = set("deny 1 spend\n");
  truncateSync(at.path, 0);
  await at.look();
  expect(at.denied.size).toBe(0);
});
