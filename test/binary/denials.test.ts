import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { SQL } from "bun";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { json } from "../faultd/script.ts";
import { frozenLink } from "../state/keys/frozen-link.ts";
import {
  answersTo,
  ask,
  eventuallyAll,
  newSigner,
  PLAIN,
  sample,
  type Signer,
  startDenying,
} from "./denials.ts";
import { eventually, type Fleet } from "./fleet.ts";
import { haveNats, needsNats, startNats } from "./nats-server.ts";

const ANSWER = {
  ...{ id: "c", object: "chat.completion", created: 1, model: "m" },
  choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
};
const upstream: Faultd = startFaultd(() => json(ANSWER));
let signer: Signer;
const folders: string[] = [];
beforeAll(async () => void (signer = await newSigner()));
afterAll(() => {
  upstream.stop();
  signer[Symbol.dispose]();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function newState(): string {
  const folder = mkdtempSync(join(tmpdir(), "interlock-denials-"));
  folders.push(folder);
  return folder;
}

function connected(fleet: Fleet, source: string): Promise<number | undefined> {
  return sample(fleet, `gateway_deny_set_connected{source="${source}"}`);
}

/** The slowest of many answers, one after the other. */
async function slowest(fleet: Fleet, key: string): Promise<number> {
  let worst = 0;
  for (let n = 0; n < 60; n++) {
    const from = performance.now();
    expect(await ask(fleet, key)).toBe(200);
    worst = Math.max(worst, performance.now() - from);
  }
  return worst;
}

/** Far above what an answer takes here, below the deadline of every server. */
const PROMPT_MS = 1900;

describe.skipIf(!haveNats)(`denials from NATS${needsNats}`, () => {
  test("blackhole_denies_then_restores", async () => {
    await using nats = await startNats();
    const deny = { nats: { url: nats.url } };
    await using fleet = await startDenying({ upstream, signer, deny, state: newState() });
    const key = await signer.mint(7);
    expect(await answersTo(fleet, key)).toEqual([200]);
    await eventually("a connection", async () => (await connected(fleet, "nats")) === 1);
    await nats.put("blackhole.7", "spend");
    await eventuallyAll(fleet, key, 402);
    expect(await answersTo(fleet, PLAIN)).toEqual([200]);
    expect(await sample(fleet, 'gateway_deny_set_size{source="nats"}')).toBe(1);
    await nats.delete("blackhole.7");
    await eventuallyAll(fleet, key, 200);
    await nats.put("blackhole.7", '{"reason":"spend"}');
    await eventuallyAll(fleet, key, 402);
  }, 30_000);

  test("blackhole_fraud_returns_403", async () => {
    await using nats = await startNats();
    await nats.put("blackhole.8", "fraud");
    const deny = { nats: { url: nats.url } };
    await using fleet = await startDenying({ upstream, signer, deny, state: newState() });
    await eventuallyAll(fleet, await signer.mint(8), 403);
    expect(await answersTo(fleet, await signer.mint(9))).toEqual([200]);
  }, 30_000);

  test("deny_set_is_fail_open_when_nats_drops", async () => {
    await using nats = await startNats();
    await nats.put("blackhole.1", "fraud");
    const deny = { nats: { url: nats.url }, max_staleness_seconds: 4 };
    await using fleet = await startDenying({ upstream, signer, deny, state: newState() });
    const [denied, open] = [await signer.mint(1), await signer.mint(2)];
    await eventuallyAll(fleet, denied, 403);
    await nats.kill();
    await eventually("the loss", async () => (await connected(fleet, "nats")) === 0);
    expect([await answersTo(fleet, open), await answersTo(fleet, denied)]).toEqual([[200], [403]]);
    const health = (await fleet.health()) as unknown as { deny_set: readonly object[] };
    expect(health.deny_set).toMatchObject([
      { source: "nats", size: 1, connected: false, problem: expect.any(String) },
      { source: "admin", size: 0, connected: true },
    ]);
    await eventuallyAll(fleet, open, 503); // Too long nobody has known who is denied.
    expect(await answersTo(fleet, PLAIN)).toEqual([200]);
    expect(await answersTo(fleet, denied)).toEqual([403]);
    await nats.start();
    await nats.put("blackhole.3", "spend");
    await eventuallyAll(fleet, open, 200);
    expect(await answersTo(fleet, await signer.mint(3))).toEqual([402]);
    expect(await answersTo(fleet, denied)).toEqual([403]);
  }, 60_000);

  test("on_stale: serve goes on for as long as it takes", async () => {
    const deny = { nats: { url: "nats://127.0.0.1:9" }, on_stale: "serve" };
    await using fleet = await startDenying({ upstream, signer, deny, state: newState() });
    await eventually("staleness", async () => {
      const stale = await sample(fleet, 'gateway_deny_set_staleness_seconds{source="nats"}');
      return (stale ?? 0) > 1.5;
    });
    expect(await answersTo(fleet, await signer.mint(1))).toEqual([200]);
  }, 30_000);

  test("on_disk_snapshot_enforces_across_restart_without_nats", async () => {
    await using nats = await startNats();
    await nats.put("blackhole.5", "fraud");
    const [state, deny] = [newState(), { nats: { url: nats.url } }];
    const [port, key] = [portToKeep(), await signer.mint(5)];
    {
      await using first = await startDenying({ upstream, signer, deny, state, port });
      await eventuallyAll(first, key, 403);
    }
    await nats.kill();
    {
      await using second = await startDenying({ upstream, signer, deny, state, port });
      expect(await answersTo(second, key)).toEqual([403]); // The very first answers.
      expect(await answersTo(second, await signer.mint(6))).toEqual([200]);
    }
    await nats.start();
    await nats.delete("blackhole.5");
    await nats.put("blackhole.6", "spend");
    await using third = await startDenying({ upstream, signer, deny, state, port });
    await eventuallyAll(third, key, 200);
    expect(await answersTo(third, await signer.mint(6))).toEqual([402]);
  }, 60_000);

  test("a restart hands the connection over, and a reload moves it", async () => {
    await using nats = await startNats();
    const deny = { nats: { url: nats.url } };
    await using fleet = await startDenying({ upstream, signer, deny, state: newState() });
    await eventually("a connection", async () => (await connected(fleet, "nats")) === 1);
    expect((await fleet.run("restart")).code).toBe(0);
    await nats.put("blackhole.4", "spend");
    const key = await signer.mint(4);
    await eventuallyAll(fleet, key, 402);
    const file = join(fleet.home, "denied.log");
    await Bun.write(file, "deny 11 fraud\n");
    const tree = JSON.parse(await Bun.file(fleet.file).text());
    tree.signed_keys.deny = { file };
    await Bun.write(fleet.file, JSON.stringify(tree));
    expect(await fleet.run("reload")).toMatchObject({ code: 0 });
    await eventuallyAll(fleet, key, 200);
    expect(await answersTo(fleet, await signer.mint(11))).toEqual([403]);
  }, 60_000);

  test.each([1, 2])(
    "a frozen server slows no request of %d workers",
    async (workers) => {
      await using nats = await startNats();
      await nats.put("blackhole.1", "fraud");
      const deny = { nats: { url: nats.url } };
      const options = { upstream, signer, deny, state: newState(), workers };
      await using fleet = await startDenying(options);
      const [denied, open] = [await signer.mint(1), await signer.mint(2)];
      await eventuallyAll(fleet, denied, 403);
      nats.freeze();
      expect(await slowest(fleet, open)).toBeLessThan(PROMPT_MS);
      await eventually("it is noticed", async () => (await connected(fleet, "nats")) === 0, 20_000);
      expect(await slowest(fleet, open)).toBeLessThan(PROMPT_MS);
      expect(await ask(fleet, denied)).toBe(403);
      nats.thaw();
      await nats.put("blackhole.2", "spend");
      await eventuallyAll(fleet, open, 402);
    },
    60_000,
  );
});

const POSTGRES = process.env["INTERLOCK_POSTGRES_URL"];
const needsPostgres =
  POSTGRES === undefined ? " skipped: needs postgres (INTERLOCK_POSTGRES_URL)" : "";

/** A database of the test's own, its tables made by the binary. */
async function newDatabase(run: Fleet["run"]) {
  const name = `interlock_deny_${process.pid}_${Date.now()}`;
  const sql = new SQL(POSTGRES!, { max: 1 });
  await sql.unsafe(`CREATE DATABASE ${name}`);
  const url = new URL(POSTGRES!);
  url.pathname = `/${name}`;
  const ran = await run("migrate", "run", "--database-url", url.href);
  expect(ran).toMatchObject({ code: 0 });
  const own = new SQL(url.href, { max: 1 });
  return {
    url,
    sql: own,
    async [Symbol.asyncDispose]() {
      await own.close();
      await sql.unsafe(`DROP DATABASE ${name} WITH (FORCE)`);
      await sql.close();
    },
  };
}

describe.skipIf(POSTGRES === undefined)(`denials from Postgres${needsPostgres}`, () => {
  test("rows deny in every worker, and a frozen server slows nobody", async () => {
    const state = newState();
    const nowhere = { deny: {}, state: newState() };
    await using any = await startDenying({ upstream, signer, ...nowhere });
    await using database = await newDatabase(any.run);
    const { hostname, port } = database.url;
    using link = frozenLink({ hostname, port: Number(port || 5432) });
    const url = new URL(database.url);
    url.host = `127.0.0.1:${link.port}`;
    const deny = { postgres: { url: url.href }, max_staleness_seconds: 5 };
    const [denied, open] = [await signer.mint(2 ** 40), await signer.mint(2)];
    await using fleet = await startDenying({ upstream, signer, deny, state });
    await eventually("a connection", async () => (await connected(fleet, "postgres")) === 1);
    await database.sql`INSERT INTO interlock_deny VALUES (${2 ** 40}, 'spend')`;
    await eventuallyAll(fleet, denied, 402);
    await database.sql`DELETE FROM interlock_deny`;
    await eventuallyAll(fleet, denied, 200);
    await database.sql`INSERT INTO interlock_deny VALUES (${2 ** 40}, 'fraud')`;
    await eventuallyAll(fleet, denied, 403);
    link.freeze();
    expect(await slowest(fleet, open)).toBeLessThan(PROMPT_MS);
    await eventually("the loss", async () => (await connected(fleet, "postgres")) === 0);
    await eventuallyAll(fleet, open, 503);
    expect(await answersTo(fleet, PLAIN)).toEqual([200]);
    expect(await answersTo(fleet, denied)).toEqual([403]);
    await database.sql`DELETE FROM interlock_deny`;
    link.thaw();
    link.cut();
    await eventuallyAll(fleet, denied, 200);
    expect(await answersTo(fleet, open)).toEqual([200]);
  }, 60_000);

  test("a database without the tables says what to do", async () => {
    const deny = { postgres: { url: POSTGRES! } };
    await using fleet = await startDenying({ upstream, signer, deny, state: newState() });
    await eventually("the reason", () => fleet.output().includes("interlock migrate run"));
    expect(await answersTo(fleet, await signer.mint(1))).toEqual([200]);
  }, 30_000);
});

test("a source that is none is an error with its path, its reason and its fix", async () => {
  await using fleet = await startDenying({ upstream, signer, deny: {}, state: newState() });
  const tree = JSON.parse(await Bun.file(fleet.file).text());
  tree.signed_keys.deny = {
    ...{ nats: { url: "http://127.0.0.1", bucket: "a b" }, postgres: {} },
    ...{ file: "/a", on_stale: "maybe", max_staleness_seconds: 0 },
  };
  tree.signed_keys.deny_file = "/b";
  const bad = join(fleet.home, "bad.yaml");
  await Bun.write(bad, JSON.stringify(tree));
  const { code, stdout } = await fleet.run("validate", bad, "--json");
  expect(code).toBe(1);
  const { errors } = JSON.parse(stdout) as { errors: readonly Record<string, string>[] };
  const at = "signed_keys.deny";
  expect(new Set(errors.map(({ path }) => path))).toEqual(
    new Set([
      ...[`${at}.nats.url`, `${at}.nats.bucket`, `${at}.postgres.url`, `${at}.on_stale`],
      ...[`${at}.max_staleness_seconds`, "signed_keys.deny_file"],
    ]),
  );
  for (const { reason, fix } of errors) expect([reason, fix]).not.toContain("");
});

/** One that is not given to connections meanwhile: Linux takes those from 32768 on. */
function portToKeep(): number {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    try {
      Bun.listen({ hostname: "127.0.0.1", port, socket: { data: () => {} } }).stop(true);
      return port;
    } catch {
      continue; // Somebody has it: the next one.
    }
  }
}
