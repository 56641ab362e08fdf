import { afterAll, afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { json } from "../faultd/script.ts";
import { chatBody, configFor } from "./config.ts";
import { seeded } from "../faultd/pieces.ts";
import { SEED } from "./cut-cases.ts";
import { eventually, type Fleet, startFleet } from "./fleet.ts";
import { isFull } from "./harness.ts";

/** Whatever else the machine does: each waits for what must come. */
setDefaultTimeout(60_000);

// The wall clock of the binary is libfaketime's: it reads how wrong it is from a file, each time it
// is asked. The machine's own clock stays as it is.

const [PRELOAD] = new Bun.Glob("*/faketime/libfaketimeMT.so.1").scanSync({
  ...{ cwd: "/usr/lib", absolute: true },
});
const skipped = PRELOAD === undefined ? " skipped: needs libfaketime" : "";

/** A worker that dies more often within a minute is taken to be in a loop. */
const KILLS_MAX = 8;
const HOUR = 3600;
const KEY = "sk-clock-0123456789abcdef";
const COST = 15;
const ANSWER = {
  ...{ id: "c", object: "chat.completion", created: 1, model: "m" },
  choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: COST },
};
const upstream: Faultd = startFaultd(() => json(ANSWER));
const home = mkdtempSync(join(tmpdir(), "interlock-clock-"));
const offset = join(home, "offset");
afterAll(() => {
  upstream.stop();
  rmSync(home, { recursive: true, force: true });
});

/** What the binary's clock is ahead when it is right: it begins each test in the middle of an hour. */
let middle = 0;

/** Makes the binary's wall clock wrong by so many seconds. */
function jumpTo(seconds: number): void {
  const ahead = middle + seconds;
  writeFileSync(`${offset}.new`, `${ahead < 0 ? "" : "+"}${ahead}\n`);
  renameSync(`${offset}.new`, offset);
}
afterEach(() => jumpTo(0));

function environment(name: string): Record<string, string> {
  return {
    INTERLOCK_STATE_DIR: join(home, name),
    LD_PRELOAD: PRELOAD ?? "",
    FAKETIME_TIMESTAMP_FILE: offset,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  };
}

interface Rig {
  readonly name: string;
  readonly limits: object;
  readonly workers?: number;
}

function start({ name, limits, workers = 1 }: Rig): Promise<Fleet> {
  middle = Math.round(HOUR / 2 - ((Date.now() / 1000) % HOUR));
  jumpTo(0);
  const keys = { app: { key: KEY, ...limits } };
  const config = { ...configFor({ upstream, models: ["m"] }), keys, ledger: { enabled: true } };
  return startFleet({ config, workers, env: environment(name) });
}

async function ask({ origin }: Fleet, max_tokens = 5): Promise<Response | undefined> {
  try {
    const answer = await fetch(`${origin}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${KEY}` },
      body: chatBody({ max_tokens }),
      keepalive: false,
    });
    await answer.arrayBuffer();
    return answer;
  } catch {
    return undefined; // Its worker was killed.
  }
}

/** Asks until it is refused; how often it was not. */
async function spendAll(fleet: Fleet): Promise<number> {
  for (let count = 0; ; count++) if ((await ask(fleet))?.status !== 200) return count;
}

function told(answer: Response | undefined): Map<string, string> {
  const text = answer?.headers.get("x-interlock-budget") ?? "";
  return new Map(text.split("; ").map((part) => part.split("=") as [string, string]));
}

/** So far from now, as the file says it. */
function inSeconds(seconds: number): string {
  return `${new Date(Date.now() + seconds * 1000).toISOString().slice(0, 19)}Z`;
}

/** What is spent once nothing is reserved: what the dead left is settled within seconds. */
async function settled(fleet: Fleet): Promise<number> {
  for (;;) {
    const level = told(await ask(fleet, 1_000_000));
    if (level.get("reserved") === "0") return Number(level.get("spent"));
    await Bun.sleep(20);
  }
}

async function usedByLedger(fleet: Fleet): Promise<number> {
  const { stdout } = await fleet.run("token-usage", "--json", "--window", "all");
  const [all] = JSON.parse(stdout) as readonly { readonly total_tokens: number }[];
  return all?.total_tokens ?? 0;
}

/** What the metrics say once they say it: workers look at their clock every second. */
async function untilJumped(fleet: Fleet, is: 0 | 1): Promise<void> {
  while (!(await fleet.metrics()).includes(`gateway_wall_clock_jumped ${is}\n`)) {
    await Bun.sleep(20);
  }
}

const JUMPS: readonly (readonly [name: string, seconds: number])[] = [
  ["an hour ahead", HOUR],
  ["an hour back", -HOUR],
  ["forty days ahead", 40 * 86_400],
  ["forty days back", -40 * 86_400],
  ["to 2038", 365 * 12 * 86_400],
];

describe.skipIf(PRELOAD === undefined)(`a wall clock that jumps${skipped}`, () => {
  test.each(JUMPS)("%s renews no budget, and is said", async (name, seconds) => {
    const budget = { tokens: 200, period: "hourly" };
    await using fleet = await start({ name, limits: { budget } });
    expect(await spendAll(fleet)).toBeGreaterThan(0);
    const before = told(await ask(fleet));
    jumpTo(seconds);
    const after = await ask(fleet);
    expect(after?.status).toBe(429);
    expect(told(after).get("spent")).toBe(before.get("spent"));
    expect(Math.abs(Number(told(after).get("reset")) - Number(before.get("reset")))).toBeLessThan(
      60,
    );
    await untilJumped(fleet, 1);
    await eventually("its line", () => fleet.output().includes("The wall clock jumped"));
    jumpTo(0);
    await untilJumped(fleet, 0);
    expect((await ask(fleet))?.status).toBe(429);
  });

  test("ahead ends no key, and back opens none again", async () => {
    const expires = inSeconds(HOUR);
    await using fleet = await start({ name: "keys", limits: { expires, max_concurrent: 9 } });
    jumpTo(2 * HOUR);
    expect((await ask(fleet))?.status).toBe(200);
    jumpTo(-2 * HOUR);
    expect((await ask(fleet))?.status).toBe(200);
  });

  test("is accepted by the operator, in every process", async () => {
    const budget = { tokens: 200, period: "hourly" };
    await using fleet = await start({ name: "accepted", limits: { budget }, workers: 2 });
    await spendAll(fleet);
    jumpTo(2 * HOUR);
    expect((await ask(fleet))?.status).toBe(429);
    const run = async (...args: readonly string[]) => (await fleet.run("clock", ...args)).stdout;
    expect(await run()).toMatch(/jumped by 7[12]\d\d s: budgets and keys end without it/);
    expect(await run("accept")).toContain("accepted");
    expect(await run()).toContain("budgets and keys end by the wall clock");
    while ((await ask(fleet))?.status !== 200) await Bun.sleep(20);
    await untilJumped(fleet, 0);
  });

  test(`again and again, under load, while workers are killed: the books balance, seed ${SEED}`, async () => {
    const limit = isFull ? 60_000 : 6000;
    const budget = { tokens: limit, period: "hourly" };
    await using fleet = await start({ name: "load", limits: { budget }, workers: 2 });
    const random = seeded(SEED);
    let admitted = 0;
    let refused = 0;
    let kills = 0;
    while (refused < 40) {
      jumpTo(JUMPS[Math.floor(random() * JUMPS.length)]![1] * (random() < 0.3 ? 0 : 1));
      const workers = (await fleet.status()).workers.filter(({ pid }) => pid > 0);
      const victim = workers[Math.floor(random() * workers.length * 3)];
      const answers = Array.from({ length: 20 }, () => ask(fleet));
      if (victim !== undefined && kills++ < KILLS_MAX) process.kill(victim.pid, "SIGKILL");
      for (const answer of await Promise.all(answers)) {
        if (answer?.status === 200) admitted++;
        if (answer?.status === 429) refused++;
      }
    }
    jumpTo(0);
    // What a killed worker was asked and never answered is charged to nobody.
    const spent = await settled(fleet);
    expect(spent).toBeLessThanOrEqual(limit);
    expect(spent).toBeGreaterThanOrEqual(admitted * COST);
    process.kill(fleet.firstPid, "SIGTERM");
    await fleet.exited;
    expect(await usedByLedger(fleet)).toBe(spent);
    expect(fleet.output()).not.toContain("A bug was caught");
  }, 300_000);
});
