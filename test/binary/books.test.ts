import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkBooks } from "../../src/state/ledger/books.ts";
import { openSqlite } from "../../src/state/store/sqlite.ts";
import { seededRandom } from "../sim/gateway.ts";
import { nameOf, type Shop, soldFor, startShop } from "./books-shop.ts";
import {
  asked,
  type BookedFact,
  BUDGETS,
  cellOf,
  childrenOf,
  factsIn,
  KEYS,
  slay,
  startTrade,
  type Trade,
} from "./books-trade.ts";
import { eventually, type Fleet, startFleet } from "./fleet.ts";
import { isFull } from "./harness.ts";

// Every request is in the books once, whoever is killed while it runs: what a client has whole is
// there as it was sold, and the sum of all facts is what the budgets were charged.

const KILLS = isFull ? 1000 : 20;
const seed = isFull ? 1 : Math.floor(Date.now() / 60_000) % 100_000;
/** A place that dies often is filled ever later: then all of it starts anew. */
const CYCLE = ["worker", "writer", "worker", "writer", "worker", "writer", "worker"] as const;

function configFor(shop: Shop): object {
  const at = { api_key: "sk-upstream-canary-0123456789" };
  const openai = { protocol: "openai", base_url: `${shop.faultd.origin}/v1`, placement: "local" };
  const anthropic = { protocol: "anthropic", base_url: shop.faultd.origin, placement: "external" };
  const total = { period: "total" };
  return {
    privacy: { default: "shareable" },
    providers: { shop: { ...at, ...openai }, anthropic: { ...at, ...anthropic } },
    models: {
      m: { provider: "shop" },
      claude: { provider: "anthropic", upstream_model: "claude-sonnet-4-5" },
    },
    keys: {
      tok: { key: KEYS.openai.secret, budget: { ...total, tokens: BUDGETS.tok.amount } },
      usd: { key: KEYS.anthropic.secret, budget: { ...total, usd: BUDGETS.usd.amount / 1e9 } },
    },
    telemetry: { logging: { level: "error" } },
  };
}

class Machine {
  readonly state = mkdtempSync(join(tmpdir(), "interlock-books-"));
  readonly #shop: Shop;
  #fleet: Fleet | undefined;
  port: number | undefined;
  kills = 0;

  constructor(shop: Shop) {
    this.#shop = shop;
  }

  get fleet(): Fleet {
    if (this.#fleet === undefined) throw new Error("nothing runs");
    return this.#fleet;
  }

  async start(): Promise<void> {
    const env = { INTERLOCK_STATE_DIR: this.state };
    const config = { ...configFor(this.#shop) };
    for (let tries = 0; ; tries++) {
      try {
        this.#fleet = await startFleet({ config, env, workers: 2, port: this.port });
        this.port = this.#fleet.port;
        return;
      } catch (cause) {
        // Of a thousand ports that were free a moment ago some are another program's by now.
        if (tries >= 10 || !String(cause).includes("EADDRINUSE")) throw cause;
      }
    }
  }

  /** One of the children of a kind, if there is any now. */
  killOne(what: "worker" | "writer", chance: () => number): void {
    const { workers, writers } = childrenOf(this.fleet);
    const pids = what === "worker" ? workers : writers;
    const victim = pids[Math.floor(chance() * pids.length)];
    if (victim !== undefined && slay(victim)) this.kills++;
  }

  /** Everything at once, as when the machine's memory is gone. */
  async killAll(): Promise<void> {
    const { workers, writers } = childrenOf(this.fleet);
    const pids = [...writers, this.fleet.firstPid, ...workers];
    for (const pid of pids) if (slay(pid)) this.kills++;
    await this.fleet[Symbol.asyncDispose]();
  }

  /** The others notice, end what they have and follow. */
  async killSupervisor(): Promise<void> {
    const { workers, writers } = childrenOf(this.fleet);
    if (slay(this.fleet.firstPid)) this.kills++;
    const left = [...workers, ...writers];
    await eventually("the end of those left", () => left.every((pid) => this.#isOver(pid)), 60_000);
    await this.fleet[Symbol.asyncDispose]();
  }

  /** What was asked for since, and is held, would keep its worker for as long as a drain may last. */
  #isOver(pid: number): boolean {
    this.#shop.letGo();
    return isGone(pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fleet[Symbol.asyncDispose]();
    rmSync(this.state, { recursive: true, force: true });
  }

  async stop(): Promise<void> {
    process.kill(this.fleet.firstPid, "SIGTERM");
    expect(await this.fleet.exited).toBe(0);
  }
}

/** Lets others run for a while: a kill is to come at any moment, not when a client has read. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

test(`the books balance after kills at any moment (seed ${seed})`, async () => {
  using shop = startShop();
  const { next: chance } = seededRandom(seed);
  const machine = new Machine(shop);
  await machine.start();
  const trade = startTrade(() => machine.port!, chance, 6);
  while (machine.kills < KILLS) {
    for (const what of CYCLE) {
      trade.hold(2);
      await trade.answered(3 + Math.floor(chance() * 40));
      await turns(chance() * 50);
      machine.killOne(what, chance);
      shop.letGo();
    }
    if (chance() < 0.5) await machine.killAll();
    else await machine.killSupervisor();
    await machine.start();
  }
  trade.hold(2);
  await trade.answered(50);
  shop.letGo();
  await trade.stop();
  const metrics = await machine.fleet.metrics();
  expect(metrics).toContain("gateway_ledger_facts_lost_total 0\n");
  await machine.stop();
  await audit(machine, shop, trade);
  await machine[Symbol.asyncDispose]();
}, 3_600_000);

test("a killed process's requests are in the books at what they had delivered", async () => {
  using shop = startShop();
  const machine = new Machine(shop);
  await machine.start();
  const orders = (["openai", "anthropic"] as const).map((wire, number) => ({
    ...{ id: nameOf(number, { wire, fate: "held" }), wire, fate: "held" as const },
  }));
  const answers = await Promise.all(orders.map((order) => asked(machine.port!, order)));
  const readers = answers.map((answer) => answer.body!.getReader());
  // Five bytes of text have come on one wire and two on the other; then nothing more does.
  const come = await Promise.all(
    readers.map((reader, at) => readUntil(reader, ["ld ", "so"][at]!)),
  );
  expect(come.map(({ length }) => length > 0)).toEqual([true, true]);
  await machine.killAll();
  shop.letGo();
  await Promise.allSettled(readers.map((reader) => reader.cancel()));
  await machine.start();
  await eventually("their facts", async () =>
    (await machine.fleet.metrics()).includes("gateway_ledger_facts_written_total 2\n"),
  );
  await machine.stop();
  const facts = factsIn(machine.state).toSorted((one, other) => one.key.localeCompare(other.key));
  const estimated = { provenance: "estimated", killed: 1, attempts: 1 };
  expect(facts).toMatchObject([
    { request: orders[0]!.id, key: "tok", output: 2, nano: 0, ...estimated },
    { request: orders[1]!.id, key: "usd", output: 1, ...estimated },
  ]);
  for (const { key, input, output, nano } of facts) {
    const { spent, reserved } = cellOf(machine.state, machine.port!, key as "tok" | "usd");
    expect({ spent, reserved }).toEqual({
      spent: key === "tok" ? input + output : nano,
      reserved: 0,
    });
    expect(spent).toBeGreaterThan(0);
  }
  await machine[Symbol.asyncDispose]();
}, 60_000);

async function readUntil(
  reader: Pick<ReadableStreamDefaultReader<Uint8Array>, "read">,
  text: string,
): Promise<string> {
  const decoder = new TextDecoder();
  let come = "";
  while (!come.includes(text)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`it ended with ${come}`);
    come += decoder.decode(value, { stream: true });
  }
  return come;
}

async function audit(machine: Machine, shop: Shop, trade: Trade): Promise<void> {
  const facts = factsIn(machine.state);
  const byRequest = Map.groupBy(facts, ({ request }) => request);
  // Whoever was sent upstream is in the books once.
  const missing = [...shop.seen.keys()].filter((id) => byRequest.get(id)?.length !== 1);
  expect(missing).toEqual([]);
  expect([...byRequest.values()].filter(({ length }) => length > 1)).toEqual([]);
  // What a client has whole is there as it was sold.
  const wrong = [...trade.endings].filter(([id, ending]) => {
    if (ending !== "whole" || id.endsWith("-mad")) return false;
    return !isAsSold(byRequest.get(id)?.[0]);
  });
  expect(wrong.map(([id]) => [id, soldFor(id), byRequest.get(id)])).toEqual([]);
  // Each try is in it, but for those of a request whose process died.
  const tries = facts.filter(({ attempts, request, killed, provenance }) => {
    const isOrphan = killed > 0 || provenance === "partial";
    return !isOrphan && attempts !== shop.seen.get(request);
  });
  expect(tries).toEqual([]);
  // And what each key was charged is the sum of its facts, in the cell and in its balance.
  for (const [id, unit] of [
    ["tok", "tokens"],
    ["usd", "nano"],
  ] as const) {
    const { spent, reserved } = cellOf(machine.state, machine.port!, id);
    const own = facts.filter(({ key }) => key === id);
    const sum = own.reduce((all, { input, output, nano }) => {
      return all + (unit === "nano" ? nano : input + output);
    }, 0);
    expect({ id, spent, reserved }).toEqual({ id, spent: sum, reserved: 0 });
    expect(sum).toBeGreaterThan(0);
  }
  const sql = openSqlite({ path: join(machine.state, "interlock.db"), deadlineMs: 5000 });
  expect(await checkBooks(sql)).toEqual([]);
  await sql.close();
  const told = await machine.fleet.run("token-usage", "--json", "--window", "all");
  const total = facts.reduce((all, { input }) => all + input, 0);
  expect(told.stdout).toContain(String(total));
}

function isAsSold(fact: BookedFact | undefined): boolean {
  if (fact === undefined || fact.provenance !== "reported") return false;
  const { input, output, cacheRead, cacheWrite, cacheWriteLong } = fact;
  return Bun.deepEquals(soldFor(fact.request), {
    ...{ input, output, cacheRead, cacheWrite, cacheWriteLong },
  });
}
