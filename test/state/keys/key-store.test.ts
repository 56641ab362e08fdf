import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { systemRandom } from "../../../src/runtime/random.ts";
import { KEY_FILE, KeyStoreError } from "../../../src/state/keys/key-file.ts";
import { KeyFollower } from "../../../src/state/keys/key-follower.ts";
import { KeyStore } from "../../../src/state/keys/key-store.ts";
import { keyDigest } from "../../../src/state/keys/stored-key.ts";
import { SimClock } from "../../sim/clock.ts";
import { limits } from "./any-limits.ts";
import { stateDir } from "./state-dir.ts";

const NOW = Date.UTC(2026, 10, 20, 12);
const HOUR = 3_600_000;
const random = systemRandom;

function followerOf(directory: string, problems: string[] = []): KeyFollower {
  const onProblem = (problem: string): void => void problems.push(problem);
  return new KeyFollower({ directory, clock: new SimClock(), random, onProblem });
}

test("a key is made with all that was asked, and its text is 256 bits behind its id", () => {
  fc.assert(
    fc.property(limits, fc.option(fc.nat(), { nil: undefined }), (asked, expires) => {
      using dir = stateDir();
      using store = new KeyStore({ directory: dir.path, random });
      const { key, text } = store.create(
        { name: "ci", tenant: "acme", expires, limits: asked },
        NOW,
      );
      expect(text).toMatch(/^ilk_[0-9a-f]{16}_[0-9a-f]{64}$/);
      expect(text).toContain(key.id);
      expect(store.list(-1)).toEqual([{ ...key, secrets: 1 }]);
      using follower = followerOf(dir.path);
      follower.poll();
      expect(follower.find(keyDigest(text))).toEqual({ key, expires: undefined });
    }),
    { numRuns: 20 },
  );
});

test("no byte of any file holds a text or a part of one; a digest opens nothing", () => {
  using dir = stateDir();
  using store = new KeyStore({ directory: dir.path, random });
  const made = Array.from({ length: 20 }, (_, i) => store.create({ name: `k${i}` }, NOW));
  const held = readdirSync(dir.path).map((name) => readFileSync(join(dir.path, name), "latin1"));
  using follower = followerOf(dir.path);
  follower.poll();
  for (const { text } of made) {
    const [, , secret = ""] = text.split("_");
    for (let at = 0; at + 8 <= secret.length; at += 8) {
      for (const bytes of held) expect(bytes.includes(secret.slice(at, at + 8))).toBe(false);
    }
    const digest = keyDigest(text);
    expect(follower.find(keyDigest(digest))).toBeUndefined();
    expect(JSON.stringify(store.list(NOW))).not.toContain(digest);
  }
});

test("the store and its directory are for their owner alone", () => {
  using dir = stateDir();
  const directory = join(dir.path, "state");
  using store = new KeyStore({ directory, random });
  store.create({ name: "k" }, NOW);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(directory)) {
    expect([name, statSync(join(directory, name)).mode & 0o077]).toEqual([name, 0]);
  }
});

test("a revoked key is revoked for good, by its id or its name, and once", () => {
  using dir = stateDir();
  using store = new KeyStore({ directory: dir.path, random });
  const { key } = store.create({ name: "bot" }, NOW);
  expect(store.revoke("bot", NOW + 5)).toEqual({ id: key.id });
  expect(store.list(NOW)).toMatchObject([{ id: key.id, revoked: NOW + 5 }]);
  expect(store.revoke(key.id, NOW + 9)).toEqual({ refused: "revoked", id: key.id });
  expect(store.rotate(key.id, { now: NOW, overlap: 0 })).toEqual({
    refused: "revoked",
    id: key.id,
  });
  expect(store.revoke("nobody", NOW)).toEqual({ refused: "unknown" });
});

test("a name that several living keys have names none; a revoked one's is free again", () => {
  using dir = stateDir();
  using store = new KeyStore({ directory: dir.path, random });
  const ids = [0, 1].map((i) => store.create({ name: "bot" }, NOW + i).key.id);
  expect(store.revoke("bot", NOW)).toEqual({ refused: "ambiguous", ids });
  expect(store.revoke(ids[0]!, NOW)).toEqual({ id: ids[0]! });
  expect(store.revoke("bot", NOW)).toEqual({ id: ids[1]! });
});

test("a rotated key keeps its id and limits; the text it had ends with the overlap", () => {
  using dir = stateDir();
  using store = new KeyStore({ directory: dir.path, random });
  using follower = followerOf(dir.path);
  const asked = { requestsPerMinute: 60 };
  const first = store.create({ name: "bot", limits: asked }, NOW);
  const second = store.rotate("bot", { now: NOW + HOUR, overlap: HOUR });
  if ("refused" in second) throw new Error(second.refused);
  expect(second.key).toEqual(first.key);
  expect(second.text).not.toBe(first.text);
  follower.poll();
  const endOf = (text: string) => follower.find(keyDigest(text))?.expires;
  expect([endOf(first.text), endOf(second.text)]).toEqual([NOW + 2 * HOUR, undefined]);
  expect(store.list(NOW + HOUR)).toMatchObject([{ secrets: 2, limits: asked }]);
  expect(store.list(NOW + 2 * HOUR)).toMatchObject([{ secrets: 1 }]);

  // Rotated again inside the overlap, the oldest text does not get longer.
  const third = store.rotate("bot", { now: NOW + HOUR, overlap: 10 * HOUR });
  if ("refused" in third) throw new Error(third.refused);
  follower.poll();
  expect([first, second, third].map(({ text }) => endOf(text))).toEqual([
    NOW + 2 * HOUR,
    NOW + 11 * HOUR,
    undefined,
  ]);
});

test("an expired key is not rotated back to life", () => {
  using dir = stateDir();
  using store = new KeyStore({ directory: dir.path, random });
  const { key } = store.create({ name: "bot", expires: NOW + 1 }, NOW);
  expect(store.rotate("bot", { now: NOW + 1, overlap: 0 })).toEqual({
    refused: "expired",
    id: key.id,
  });
});

test("a statement in a name stays a name", () => {
  using dir = stateDir();
  using store = new KeyStore({ directory: dir.path, random });
  const names = ["'; DROP TABLE keys; --", '" OR 1=1', "%", "\u0000x", "ключ"];
  for (const name of names) {
    store.create({ name, tenant: name }, NOW);
    expect(store.revoke(`${name}' OR '1'='1`, NOW)).toEqual({ refused: "unknown" });
  }
  expect(
    store
      .list(NOW)
      .map(({ name }) => name)
      .sort(),
  ).toEqual([...names].sort());
});

test("a store of a later version is left alone, with a sentence", () => {
  using dir = stateDir();
  new KeyStore({ directory: dir.path, random }).close();
  const db = new Database(join(dir.path, KEY_FILE));
  db.run("PRAGMA user_version = 2");
  db.close();
  expect(() => new KeyStore({ directory: dir.path, random })).toThrow(KeyStoreError);
  expect(() => new KeyStore({ directory: dir.path, random })).toThrow("schema 2");
});

const WRITER = `${import.meta.dir}/key-writer.ts`;
const write = (...argv: readonly string[]) =>
  Bun.spawn([process.execPath, WRITER, ...argv], { stdout: "pipe", stderr: "inherit" });

test("processes that start together on no store share one, and lose no key", async () => {
  using dir = stateDir();
  const directory = join(dir.path, "new");
  const writers = Array.from({ length: 6 }, (_, i) => write(directory, `w${i}`, "20"));
  const said = await Promise.all(writers.map(({ stdout }) => stdout.text()));
  expect(await Promise.all(writers.map(({ exited }) => exited))).toEqual(Array(6).fill(0));
  using follower = followerOf(directory);
  follower.poll();
  const created = said.join("").match(/created \S+/g) ?? [];
  for (const line of created) {
    expect(follower.find(keyDigest(line.slice("created ".length)))).toBeDefined();
  }
  expect(follower.size).toBe(created.length);
  expect(readdirSync(directory).filter((name) => name.includes(".new"))).toEqual([]);
}, 60_000);

const KILLS = process.env["INTERLOCK_FULL"] === "1" ? 200 : 12;

test(`kill -9 of a writer, ${KILLS} times: what it said is there, and the store is whole`, async () => {
  using dir = stateDir();
  using follower = followerOf(dir.path);
  const texts = new Map<string, boolean>();
  for (let round = 0; round < KILLS; round++) {
    const writer = write(dir.path, `r${round}`);
    const reader = writer.stdout.getReader();
    let said = Buffer.from((await reader.read()).value ?? []).toString();
    const reading = (async () => {
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        said += Buffer.from(part.value).toString();
      }
    })();
    await Bun.sleep((round * 37) % 60);
    writer.kill("SIGKILL");
    await Promise.all([writer.exited, reading]);
    for (const [, what, text = ""] of said.matchAll(/(created|revoked) (\S+)\n/g)) {
      texts.set(text, what === "revoked");
    }
  }
  follower.poll();
  for (const [text, revoked] of texts) {
    const found = follower.find(keyDigest(text));
    expect(found).toBeDefined();
    if (revoked) expect(found?.key.revoked).toBeDefined();
  }
  // A key killed between its commit and its line is there unsaid; nothing is there in halves.
  const db = new Database(join(dir.path, KEY_FILE), { readonly: true });
  const whole = db.query<{ integrity_check: string }, []>("PRAGMA integrity_check").all();
  const orphans = db.query("SELECT id FROM keys WHERE id NOT IN (SELECT key FROM secrets)").all();
  db.close();
  expect([whole, orphans]).toEqual([[{ integrity_check: "ok" }], []]);
  expect(texts.size).toBeGreaterThan(KILLS);
}, 240_000);

test("kill -9 while the store is made leaves none or a whole one, which the next takes", async () => {
  for (let round = 0; round < KILLS; round++) {
    using dir = stateDir();
    const directory = join(dir.path, "new");
    const writer = write(directory, "w");
    while (!existsSync(directory)) await Bun.sleep(0);
    await Bun.sleep(round % 6);
    writer.kill("SIGKILL");
    await writer.exited;
    using store = new KeyStore({ directory, random });
    const { text } = store.create({ name: "after" }, NOW);
    using follower = followerOf(directory);
    follower.poll();
    expect(follower.find(keyDigest(text))).toBeDefined();
  }
}, 240_000);
