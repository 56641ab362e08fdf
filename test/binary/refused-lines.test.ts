import { expect, test } from "bun:test";
import { startBinary } from "./harness.ts";
import { lineOf } from "./log-lines.ts";

const KEY = "poor-key-0123456789abcdef";
const CONFIG = {
  providers: { house: { protocol: "openai", base_url: "http://127.0.0.1:9/v1" } },
  models: { m: { provider: "house", upstream_model: "m" } },
  keys: { poor: { key: KEY, budget: { tokens: 1, period: "monthly" } } },
};
const MESSAGES = [{ role: "user", content: "hi" }];
const CALLS: readonly (readonly [string, object])[] = [
  ["/v1/chat/completions", { model: "m", messages: MESSAGES }],
  ["/v1/responses", { model: "m", input: "hi" }],
  ["/v1/messages", { model: "m", max_tokens: 9, messages: MESSAGES }],
  ["/v1beta/models/m:generateContent", { contents: [{ role: "user", parts: [{ text: "hi" }] }] }],
  ["/model/m/converse", { messages: [{ role: "user", content: [{ text: "hi" }] }] }],
  ["/v2/chat", { model: "m", messages: MESSAGES }],
];

test("a refusal is logged and counted with the status its protocol gave it", async () => {
  await using binary = await startBinary({ config: CONFIG });
  const told = new Map<string, number>();
  for (const headers of [{}, { authorization: `Bearer ${KEY}` }]) {
    for (const [path, body] of CALLS) {
      const request = { method: "POST", body: JSON.stringify(body) };
      const type = { "content-type": "application/json" };
      const said = await fetch(binary.origin + path, {
        ...request,
        headers: { ...type, ...headers },
      });
      await said.arrayBuffer();
      told.set(said.headers.get("x-request-id") ?? "", said.status);
    }
  }
  expect([...told.values()]).toContain(402);
  for (const [id, status] of told)
    expect([id, (await lineOf(binary, id)).status]).toEqual([id, status]);
  expect(countsOf(await binary.metrics())).toEqual(tally([...told.values()]));
});

function tally(statuses: readonly number[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

function countsOf(metrics: string): Record<string, number> {
  const counts: Record<string, number> = {};
  const rows = metrics.matchAll(/^gateway_requests_total\{status="(\d+)".*\} (\d+)$/gm);
  for (const [, status = "", count] of rows) counts[status] = (counts[status] ?? 0) + Number(count);
  return counts;
}
