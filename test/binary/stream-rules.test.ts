import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { eventStream, type Gate, gate, type Script } from "../faultd/script.ts";
import { KEY } from "./clients/client.ts";
import { listen, LISTENERS } from "./clients/iterate.ts";
import { chatBody, configFor } from "./config.ts";
import { eventually, startFleet } from "./fleet.ts";
import { type Binary, startBinary } from "./harness.ts";

/** Whatever else the machine does: each waits for what must come. */
setDefaultTimeout(60_000);

/** By the estimate of four bytes a token; the upstream says nothing of usage. */
const EVENT_TOKENS = 100;
const EVENTS = 120;
const TOKENS = EVENTS * EVENT_TOKENS;
const event = (delta: object, finish: string | null = null): string => {
  const head = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "m" };
  const choices = [{ index: 0, delta, finish_reason: finish }];
  return `data: ${JSON.stringify({ ...head, choices })}\n\n`;
};
const FIRST = event({ role: "assistant", content: "Hello" });
const LONG = [
  FIRST,
  ...Array.from({ length: EVENTS }, () => event({ content: "word".repeat(EVENT_TOKENS) })),
  event({}, "stop"),
  "data: [DONE]\n\n",
].join("");

let script: () => Script = () => eventStream(LONG, { chunking: "event" });
const upstream: Faultd = startFaultd(() => script());
const home = mkdtempSync(join(tmpdir(), "interlock-rules-"));
afterAll(() => {
  upstream.stop();
  rmSync(home, { recursive: true, force: true });
});
const program = process.env["INTERLOCK_BINARY"] ?? join(import.meta.dir, "../../dist/interlock");

async function command(state: string, ...args: readonly string[]): Promise<string> {
  const env = { INTERLOCK_STATE_DIR: state, PATH: "/usr/bin:/bin", HOME: home };
  const child = Bun.spawn([program, "key", ...args], { env });
  const out = await new Response(child.stdout).text();
  expect(await child.exited).toBe(0);
  return out.trim();
}

interface Held {
  readonly budget: object;
  readonly rest?: object;
}

function start({ budget, rest }: Held): Promise<Binary> {
  const keys = { app: { key: KEY, budget } };
  return startBinary({ config: { ...configFor({ upstream, models: ["m"] }), keys, ...rest } });
}

const BODY = chatBody({ stream: true });

function ask(
  { origin }: Pick<Binary, "origin">,
  key: string = KEY,
  more?: object,
): Promise<Response> {
  return fetch(`${origin}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: more === undefined ? BODY : chatBody(more),
  });
}

/** What `x-interlock-budget` says now, by name; told with the refusal of what fits no budget. */
async function budgetOf(binary: Pick<Binary, "origin">): Promise<Record<string, number>> {
  const answer = await ask(binary, KEY, { max_tokens: 1_000_000 });
  expect(answer.status).toBe(429);
  await answer.body?.cancel();
  const text = answer.headers.get("x-interlock-budget") ?? "";
  const pairs = text.split("; ").map((part) => part.split("="));
  return Object.fromEntries(pairs.map(([name, value]) => [name, Number(value)]));
}

/** Only what is no more than a budget can be asked for: 4096 tokens of output are reserved. */
const BUDGET = 6000;

describe("a budget used up in the middle of an answer", () => {
  for (const listener of LISTENERS) {
    test(`ends it by hard_stop: the loop of ${listener.name} throws, and is told why`, async () => {
      await using binary = await start({ budget: { tokens: BUDGET, on_exhausted: "hard_stop" } });
      const { origin } = binary;
      const heard = await listen(listener, { origin, model: "m", user: "hi" });
      expect(heard.thrown).toBeInstanceOf(Error);
      // Cohere's SDK throws on the cut behind the event that says why: protocols.md 5.6.
      if (listener.dialect !== "cohere") expect(`${heard.thrown}`).toMatch(/budget/);
      const { spent, reserved, limit } = await budgetOf(binary);
      expect(spent).toBeGreaterThan(0);
      expect(spent).toBeLessThanOrEqual(BUDGET);
      expect([limit, reserved]).toEqual([BUDGET, 0]);
      expect(await binary.metrics()).toContain(
        'gateway_stream_stopped_total{why="budget_exceeded"} 1',
      );
    });
  }

  test("is spent by what was delivered, but for the end of an event that had begun", async () => {
    await using binary = await start({ budget: { tokens: BUDGET, on_exhausted: "hard_stop" } });
    const said = await (await ask(binary)).text();
    const delivered = [...said.matchAll(/"content":"(\w*)"/g)].reduce(
      (sum, [, text]) => sum + (text ?? "").length,
      0,
    );
    const { spent } = await budgetOf(binary);
    const whole = Math.ceil(BODY.length / 4) + Math.ceil(delivered / 4);
    expect(spent).toBeLessThanOrEqual(whole);
    expect(spent).toBeGreaterThanOrEqual(whole - EVENT_TOKENS);
  });

  test("lets it finish unless the operator says otherwise, and charges it", async () => {
    await using binary = await start({ budget: { tokens: BUDGET } });
    expect(await (await ask(binary)).text()).toBe(LONG);
    expect((await budgetOf(binary))["spent"]).toBeGreaterThanOrEqual(TOKENS);
  });

  test("is the rule of all keys where `budgets` says so, and a key may differ", async () => {
    const rest = { budgets: { on_exhausted: "hard_stop" } };
    await using strict = await start({ budget: { tokens: BUDGET }, rest });
    expect(await (await ask(strict)).text()).toContain('"code":"budget_exceeded"');
    const own = { tokens: BUDGET, on_exhausted: "finish" };
    await using lenient = await start({ budget: own, rest });
    expect(await (await ask(lenient)).text()).toBe(LONG);
  });

  test("never overspends it, however many answers share it, over two workers", async () => {
    const limit = 30_000;
    await using binary = await start({
      budget: { tokens: limit, on_exhausted: "hard_stop" },
      rest: { server: { workers: 2 } },
    });
    const texts = await Promise.all(
      Array.from({ length: 12 }, async () => (await ask(binary)).text()),
    );
    expect(texts.filter((text) => text.includes("budget_exceeded")).length).toBeGreaterThan(0);
    const { spent, reserved } = await budgetOf(binary);
    expect(spent).toBeLessThanOrEqual(limit);
    expect(reserved).toBe(0);
  });
});

test("a budget that ends answers holds also when a worker is killed in the midst of them", async () => {
  const [limit, count] = [40_000, 8];
  const begun = gate(); // None goes on before all of them are admitted.
  script = () => eventStream(LONG, { chunking: "event", gates: new Map([[FIRST.length, begun]]) });
  const config = {
    ...configFor({ upstream, models: ["m"] }),
    keys: { app: { key: KEY, budget: { tokens: limit, on_exhausted: "hard_stop" } } },
  };
  await using fleet = await startFleet({ config, workers: 2 });
  const begins = upstream.exchanges.length;
  const texts = Array.from({ length: count }, async () => {
    const answer = await ask(fleet);
    return answer.text().catch(() => ""); // Its worker was killed.
  });
  await upstream.exchange(begins + count - 1);
  const [victim] = (await fleet.status()).workers;
  begun.open();
  process.kill(victim!.pid, "SIGKILL");
  await Promise.allSettled(texts);
  await eventually("nothing reserved", async () => (await budgetOf(fleet))["reserved"] === 0);
  const { spent } = await budgetOf(fleet);
  expect(spent).toBeGreaterThan(0);
  expect(spent).toBeLessThanOrEqual(limit);
  script = () => eventStream(LONG, { chunking: "event" });
});

/** An upstream that says one word and then nothing until its gate is opened. */
function wordThenSilence(): Gate {
  const silence = gate();
  script = () =>
    eventStream(LONG, { chunking: "event", gates: new Map([[FIRST.length, silence]]) });
  return silence;
}

/** An answer of which the first word is here. */
async function begun(answer: Response) {
  const reader = answer.body!.getReader();
  let text = "";
  while (!text.includes("Hello")) {
    const { value } = await reader.read();
    text += new TextDecoder().decode(value);
  }
  return async (): Promise<string> => {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      text += new TextDecoder().decode(read.value);
    }
    return text;
  };
}

describe("a key that ends while an answer is given", () => {
  test("by being revoked ends the answer, though its upstream is silent", async () => {
    const state = join(home, "cut");
    const text = await command(state, "create", "--name", "app");
    const config = configFor({ upstream, models: ["m"] });
    await using binary = await startBinary({ config, env: { INTERLOCK_STATE_DIR: state } });
    wordThenSilence();
    const rest = await begun(await ask(binary, text));
    await command(state, "revoke", "app");
    const whole = await rest();
    expect(whole).toContain('"code":"key_revoked"');
    expect(whole).not.toContain("[DONE]");
    expect(await binary.metrics()).toContain('gateway_stream_stopped_total{why="key_revoked"} 1');
  });

  test("by being revoked ends no answer where the operator says so", async () => {
    const state = join(home, "finish");
    const text = await command(state, "create", "--name", "app");
    const relay = { on_revoked: "finish" };
    const config = configFor({ upstream, models: ["m"], rest: { relay } });
    await using binary = await startBinary({ config, env: { INTERLOCK_STATE_DIR: state } });
    const silence = wordThenSilence();
    const rest = await begun(await ask(binary, text));
    await command(state, "revoke", "app");
    for (let status = 200; status !== 401;) {
      const again = await ask(binary, text);
      await again.body?.cancel();
      status = again.status;
    }
    silence.open();
    expect(await rest()).toBe(LONG);
  });

  test("by its tenant being denied ends the answer", async () => {
    const state = join(home, "signed");
    const [seed, denied] = [join(home, "seed"), join(home, "denied.log")];
    const pair = JSON.parse(await command(state, "pair", "--private-key", seed, "--json")) as {
      readonly public_key: string;
    };
    const whose = ["--kid", "1", "--tenant", "7", "--vpc", "0"];
    const text = await command(state, "mint", ...whose, "--private-key", seed);
    const signed_keys = { public_keys: [{ kid: 1, key: pair.public_key }], deny_file: denied };
    const config = configFor({ upstream, models: ["m"], rest: { signed_keys } });
    await using binary = await startBinary({ config });
    wordThenSilence();
    const rest = await begun(await ask(binary, text));
    appendFileSync(denied, "deny 7 fraud\n");
    expect(await rest()).toContain('"code":"key_revoked"');
  });
});
