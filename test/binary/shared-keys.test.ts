import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SQL } from "bun";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { json } from "../faultd/script.ts";
import { frozenLink } from "../state/keys/frozen-link.ts";
import { chatBody, configFor } from "./config.ts";
import { missing, named, ownDatabase } from "./database.ts";
import { type Binary, isFull, startBinary } from "./harness.ts";

const ANSWER = {
  ...{ id: "c", object: "chat.completion", created: 1, model: "m" },
  choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
};
const upstream: Faultd = startFaultd(() => json(ANSWER));
const folders: string[] = [];
afterAll(() => {
  upstream.stop();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
const binary = process.env["INTERLOCK_BINARY"] ?? join(import.meta.dir, "../../dist/interlock");
/** Room for a machine that does other things: what is promised is a second. */
const SOON_MS = 20_000;
/** Half of the database's deadline: an answer that waited for it would take longer. */
const WAITED_MS = 2000;

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "interlock-shared-"));
  folders.push(path);
  return path;
}

interface Spot {
  readonly url: string;
  readonly state: string;
  readonly args?: readonly string[];
}
function node({ url, state, args = [] }: Spot): Promise<Binary> {
  const rest = { state: { database_url: "${PG}" } };
  const config = configFor({ upstream, models: ["m"], rest });
  return startBinary({ config, env: { INTERLOCK_STATE_DIR: state, PG: url }, args });
}

/** One `interlock key` command somewhere, that has nothing but the database in common with nodes. */
async function key(url: string, ...args: readonly string[]): Promise<string> {
  const env = { PATH: "/usr/bin:/bin", HOME: folder() };
  const command = [binary, "key", ...args, "--database-url", url];
  const child = Bun.spawn(command, { env, stderr: "pipe" });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) throw new Error(err);
  return out.trim();
}

async function ask({ origin }: Binary, secret: string): Promise<number> {
  const answer = await fetch(`${origin}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${secret}` },
    body: chatBody({ max_tokens: 5 }),
  });
  await answer.arrayBuffer();
  return answer.status;
}

/** How long it took until this was the answer. */
async function until(wanted: number, asked: () => Promise<number>): Promise<number> {
  const from = performance.now();
  for (;;) {
    const status = await asked();
    const took = performance.now() - from;
    if (status === wanted) return took;
    if (took > SOON_MS) throw new Error(`still ${status} after ${Math.round(took)} ms`);
    await Bun.sleep(5);
  }
}

describe.skipIf(missing !== undefined)(named("keys that a database shares"), () => {
  test("a key made beside one node opens all, its end shuts all, within a second or so", async () => {
    await using database = await ownDatabase();
    const { url } = database;
    await using one = await node({ url, state: folder() });
    await using two = await node({ url, state: folder(), args: ["--workers", "2"] });
    expect(await ask(one, "sk-nobody-0123456789abcdef")).toBe(401);
    const took: number[] = [];
    for (let round = 0; round < 3; round++) {
      const text = await key(url, "create", "--name", `app${round}`);
      took.push(await until(200, () => ask(one, text)), await until(200, () => ask(two, text)));
      await key(url, "revoke", `app${round}`);
      took.push(await until(401, () => ask(one, text)), await until(401, () => ask(two, text)));
    }
    console.log(`shared keys: seen after at most ${Math.round(Math.max(...took))} ms`);
  }, 60_000);

  test("a node goes on while the database is frozen, cut or gone, and starts without it", async () => {
    await using database = await ownDatabase();
    const { url } = database;
    using link = frozenLink(database.server);
    const far = { url: database.through(link.port), state: folder() };
    const text = await key(url, "create", "--name", "app");
    let late = "";
    {
      await using running = await node(far);
      expect(await ask(running, text)).toBe(200);
      link.freeze();
      late = await key(url, "create", "--name", "late");
      let slowest = 0;
      for (let count = 0; count < 200; count++) {
        const from = performance.now();
        expect(await ask(running, text)).toBe(200);
        slowest = Math.max(slowest, performance.now() - from);
      }
      console.log(`shared keys: slowest answer while frozen ${Math.round(slowest)} ms`);
      expect(slowest).toBeLessThan(WAITED_MS);
      expect(await ask(running, late)).toBe(401);
      link.thaw();
      link.cut();
      await until(200, () => ask(running, late));
      link.freeze();
      link.cut();
      await key(url, "revoke", "late");
    }
    // Started again, it finds nobody who answers: what it kept is as it was.
    await using again = await node(far);
    expect([await ask(again, text), await ask(again, late)]).toEqual([200, 200]);
    link.thaw();
    link.cut();
    await until(401, () => ask(again, late));
    expect(await ask(again, text)).toBe(200);
  }, 60_000);

  test("keys that a node had for itself are every node's from then on", async () => {
    await using database = await ownDatabase();
    const { url } = database;
    const state = folder();
    const env = { PATH: "/usr/bin:/bin", INTERLOCK_STATE_DIR: state };
    const made = Bun.spawnSync([binary, "key", "create", "--name", "own"], { env });
    const text = made.stdout.toString().trim();
    await using one = await node({ url, state });
    expect(await ask(one, text)).toBe(200);
    await using two = await node({ url, state: folder() });
    await until(200, () => ask(two, text));
    await key(url, "revoke", "own");
    await until(401, () => ask(two, text));
    await until(401, () => ask(one, text));
  }, 60_000);

  test("a database that has lost everything shuts nobody out, and is told again", async () => {
    await using database = await ownDatabase();
    const { url } = database;
    await using one = await node({ url, state: folder() });
    const text = await key(url, "create", "--name", "app");
    const ended = await key(url, "create", "--name", "ended");
    await until(200, () => ask(one, ended));
    await key(url, "revoke", "ended");
    await until(401, () => ask(one, ended));
    await until(200, () => ask(one, text));
    const sql = new SQL(url, { max: 1 });
    await sql.unsafe("DROP SCHEMA public CASCADE; CREATE SCHEMA public").simple();
    await sql.close({ timeout: 0 });
    const late = await key(url, "create", "--name", "late");
    await until(200, async () => {
      expect(await ask(one, text)).toBe(200);
      return ask(one, late);
    });
    // Who has never heard of any of them knows them all.
    await using two = await node({ url, state: folder() });
    for (const each of [text, late]) await until(200, () => ask(two, each));
    expect([await ask(one, ended), await ask(two, ended)]).toEqual([401, 401]);
  }, 60_000);

  test("whatever befalls the link, in the end a node knows exactly the keys there are", async () => {
    await using database = await ownDatabase();
    const { url } = database;
    using link = frozenLink(database.server);
    await using running = await node({ url: database.through(link.port), state: folder() });
    const [live, ended]: string[][] = [[], []];
    for (let round = 0; round < (isFull ? 40 : 6); round++) {
      const text = await key(url, "create", "--name", `k${round}`);
      const trouble = round % 3;
      if (trouble === 0) link.freeze();
      if (trouble === 1) link.cut();
      if (round % 2 === 0) live!.push(text);
      else {
        await key(url, "revoke", `k${round}`);
        ended!.push(text);
      }
      if (trouble === 2) link.thaw();
    }
    link.thaw();
    link.cut();
    for (const text of live!) await until(200, () => ask(running, text));
    for (const text of ended!) await until(401, () => ask(running, text));
  }, 120_000);
});
