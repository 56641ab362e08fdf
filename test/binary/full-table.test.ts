import { expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { mintSignedKey, publicKeyText } from "../../src/wire/signed-key-mint.ts";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { json } from "../faultd/script.ts";
import { chatBody, configFor } from "./config.ts";
import { inParallel } from "./cut-cases.ts";
import { eventually, startFleet } from "./fleet.ts";

const { privateKey } = generateKeyPairSync("ed25519");
const keyOf = (tenant: number): string =>
  mintSignedKey({ kid: 1, tenant: BigInt(tenant), vpc: 0n }, privateKey);

const COST = 15;
const BUDGET = 300;
const ANSWER = {
  ...{ id: "c", object: "chat.completion", created: 1, model: "m" },
  choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: COST },
};

/** The value of a metric without labels. */
function metricOf(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? Number.NaN);
}

test("keys for which the table of limits has no room share their limits, and it is said", async () => {
  const upstream: Faultd = startFaultd(() => json(ANSWER));
  const signed_keys = {
    public_keys: [{ kid: 1, key: publicKeyText(privateKey) }],
    // Two windows, each counted in as many places as it has steps: few keys fill the table.
    budget: { tokens: BUDGET, usd: 1, period: "rolling:24h" },
  };
  const budgets = { alerts: { enabled: false } };
  const config = { ...configFor({ upstream, models: ["m"] }), signed_keys, budgets };
  await using fleet = await startFleet({ config, workers: 2 });
  async function ask(tenant: number): Promise<Response> {
    const answer = await fetch(`${fleet.origin}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${keyOf(tenant)}` },
      body: chatBody({ max_tokens: 5 }),
    });
    await answer.arrayBuffer();
    return answer;
  }
  /** How much of its budget a tenant spends before it is refused. */
  async function spendAll(tenant: number): Promise<number> {
    for (let spent = 0; ; spent += COST) if ((await ask(tenant)).status !== 200) return spent;
  }

  expect((await ask(1)).status).toBe(200);
  const counts = await fleet.metrics();
  const perTenant = metricOf(counts, "gateway_limit_cells_used");
  const max = metricOf(counts, "gateway_limit_cells_max");
  const fits = Math.floor(max / perTenant);
  expect(metricOf(counts, "gateway_limits_shared")).toBe(0);

  const rest = Array.from({ length: fits - 1 }, (_, at) => at + 2);
  await inParallel(rest, {
    width: 16,
    async work(tenant) {
      expect((await ask(tenant)).status).toBe(200);
    },
  });
  expect(metricOf(await fleet.metrics(), "gateway_limits_shared")).toBe(0);
  upstream.forget();

  const late = [fits + 10, fits + 11, fits + 12, fits + 13];
  let spent = 0;
  for (const tenant of late) spent += await spendAll(tenant);
  expect(spent).toBeGreaterThan(0);
  expect(spent).toBeLessThanOrEqual(BUDGET); // Of all of them: stricter than configured.
  const full = await fleet.metrics();
  expect(metricOf(full, "gateway_limit_cells_used")).toBe(max);
  expect(metricOf(full, "gateway_limits_shared")).toBeGreaterThan(0);
  await eventually("its line", () => fleet.output().includes("The table of limits is full"));

  // Who has a place of its own is held to its own budget, as before.
  expect(await spendAll(fits)).toBeGreaterThan(BUDGET - 4 * COST);
  expect((await ask(1)).status).toBe(200);
  upstream.stop();
}, 120_000);
