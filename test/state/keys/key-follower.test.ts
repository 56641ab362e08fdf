import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { copyFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { systemRandom } from "../../../src/runtime/random.ts";
import { KEY_FILE } from "../../../src/state/keys/key-file.ts";
import { KEY_POLL_MS, KeyFollower } from "../../../src/state/keys/key-follower.ts";
import { KeyStore } from "../../../src/state/keys/key-store.ts";
import { keyDigest } from "../../../src/state/keys/stored-key.ts";
import { SimClock } from "../../sim/clock.ts";
import { stateDir } from "./state-dir.ts";

const random = systemRandom;

function set() {
  const dir = stateDir();
  const clock = new SimClock();
  const problems: string[] = [];
  const follower = new KeyFollower({
    ...{ directory: dir.path, clock, random },
    onProblem: (problem) => void problems.push(problem),
  });
  const store = new KeyStore({ directory: dir.path, random });
  const path = join(dir.path, KEY_FILE);
  const end = (): void => {
    follower.stop();
    store.close();
    dir[Symbol.dispose]();
  };
  return { dir: dir.path, clock, problems, follower, store, path, [Symbol.dispose]: end };
}

test("every change is seen at the next look, and what was not changed stays the same object", async () => {
  using at = set();
  const { store, follower, clock } = at;
  follower.start();
  const { text, key } = store.create({ name: "a" }, 1);
  expect(follower.find(keyDigest(text))).toBeUndefined();
  await clock.advance(KEY_POLL_MS);
  const seen = follower.find(keyDigest(text));
  expect(seen?.key).toEqual(key);
  store.create({ name: "b" }, 2);
  await clock.advance(KEY_POLL_MS);
  expect(follower.size).toBe(2);
  expect(follower.find(keyDigest(text))).toBe(seen!);
  store.revoke(key.id, 7);
  await clock.advance(KEY_POLL_MS);
  expect(follower.find(keyDigest(text))?.key.revoked).toBe(7);
  follower.stop();
  expect(clock.armed).toBe(0);
});

type Step = "create" | "rotate" | "revoke" | "look";
const steps = fc.array(
  fc.tuple(fc.constantFrom<Step>("create", "rotate", "revoke", "look"), fc.nat(9)),
);

test("however changes and looks alternate, a follower knows what one that starts now reads", () => {
  fc.assert(
    fc.property(steps, (all) => {
      using at = set();
      const texts: string[] = [];
      let now = 0;
      for (const [step, which] of all) {
        now++;
        if (step === "look") at.follower.poll();
        if (step === "create") texts.push(at.store.create({ name: `k${which}` }, now).text);
        if (step === "revoke") at.store.revoke(`k${which}`, now);
        if (step === "rotate") {
          const rotated = at.store.rotate(`k${which}`, { now, overlap: 3 });
          if ("text" in rotated) texts.push(rotated.text);
        }
      }
      at.follower.poll();
      using fresh = new KeyFollower({
        ...{ directory: at.dir, clock: at.clock, random, onProblem: () => {} },
      });
      fresh.poll();
      const seen = (follower: KeyFollower) => texts.map((text) => follower.find(keyDigest(text)));
      expect(seen(at.follower)).toEqual(seen(fresh));
      expect(at.follower.size).toBe(fresh.size);
    }),
    { numRuns: 25 },
  );
});

test("a look at an unchanged store reads no row", () => {
  using at = set();
  at.store.create({ name: "a" }, 1);
  expect([at.follower.poll(), at.follower.poll(), at.follower.poll()]).toEqual([
    true,
    false,
    false,
  ]);
});

test("limits nobody understands open nothing, and say so; the other keys are read", () => {
  using at = set();
  const bad = at.store.create({ name: "bad" }, 1);
  const good = at.store.create({ name: "good" }, 1);
  at.follower.poll();
  const db = new Database(at.path);
  db.run(`UPDATE keys SET limits = '{"requestsPerHour":5}', revision = 99 WHERE name = 'bad'`);
  db.run("UPDATE store SET revision = 99");
  db.close();
  at.follower.poll();
  expect(at.follower.find(keyDigest(bad.text))).toBeUndefined();
  expect(at.follower.find(keyDigest(good.text))).toBeDefined();
  expect(at.problems).toEqual([expect.stringContaining(bad.key.id)]);
});

test("a store that cannot be read leaves the keys as they were, growing stale, and heals", async () => {
  using at = set();
  const { text } = at.store.create({ name: "a" }, 1);
  at.follower.start();
  const aside = `${at.path}.aside`;
  at.store.close();
  at.follower.stop();
  renameSync(at.path, aside);
  await Bun.write(at.path, "not a database, and longer than the header of one ".repeat(10));
  at.follower.start();
  await at.clock.advance(10 * KEY_POLL_MS);
  expect(at.follower.find(keyDigest(text))).toBeDefined();
  expect(at.follower.stalenessMs).toBe(10 * KEY_POLL_MS);
  expect(at.problems).toEqual([expect.any(String)]);
  rmSync(at.path);
  renameSync(aside, at.path);
  await at.clock.advance(KEY_POLL_MS);
  expect(at.follower.stalenessMs).toBe(0);
  expect(at.follower.find(keyDigest(text))).toBeDefined();
});

test("an earlier copy put back in the store's place is what counts from then on", () => {
  using at = set();
  const kept = at.store.create({ name: "kept" }, 1);
  at.store.close();
  copyFileSync(at.path, `${at.path}.backup`);
  using later = new KeyStore({ directory: at.dir, random });
  const lost = later.create({ name: "lost" }, 2);
  later.revoke(kept.key.id, 3);
  at.follower.poll();
  expect(at.follower.find(keyDigest(kept.text))?.key.revoked).toBe(3);
  later.close();
  for (const end of ["-wal", "-shm"]) rmSync(`${at.path}${end}`, { force: true });
  renameSync(`${at.path}.backup`, at.path);
  at.follower.poll();
  expect(at.follower.find(keyDigest(lost.text))).toBeUndefined();
  expect(at.follower.find(keyDigest(kept.text))?.key.revoked).toBeUndefined();
});

const WRITER = `${import.meta.dir}/key-writer.ts`;

test("while the command line writes, a reader never fails and never goes back", async () => {
  using at = set();
  const writers = ["a", "b"].map((label) =>
    Bun.spawn([process.execPath, WRITER, at.dir, label, "150"], { stdout: "pipe" }),
  );
  let running = true;
  const done = Promise.all(writers.map(({ stdout }) => stdout.text())).finally(() => {
    running = false;
  });
  let size = 0;
  let looks = 0;
  while (running) {
    at.follower.poll();
    expect(at.follower.size).toBeGreaterThanOrEqual(size);
    size = at.follower.size;
    looks++;
    await Bun.sleep(2);
  }
  const said = (await done).join("");
  at.follower.poll();
  const created = said.match(/created \S+/g) ?? [];
  expect([at.follower.size, at.problems]).toEqual([created.length, []]);
  for (const [, text = ""] of said.matchAll(/revoked (\S+)/g)) {
    expect(at.follower.find(keyDigest(text))?.key.revoked).toBeNumber();
  }
  expect(looks).toBeGreaterThan(5);
}, 60_000);
