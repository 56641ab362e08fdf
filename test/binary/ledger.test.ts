import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { json } from "../faultd/script.ts";
import { childrenOf, factsIn } from "./books-trade.ts";
import { chatBody, configFor } from "./config.ts";
import { atPorts, eventually, startFleet } from "./fleet.ts";
import { numbered, startEcho, startLoad } from "./fleet-load.ts";
import { startBinary } from "./harness.ts";

const ANSWER = {
  ...{ id: "c", object: "chat.completion", created: 1, model: "m" },
  choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
};
const upstream: Faultd = startFaultd(() => json(ANSWER));
const state = mkdtempSync(join(tmpdir(), "interlock-ledger-"));
afterAll(() => {
  upstream.stop();
  rmSync(state, { recursive: true, force: true });
});
const program = process.env["INTERLOCK_BINARY"] ?? join(import.meta.dir, "../../dist/interlock");
const env = { INTERLOCK_STATE_DIR: state };

/** What a command prints about this suite's state. */
async function told(...args: readonly string[]): Promise<string> {
  const child = Bun.spawn([program, ...args], { env: { ...env, PATH: "/usr/bin:/bin" } });
  return new Response(child.stdout).text();
}

test("what every answer used is in the ledger once, by the time the gateway has ended", async () => {
  expect(await told("token-usage")).toContain("no data");
  const config = configFor({ upstream, models: ["m"] });
  const running = await startBinary({ config, env });
  const calls = 200;
  await Promise.all(
    Array.from({ length: calls }, async () => {
      const answer = await fetch(`${running.origin}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: chatBody(),
      });
      await answer.arrayBuffer();
    }),
  );
  await running.stop();
  const usage = JSON.parse(await told("token-usage", "--json", "--window", "all"));
  expect(JSON.stringify(usage)).toContain(String(calls * 10));
  expect(JSON.stringify(usage)).toContain(String(calls * 5));
}, 30_000);

test("nothing is lost or doubled over reloads and restarts under load, with two workers", async () => {
  using echo = startEcho();
  await using fleet = await startFleet({ config: numbered(echo.baseUrl, 0), workers: 2 });
  const load = startLoad({ port: fleet.port, busy: 4, fresh: 3, streams: 3 });
  for (let number = 1; number <= 2; number++) {
    const admin = Number(new URL(fleet.adminOrigin).port);
    writeFileSync(
      fleet.file,
      JSON.stringify(atPorts(numbered(echo.baseUrl, number), fleet.port, admin)),
    );
    const { answered } = load.tally;
    const ran = await fleet.run(number % 2 === 0 ? "restart" : "reload", "--json");
    expect(ran.code).toBe(0);
    await eventually("more answers", () => load.tally.answered > answered + 30);
  }
  const tally = await load.stop();
  expect(tally.failures).toEqual([]);
  const { pid } = await fleet.status();
  process.kill(pid, "SIGTERM");
  await eventually("its end", () => !existsSync(`/proc/${pid}`));
  const facts = factsIn(join(fleet.home, ".local/state/interlock"));
  expect(facts.length).toBe(tally.answered);
  expect(new Set(facts.map(({ request }) => request)).size).toBe(tally.answered);
}, 120_000);

/** proc_pid_stat(5): the 19th field; the second is in brackets and may hold anything. */
function nicenessOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
}

// With less, it falls behind on a core they saturate, until requests are refused for its sake.
test.skipIf(process.platform !== "linux")(
  "whoever writes the ledger has as much of a core as who serves",
  async () => {
    await using fleet = await startFleet({ config: { ...configFor({ upstream, models: ["m"] }) } });
    const body = chatBody();
    const headers = { "content-type": "application/json" };
    const init = { method: "POST", headers, body };
    await (await fetch(`${fleet.origin}/v1/chat/completions`, init)).arrayBuffer();
    await eventually("a writer", () => childrenOf(fleet).writers.length > 0);
    await eventually("its fact", async () =>
      (await fleet.metrics()).includes("gateway_ledger_facts_written_total 1\n"),
    );
    const [writer] = childrenOf(fleet).writers;
    expect(nicenessOf(writer!)).toBe(nicenessOf(fleet.firstPid));
  },
  60_000,
);

test("cost, token-usage and latency read what a gateway that still runs has written", async () => {
  const priced = {
    ...configFor({ upstream, models: [] }),
    privacy: { default: "shareable" },
    providers: {
      openai: { base_url: `${upstream.origin}/v1`, placement: "external", api_key: "sk-upstream" },
    },
    models: { fast: { provider: "openai", upstream_model: "gpt-4o" } },
    keys: { app: { key: "sk-ledger-0123456789abcdef" } },
  };
  await using fleet = await startFleet({ config: priced });
  for (const question of ["cost", "token-usage", "latency"]) {
    expect((await fleet.run(question, "--json")).stdout).toBe("[]\n");
  }
  for (let n = 0; n < 10; n++) {
    const answer = await fetch(`${fleet.origin}/v1/chat/completions`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: "Bearer sk-ledger-0123456789abcdef",
      },
      body: chatBody({ model: "fast" }),
    });
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();
  }
  await eventually("all in the ledger", async () => {
    return (await fleet.metrics()).includes("gateway_ledger_facts_written_total 10\n");
  });
  const asked = async (...question: string[]): Promise<unknown> =>
    JSON.parse((await fleet.run(...question, "--json")).stdout);
  // OpenAI's list price: 2.50 dollars for a million tokens in, 10.00 for a million out.
  const dollars = (10 * (10 * 2.5 + 5 * 10)) / 1e6;
  expect(await asked("cost", "--group-by", "key")).toMatchObject([
    { key: "app", requests: 10, cost_usd: dollars.toFixed(5) },
  ]);
  expect(await asked("token-usage", "--group-by", "model")).toMatchObject([
    { model: "gpt-4o", requests: 10, input_tokens: 100, output_tokens: 50 },
  ]);
  expect(await asked("latency", "--group-by", "provider")).toMatchObject([
    { provider: "openai", requests: 10 },
  ]);
}, 30_000);
