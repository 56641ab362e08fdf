import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { json } from "../faultd/script.ts";
import { chatBody, configFor } from "./config.ts";
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
  const config = { ...configFor({ upstream, models: ["m"] }), ledger: { enabled: true } };
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
