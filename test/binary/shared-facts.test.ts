import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SQL } from "bun";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { json } from "../faultd/script.ts";
import { frozenLink } from "../state/keys/frozen-link.ts";
import { chatBody, COMPLETION, configFor } from "./config.ts";
import { missing, named, ownDatabase } from "./database.ts";
import { type Binary, startBinary } from "./harness.ts";

const upstream: Faultd = startFaultd(() => json(JSON.parse(COMPLETION)));
const folders: string[] = [];
afterAll(() => {
  upstream.stop();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
const program = process.env["INTERLOCK_BINARY"] ?? join(import.meta.dir, "../../dist/interlock");
const KEY = "sk-shared-facts-0123456789abcdef";
const SOON_MS = 30_000;

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "interlock-facts-"));
  folders.push(path);
  return path;
}

interface Spot {
  readonly url: string;
  readonly state: string;
  readonly args?: readonly string[];
}
function node({ url, state, args = [] }: Spot): Promise<Binary> {
  const rest = {
    keys: { app: { key: "${APP_KEY}" } },
    ledger: { enabled: true },
    state: { database_url: "${PG}" },
  };
  const config = configFor({ upstream, models: ["m"], rest });
  return startBinary({ config, env: { INTERLOCK_STATE_DIR: state, PG: url, APP_KEY: KEY }, args });
}

async function ask({ origin }: Binary, times: number): Promise<void> {
  for (let count = 0; count < times; count++) {
    const answer = await fetch(`${origin}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${KEY}` },
      body: chatBody({ max_tokens: 5 }),
    });
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();
  }
}

async function told(env: Record<string, string>, ...args: readonly string[]): Promise<string> {
  const child = Bun.spawn([program, ...args], { env: { PATH: "/usr/bin:/bin", ...env } });
  return new Response(child.stdout).text();
}

async function soon(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const from = performance.now(); performance.now() - from < SOON_MS;) {
    if (await holds()) return;
    await Bun.sleep(20);
  }
  throw new Error(`it did not come to pass: ${what}`);
}

/** What the database has: of each fact one, and each with its key's balance. */
async function books(url: string) {
  const sql = new SQL(url, { max: 1 });
  try {
    const [facts] = await sql.unsafe("SELECT count(*)::int AS n FROM usage_fact");
    const [ids] = await sql.unsafe("SELECT count(DISTINCT id)::int AS n FROM usage_fact");
    const [balance] = await sql.unsafe("SELECT coalesce(sum(facts), 0)::int AS n FROM balance");
    return { facts: facts.n, ids: ids.n, balance: balance.n };
  } finally {
    await sql.close({ timeout: 0 });
  }
}
const whole = (n: number) => ({ facts: n, ids: n, balance: n });

async function standing({ adminOrigin }: Binary) {
  const answer = await fetch(`${adminOrigin}/readyz`);
  const body = (await answer.json()) as { database: Record<string, unknown> };
  return { status: answer.status, database: body.database };
}

describe.skipIf(missing !== undefined)(named("facts that a database gathers"), () => {
  test("what nodes used is in the database once, and a command adds it all up", async () => {
    await using database = await ownDatabase();
    const { url } = database;
    const states = [folder(), folder()];
    await using one = await node({ url, state: states[0]! });
    await using two = await node({ url, state: states[1]!, args: ["--workers", "2"] });
    await Promise.all([ask(one, 40), ask(two, 60)]);
    await soon("100 facts", async () => (await books(url)).facts === 100);
    expect(await books(url)).toEqual(whole(100));
    const usage = await told({}, "token-usage", "--json", "--window", "all", "--database-url", url);
    expect(JSON.parse(usage)).toMatchObject([{ requests: 100 }]);
    const own = ["--json", "--window", "all", "--state-dir", states[0]!] as const;
    expect(JSON.parse(await told({}, "token-usage", ...own))).toMatchObject([{ requests: 40 }]);
    await soon("in step", async () => (await standing(one)).database["status"] === "in_step");
    expect((await standing(one)).database).toMatchObject({ facts_waiting: 0, problem: null });
    expect(await one.metrics()).toContain("\ngateway_database_in_step 1\n");
  }, 90_000);

  test("while the database is frozen or gone facts wait in the node's ledger, over its death too", async () => {
    await using database = await ownDatabase();
    const { url } = database;
    using link = frozenLink(database.server);
    const far = { url: database.through(link.port), state: folder() };
    {
      await using running = await node(far);
      await ask(running, 10);
      await soon("10 facts", async () => (await books(url)).facts === 10);
      link.freeze();
      await ask(running, 30);
      await soon("told", async () => (await standing(running)).database["status"] === "behind");
      // It is served all the same: nobody is turned away, and it says what waits.
      expect((await standing(running)).status).toBe(200);
      await soon("30 waiting", async () => {
        return (await standing(running)).database["facts_waiting"] === 30;
      });
      expect(await running.metrics()).toMatch(/\ngateway_database_facts_waiting 30\n/);
      expect(await running.metrics()).toContain("\ngateway_database_in_step 0\n");
      const env = { INTERLOCK_STATE_DIR: far.state };
      expect(await told(env, "status")).toContain("30 facts waiting");
      expect(await books(url)).toEqual(whole(10));
    } // Killed with 30 facts that only it knows.
    link.thaw();
    link.cut();
    await using again = await node(far);
    await soon("40 facts", async () => (await books(url)).facts === 40);
    await ask(again, 5);
    await soon("45 facts", async () => (await books(url)).facts === 45);
    expect(await books(url)).toEqual(whole(45));
  }, 90_000);

  test("a database that lost everything is given every fact again", async () => {
    await using database = await ownDatabase();
    const { url } = database;
    const state = folder();
    {
      await using running = await node({ url, state });
      await ask(running, 7);
      await soon("7 facts", async () => (await books(url)).facts === 7);
      expect(await running.stop()).toBe(0);
    }
    const sql = new SQL(url, { max: 1 });
    await sql.unsafe("DROP SCHEMA public CASCADE; CREATE SCHEMA public").simple();
    await sql.close({ timeout: 0 });
    await using running = await node({ url, state });
    await ask(running, 1);
    await soon("8 facts", async () => (await books(url).catch(() => whole(0))).facts === 8);
    expect(await books(url)).toEqual(whole(8));
  }, 90_000);
});
