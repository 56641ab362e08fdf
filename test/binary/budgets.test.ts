import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { json } from "../faultd/script.ts";
import { chatBody, configFor } from "./config.ts";
import { type Binary, startBinary } from "./harness.ts";

/** Whatever else the machine does: each waits for what must come. */
setDefaultTimeout(60_000);

const KEY = "sk-budgets-0123456789abcdef";
const ANSWER = {
  ...{ id: "c", object: "chat.completion", created: 1, model: "m" },
  choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
};
const upstream: Faultd = startFaultd(() => json(ANSWER));
const state = mkdtempSync(join(tmpdir(), "interlock-budgets-"));
afterAll(() => {
  upstream.stop();
  rmSync(state, { recursive: true, force: true });
});
const program = process.env["INTERLOCK_BINARY"] ?? join(import.meta.dir, "../../dist/interlock");

function start(budget: object, rest: object = {}): Promise<Binary> {
  const keys = { app: { key: KEY, budget } };
  return startBinary({ config: { ...configFor({ upstream, models: ["m"] }), keys, ...rest } });
}

function ask({ origin }: Binary, key = KEY): Promise<Response> {
  return fetch(`${origin}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: chatBody({ max_tokens: 5 }),
  });
}

/** Asks one after the other until it is refused. */
async function spendAll(binary: Binary, key = KEY): Promise<{ spent: number; refused: Response }> {
  for (let spent = 0; ; spent += 15) {
    const answer = await ask(binary, key);
    if (answer.status !== 200) return { spent, refused: answer };
    await answer.arrayBuffer();
  }
}

/** What `x-interlock-budget` says, by name. */
function toldOf(answer: Response): Map<string, string> {
  const text = answer.headers.get("x-interlock-budget") ?? "";
  return new Map(text.split("; ").map((part) => part.split("=") as [string, string]));
}

describe("a budget that is used up", () => {
  test.each([
    ["hourly", 3600],
    ["daily", 86_400],
    ["weekly", 7 * 86_400],
    ["monthly", 31 * 86_400],
    ["rolling:24h", 3600],
  ])(
    "says when a %s one is renewed, in retry-after and in x-interlock-budget",
    async (period, most) => {
      await using binary = await start({ tokens: 300, period });
      const { spent, refused } = await spendAll(binary);
      expect(spent).toBeGreaterThan(200);
      expect(spent).toBeLessThanOrEqual(300);
      expect(refused.status).toBe(429);
      expect(await refused.json()).toMatchObject({ error: { type: "insufficient_quota" } });
      const told = toldOf(refused);
      const wait = Number(refused.headers.get("retry-after"));
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(most);
      expect(Math.abs(Number(told.get("reset")) - wait)).toBeLessThanOrEqual(1);
      expect(told.get("limit")).toBe("300");
      expect(told.get("spent")).toBe(String(spent));
      expect(told.get("reserved")).toBe("0");
      expect(told.get("period")).toBe(period === "rolling:24h" ? "rolling:1d" : period);
    },
  );

  test("says nothing of a renewal that will not come", async () => {
    await using binary = await start({ tokens: 100 });
    const { refused } = await spendAll(binary);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, null]);
    expect(toldOf(refused).has("reset")).toBe(false);
  });

  test("is a bill where the operator says so, in any protocol", async () => {
    await using binary = await start({ tokens: 100 }, { budgets: { status: 402 } });
    const { refused } = await spendAll(binary);
    expect(refused.status).toBe(402);
    expect(await refused.json()).toMatchObject({ error: { code: "insufficient_quota" } });
    const gemini = await fetch(`${binary.origin}/v1beta/models/m:generateContent`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-goog-api-key": KEY },
      body: JSON.stringify({ contents: [{ role: "user", parts: [{ text: "hi" }] }] }),
    });
    expect(gemini.status).toBe(402);
  });
});

test("a stored key's rolling budget counts over its window, and is kept over a restart", async () => {
  const env = { INTERLOCK_STATE_DIR: state, PATH: "/usr/bin:/bin", HOME: state };
  const command = "key create --name r --budget-tokens 200 --budget-period rolling:24h --json";
  const child = Bun.spawn([program, ...command.split(" ")], { env });
  const { key } = JSON.parse(await new Response(child.stdout).text()) as { key: string };
  const config = configFor({ upstream, models: ["m"] });
  let port: number | undefined;
  {
    await using binary = await startBinary({ config, env: { INTERLOCK_STATE_DIR: state } });
    port = binary.port;
    const { refused } = await spendAll(binary, key);
    expect(toldOf(refused).get("period")).toBe("rolling:1d");
    await binary.stop();
  }
  await using again = await startBinary({ config, env: { INTERLOCK_STATE_DIR: state }, port });
  const { spent, refused } = await spendAll(again, key);
  expect([spent, refused.status]).toEqual([0, 429]);
});

describe("somebody is told how much of a budget is used up", () => {
  const heard: { readonly text: string; readonly signature: string | undefined }[] = [];
  let answer = 204;
  const listener = startFaultd((request) => {
    heard.push({ text: request.text, signature: request.header("x-interlock-signature") });
    return { status: answer, body: "" };
  });
  afterAll(() => listener.stop());
  const secret = "alerts-0123456789abcdef-0123456789";
  const budgets = {
    alerts: { webhook_url: `${listener.origin}/hook?team=ai`, webhook_secret: secret },
  };
  const percentsOf = () =>
    heard.map(({ text }) => (JSON.parse(text) as { percent: number }).percent);

  test("once for each threshold, over two workers and a restart: log, metric, webhook", async () => {
    heard.length = 0;
    const config = {
      ...configFor({ upstream, models: ["m"] }),
      ...{ keys: { app: { key: KEY, budget: { tokens: 300, period: "monthly" } } }, budgets },
      server: { workers: 2 },
    };
    const env = { INTERLOCK_STATE_DIR: join(state, "alerts") };
    let port: number | undefined;
    {
      await using binary = await startBinary({ config, env });
      port = binary.port;
      await spendAll(binary);
      await until(() => heard.length === 3);
      const metrics = await metricsOf(binary);
      for (const percent of [50, 80, 100]) {
        expect(metrics).toContain(`gateway_budget_alerts_total{percent="${percent}"} 1`);
      }
      await binary.stop();
      expect(binary.stdout().match(/"Budget alert"/g)).toHaveLength(3);
    }
    await using again = await startBinary({ config, env, port });
    const { refused } = await spendAll(again);
    expect(refused.status).toBe(429);
    expect(await metricsOf(again)).not.toContain("gateway_budget_alerts_total{");
    expect(percentsOf().toSorted((one, other) => one - other)).toEqual([50, 80, 100]);
    for (const { text, signature } of heard) {
      const mac = new Bun.CryptoHasher("sha256", secret).update(text).digest("hex");
      expect(signature).toBe(`sha256=${mac}`);
      expect(JSON.parse(text)).toMatchObject({ event: "budget", key: "app", limit: 300 });
      expect(text).not.toContain("hi"); // What was asked.
      expect(text).not.toContain(KEY);
    }
  });

  test("also where the one who is told fails at first, and no call waits for it", async () => {
    heard.length = 0;
    answer = 500;
    await using binary = await start({ tokens: 100 }, { budgets });
    expect((await spendAll(binary)).refused.status).toBe(429);
    await until(() => heard.length >= 3);
    answer = 204;
    await until(() => new Set(heard.map(({ text }) => text)).size === 3 && heard.length >= 6);
    await untilMetric(binary, 'gateway_alert_webhooks_total{result="sent"} 3');
  });

  test("unless the operator wants none", async () => {
    heard.length = 0;
    const alerts = { ...budgets.alerts, enabled: false };
    await using binary = await start({ tokens: 100 }, { budgets: { alerts } });
    await spendAll(binary);
    expect(await metricsOf(binary)).not.toContain("gateway_budget_alerts_total{");
    await binary.stop();
    expect([heard.length, binary.stdout().includes("Budget alert")]).toEqual([0, false]);
  });

  test("what cannot be told is said when the file is read", async () => {
    const alerts = (rest: object) => start({ tokens: 5 }, { budgets: { alerts: rest } });
    const [at, is] = ["budgets\\.alerts\\.webhook_url", "[^]*"];
    for (const [webhook_url, why] of [
      ["http://93.184.216.34/", `${at}${is}plain http`],
      ["http://169.254.169.254/", `${at}${is}metadata`],
      ["https://u:p@h.example/", `${at}${is}user name`],
    ] as const) {
      await expect(alerts({ webhook_url })).rejects.toThrow(new RegExp(why));
    }
    const short = { webhook_url: "https://h.example/", webhook_secret: "short" };
    await expect(alerts(short)).rejects.toThrow(/webhook_secret[^]*too short/);
  });
});

/** Waits for what must come, however long this machine takes; the test's own limit ends it. */
async function until(come: () => boolean): Promise<void> {
  while (!come()) await Bun.sleep(10);
}

async function untilMetric(binary: Binary, line: string): Promise<void> {
  while (!(await metricsOf(binary)).includes(line)) await Bun.sleep(10);
}

/** The admin listener may be a moment later than the workers that answer. */
async function metricsOf(binary: Binary): Promise<string> {
  for (;;) {
    const text = await binary.metrics().catch(() => undefined);
    if (text !== undefined) return text;
    await Bun.sleep(10);
  }
}

test("what is no budget is said with its place and the fix", async () => {
  await expect(start({ tokens: 5, period: "rolling:5m" })).rejects.toThrow(
    /keys\.app\.budget\.period[^]*rolling:30d/,
  );
  await expect(start({ tokens: 5 }, { budgets: { status: 403 } })).rejects.toThrow(
    /budgets\.status[^]*402, 429/,
  );
});
