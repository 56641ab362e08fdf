import { afterAll, describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { json } from "../faultd/script.ts";
import { chatBody, configFor } from "./config.ts";
import { type Binary, startBinary } from "./harness.ts";

const KEY = "sk-limited-0123456789abcdef";
const ANSWER = {
  ...{ id: "c", object: "chat.completion", created: 1, model: "m" },
  choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
};
const upstream: Faultd = startFaultd(() => json(ANSWER));
afterAll(() => upstream.stop());

interface Rig {
  readonly limits: object;
  readonly workers?: number;
}

function start({ limits, workers = 1 }: Rig): Promise<Binary> {
  const config = configFor({ upstream, models: ["m"] });
  const server = { workers };
  return startBinary({ config: { ...config, server, keys: { app: { key: KEY, ...limits } } } });
}

function ask(binary: Binary, rest: object = {}): Promise<Response> {
  return fetch(`${binary.origin}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${KEY}` },
    body: chatBody({ max_tokens: 5, ...rest }),
  });
}

/** How many of so many calls at once got through, and what refused the others. */
async function storm(binary: Binary, count: number): Promise<Map<number, number>> {
  const answers = await Promise.all(Array.from({ length: count }, () => ask(binary)));
  const statuses = new Map<number, number>();
  for (const answer of answers) {
    await answer.arrayBuffer();
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
  }
  return statuses;
}

describe.each([1, 2])("with %d worker(s)", (workers) => {
  test("requests a minute are admitted exactly, however many come at once", async () => {
    await using binary = await start({ limits: { requests_per_minute: 40 }, workers });
    const since = performance.now();
    const statuses = await storm(binary, 200);
    const refilled = Math.floor(((performance.now() - since) / 60_000) * 40);
    const admitted = statuses.get(200) ?? 0;
    expect(admitted).toBeGreaterThanOrEqual(40);
    expect(admitted).toBeLessThanOrEqual(40 + refilled);
    expect(statuses.get(429)).toBe(200 - admitted);
  });

  test("a budget of tokens is never overspent, and what was reserved too much comes back", async () => {
    const budget = { tokens: 600, period: "monthly" };
    await using binary = await start({ limits: { budget }, workers });
    let spent = 0;
    for (let round = 0; round < 30; round++) {
      const answers = await Promise.all(Array.from({ length: 8 }, () => ask(binary)));
      spent += 15 * answers.filter(({ status }) => status === 200).length;
      await Promise.all(answers.map((answer) => answer.arrayBuffer()));
    }
    expect(spent).toBeLessThanOrEqual(600);
    expect(spent).toBeGreaterThan(600 - 60);
    const refused = await ask(binary);
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ error: { type: "insufficient_quota" } });
  });
});

test("what is left is told in the caller's own header names", async () => {
  await using binary = await start({
    limits: { requests_per_minute: 10, budget: { tokens: 1000, period: "daily" } },
  });
  const { headers } = await ask(binary);
  expect(headers.get("x-ratelimit-limit-requests")).toBe("10");
  expect(headers.get("x-ratelimit-remaining-requests")).toBe("9");
  expect(headers.get("x-interlock-budget")).toStartWith("unit=tokens; spent=");
  const messages = await fetch(`${binary.origin}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": KEY },
    body: JSON.stringify({
      model: "m",
      max_tokens: 5,
      messages: [{ role: "user", content: "hi" }],
    }),
  });
  expect(messages.headers.get("anthropic-ratelimit-requests-remaining")).toBe("8");
  expect(messages.headers.get("x-ratelimit-limit-requests")).toBeNull();
});

test("limits survive a restart and a kill", async () => {
  const home = `${process.env["TMPDIR"] ?? "/tmp"}/interlock-limits-${process.pid}`;
  const config = configFor({ upstream, models: ["m"] });
  const limited = { ...config, keys: { app: { key: KEY, requests_per_minute: 5 } } };
  const options = { config: limited, env: { INTERLOCK_STATE_DIR: home } };
  let admitted = 0;
  let port: number | undefined;
  for (let run = 0; run < 3; run++) {
    await using binary = await startBinary({ ...options, ...(port !== undefined && { port }) });
    port = binary.port;
    admitted += (await storm(binary, 4)).get(200) ?? 0;
    binary.signal(run === 0 ? "SIGKILL" : "SIGTERM");
    await binary.exited;
  }
  rmSync(home, { recursive: true, force: true });
  expect(admitted).toBe(5);
}, 30_000);

test("an address that floods is refused before its key is looked at", async () => {
  const config = configFor({ upstream, models: ["m"] });
  const security = { rate_limit: { enabled: true, requests_per_minute: 10 } };
  await using binary = await startBinary({ config: { ...config, security } });
  const statuses = await storm(binary, 40);
  expect(statuses.get(200)).toBeLessThanOrEqual(10);
  expect((statuses.get(200) ?? 0) + (statuses.get(429) ?? 0)).toBe(40);
});

test("a key that has expired is no key", async () => {
  await using binary = await start({ limits: { expires: "2020-01-01" } });
  const answer = await ask(binary);
  expect([
    answer.status,
    ((await answer.json()) as { error: { code: string } }).error.code,
  ]).toEqual([...[401, "invalid_api_key"]]);
});
