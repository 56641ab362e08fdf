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
import { type Binary, startBinary } from "./harness.ts";

/** Every answer uses exactly this. */
const TOKENS = 15;
const ANSWER = {
  ...{ id: "c", object: "chat.completion", created: 1, model: "m" },
  choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: TOKENS },
};
const upstream: Faultd = startFaultd(() => json(ANSWER));
const folders: string[] = [];
afterAll(() => {
  upstream.stop();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
const program = process.env["INTERLOCK_BINARY"] ?? join(import.meta.dir, "../../dist/interlock");
const KEY = "sk-shared-budget-0123456789abcdef";
const SOON_MS = 60_000;
const BUDGET = 6000;
/** Of 5 %. */
const SLICE = 300;

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "interlock-budgets-"));
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
    keys: { app: { key: "${APP_KEY}", budget: { tokens: BUDGET, period: "total" } } },
    state: { database_url: "${PG}" },
  };
  const config = configFor({ upstream, models: ["m"], rest });
  return startBinary({ config, env: { INTERLOCK_STATE_DIR: state, PG: url, APP_KEY: KEY }, args });
}

/** Whether it was served; only a budget may refuse. */
async function ask({ origin }: Binary): Promise<boolean> {
  const answer = await fetch(`${origin}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${KEY}` },
    body: chatBody({ max_tokens: 5 }),
  });
  const text = await answer.text();
  if (answer.status === 200) return true;
  expect([answer.status, text]).toEqual([429, expect.stringContaining("insufficient_quota")]);
  expect(answer.headers.has("retry-after")).toBe(true);
  return false;
}

/** Asks all nodes at once, three times each. */
async function round(nodes: readonly Binary[]): Promise<number> {
  const asked = await Promise.all(nodes.flatMap((each) => [ask(each), ask(each), ask(each)]));
  return asked.filter(Boolean).length * TOKENS;
}

/** Asks all nodes until so much was used. */
async function spend(nodes: readonly Binary[], atLeast: number): Promise<number> {
  let used = 0;
  const from = performance.now();
  while (used < atLeast && performance.now() - from < SOON_MS) used += await round(nodes);
  return used;
}

/** Asks all nodes until nothing is served any more. */
async function spendAll(nodes: readonly Binary[]): Promise<number> {
  let used = 0;
  for (let vain = 0; vain < 150; vain++) {
    const more = await round(nodes);
    if (more > 0) vain = 0;
    used += more;
  }
  return used;
}

async function refusals(nodes: readonly Binary[], count: number): Promise<number> {
  const asked = await Promise.all(
    nodes.flatMap((each) => Array.from({ length: count }, () => ask(each))),
  );
  return asked.filter((isServed) => !isServed).length;
}

async function status(state: string): Promise<string> {
  const env = { PATH: "/usr/bin:/bin", INTERLOCK_STATE_DIR: state };
  return new Response(Bun.spawn([program, "status"], { env }).stdout).text();
}

describe.skipIf(missing !== undefined)(named("a budget that several nodes spend from"), () => {
  test("nodes together use it up and pass it by no more than was printed", async () => {
    await using database = await ownDatabase();
    const { url } = database;
    const state = folder();
    await using one = await node({ url, state });
    await using two = await node({ url, state: folder(), args: ["--workers", "2"] });
    await using three = await node({ url, state: folder() });
    expect(one.stderr()).toContain("largest overspend 5 % of a budget for each node");
    const nodes = [one, two, three];
    // What is left in the end is less than one request of each.
    const used = await spend(nodes, BUDGET - 3 * nodes.length * TOKENS);
    expect(used).toBeGreaterThanOrEqual(BUDGET - 3 * nodes.length * TOKENS);
    const more = used + (await spendAll(nodes));
    expect(more).toBeLessThanOrEqual(BUDGET + nodes.length * SLICE);
    const asked = 5 * nodes.length;
    expect(await refusals(nodes, 5)).toBe(asked);
    const printed = /budgets +shared by 3 nodes; largest overspend 900 tokens/;
    while (!printed.test(await status(state))) await Bun.sleep(50); // Nodes are counted at times.
    console.log(`shared budget: ${more} of ${BUDGET} tokens used by three nodes`);
  }, 180_000);

  test("a node that ends gives back what it holds, and asks for it again when it is back", async () => {
    await using database = await ownDatabase();
    const { url } = database;
    const state = folder();
    const sql = new SQL(url, { max: 1 });
    const free = async (): Promise<number | null> => {
      const [row] = await sql.unsafe("SELECT sum(held - used)::int AS free FROM budget_share");
      return row.free;
    };
    await using first = await node({ url, state });
    expect(await spend([first], SLICE * 2)).toBeGreaterThanOrEqual(SLICE * 2);
    while (((await free()) ?? 0) === 0) await Bun.sleep(20);
    expect(await first.stop()).toBe(0);
    expect(await free()).toBe(0);
    await using again = await node({ url, state });
    expect(await spend([again], SLICE)).toBeGreaterThanOrEqual(SLICE);
    await sql.close({ timeout: 0 });
  }, 180_000);

  test("a node that cannot ask uses its slice, and goes on when it can", async () => {
    await using database = await ownDatabase();
    using link = frozenLink(database.server);
    link.freeze();
    const state = folder();
    await using running = await node({ url: database.through(link.port), state });
    let served = 0;
    while (await ask(running)) served++;
    expect(served * TOKENS).toBeGreaterThan(SLICE - 2 * TOKENS);
    expect(served * TOKENS).toBeLessThanOrEqual(SLICE);
    link.thaw();
    link.cut();
    expect(await spend([running], SLICE * 4)).toBeGreaterThanOrEqual(SLICE * 4);
    // What it holds it may use also when the database is gone again, and after its own death.
    link.freeze();
    const held = await spend([running], TOKENS);
    expect(held).toBeGreaterThanOrEqual(TOKENS);
  }, 180_000);
});
