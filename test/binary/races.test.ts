import { describe, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { mintSignedKey, publicKeyText } from "../../src/wire/signed-key-mint.ts";
import { seeded } from "../faultd/pieces.ts";
import { chatBody } from "./config.ts";
import { SEED } from "./cut-cases.ts";
import { type Fleet, startFleet } from "./fleet.ts";
import { isFull } from "./harness.ts";

// A race: many calls at once with a key whose budget fits only some of them. Each has a key of its
// own, so that none begins with what another left.

const RACES = isFull ? 10_000 : 150;
const CALLS_MAX = 200;
const BUDGET = 6000;
/** Races at the same time. */
const WIDTH = 6;
/** How often what must fit is asked for before it is believed to be lost. */
const LAST_TRIES = 100;
/** One wave of so many has a worker killed in it. */
const CRASH_EVERY = isFull ? 40 : 12;

const { privateKey } = generateKeyPairSync("ed25519");
const keyOf = (tenant: number): string =>
  mintSignedKey({ kid: 1, tenant: BigInt(tenant), vpc: 0n }, privateKey);

/** An upstream that uses exactly what was reserved: all of the output, and our count of the input. */
function startShop() {
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const text = await request.text();
      const { max_tokens: output } = JSON.parse(text) as { readonly max_tokens: number };
      const input = tokensOf(text);
      const usage = { prompt_tokens: input, completion_tokens: output };
      const message = { role: "assistant", content: "hi" };
      const choices = [{ index: 0, message, finish_reason: "stop" }];
      const head = { id: "c", object: "chat.completion", created: 1, model: "m", choices };
      return Response.json({ ...head, usage: { ...usage, total_tokens: input + output } });
    },
  });
}

const tokensOf = (body: string): number => Math.ceil(Buffer.byteLength(body) / 4);

interface Race {
  readonly tenant: number;
  readonly calls: number;
  readonly body: string;
  /** What one call reserves, and uses. */
  readonly cost: number;
  /** When each client leaves; undefined for never. */
  readonly leaves: readonly (number | undefined)[];
}

function raceOf(tenant: number, random: () => number): Race {
  const calls = 2 + Math.floor(random() ** 4 * (CALLS_MAX - 1));
  const fits = 1 + Math.floor(random() * (calls - 1));
  const least = tokensOf(chatBody({ max_tokens: 9999 }));
  const body = chatBody({ max_tokens: Math.max(1, Math.floor(BUDGET / fits) - least) });
  const { max_tokens } = JSON.parse(body) as { readonly max_tokens: number };
  const aborts = random() < 0.4;
  const leaves = Array.from({ length: calls }, () =>
    aborts && random() < 0.5 ? Math.floor(random() * 4) : undefined,
  );
  return { tenant, calls, body, cost: tokensOf(body) + max_tokens, leaves };
}

interface Call {
  readonly key: string;
  readonly body: string;
  readonly leavesAt?: number | undefined;
}

/** The answer's head; undefined where its client left, or its worker was killed. */
async function ask({ origin }: Fleet, { key, body, leavesAt }: Call) {
  const leaving = new AbortController();
  const timer = leavesAt === undefined ? undefined : setTimeout(() => leaving.abort(), leavesAt);
  try {
    const answer = await fetch(`${origin}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
      body,
      signal: leaving.signal,
    });
    await answer.arrayBuffer();
    return answer;
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

const TOO_MUCH = chatBody({ max_tokens: 10 * BUDGET });

/** What is spent once nothing is reserved: what the dead left is settled within seconds. */
async function settled(fleet: Fleet, key: string): Promise<number> {
  for (;;) {
    const answer = await ask(fleet, { key, body: TOO_MUCH });
    const text = answer?.headers.get("x-interlock-budget") ?? "";
    const [, spent] = /spent=(\d+); reserved=0;/.exec(text) ?? [];
    if (spent !== undefined) return Number(spent);
    await Bun.sleep(5);
  }
}

/** What is wrong with how a race went; undefined when nothing is. */
async function run(fleet: Fleet, race: Race, crash: Promise<boolean>): Promise<string | undefined> {
  const { calls, body, cost, leaves, tenant } = race;
  const key = keyOf(tenant);
  const answers = await Promise.all(leaves.map((leavesAt) => ask(fleet, { key, body, leavesAt })));
  const admitted = answers.filter((answer) => answer?.status === 200).length;
  const crashed = await crash;
  const spent = await settled(fleet, key);
  const seen = `race ${tenant}: ${calls} calls of ${cost}: ${admitted} admitted, ${spent} spent`;
  if (spent > BUDGET) return `${seen}: overspent`;
  if (spent < admitted * cost) return `${seen}: not charged`;
  const fits = Math.floor(BUDGET / cost);
  const isPlain = !crashed && leaves.every((leavesAt) => leavesAt === undefined);
  if (isPlain && admitted !== Math.min(calls, fits)) return `${seen}: ${fits} would have fitted`;
  if (isPlain && spent !== admitted * cost) return `${seen}: charged otherwise`;
  // A call whose client left before it was read may still come: it is answered, or goes.
  for (let tries = 0; tries < LAST_TRIES; tries++) {
    const late = await settled(fleet, key);
    if (late > BUDGET) return `${seen}: overspent later, ${late}`;
    if (BUDGET - late < cost) return undefined;
    if ((await ask(fleet, { key, body }))?.status === 200) return undefined;
  }
  return `${seen}: what is left cannot be spent`;
}

/** Kills one of the workers, and waits until another serves in its place. */
async function killWorker(fleet: Fleet, random: () => number): Promise<void> {
  const { workers } = await fleet.status();
  const victim = workers[Math.floor(random() * workers.length)]!;
  process.kill(victim.pid, "SIGKILL");
  for (;;) {
    const now = (await fleet.status()).workers;
    const isServing = now.every(({ pid, state }) => pid !== victim.pid && state === "serving");
    if (isServing && now.length === workers.length) return;
    await Bun.sleep(20);
  }
}

describe("a budget that many calls race for", () => {
  test(
    `is never overspent and never leaks: ${RACES} races, two workers, seed ${SEED}`,
    async () => {
      const shop = startShop();
      const random = seeded(SEED);
      const signed_keys = {
        public_keys: [{ kid: 1, key: publicKeyText(privateKey) }],
        budget: { tokens: BUDGET, period: "total" },
      };
      const base_url = `http://127.0.0.1:${shop.port}/v1`;
      const config = {
        providers: { mock: { protocol: "openai", base_url, placement: "local", api_key: "sk-x" } },
        models: { m: { provider: "mock" } },
        ...{ signed_keys, budgets: { alerts: { enabled: false } } },
      };
      await using fleet = await startFleet({ config, workers: 2 });
      const wrong: string[] = [];
      let calls = 0;
      for (let first = 0, wave = 0; first < RACES; first += WIDTH, wave++) {
        const width = Math.min(WIDTH, RACES - first);
        const races = Array.from({ length: width }, (_, at) => raceOf(1 + first + at, random));
        const crashes = wave % CRASH_EVERY === CRASH_EVERY - 1;
        const crash = crashes ? killWorker(fleet, random).then(() => true) : Promise.resolve(false);
        const verdicts = await Promise.all(races.map((race) => run(fleet, race, crash)));
        wrong.push(...verdicts.filter((verdict) => verdict !== undefined));
        calls += races.reduce((sum, race) => sum + race.calls, 0);
      }
      if (isFull) console.log(`${RACES} races, ${calls} calls`);
      await shop.stop(true);
      expect(wrong).toEqual([]);
    },
    isFull ? 3_600_000 : 240_000,
  );
});
