import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { json } from "../faultd/script.ts";
import { frozenLink } from "../state/keys/frozen-link.ts";
import { chatBody, COMPLETION, configFor } from "./config.ts";
import { newSigner } from "./denials.ts";
import { type Binary, startBinary } from "./harness.ts";

const upstream: Faultd = startFaultd(() => json(JSON.parse(COMPLETION)));
const folders: string[] = [];
afterAll(() => {
  upstream.stop();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
const program = process.env["INTERLOCK_BINARY"] ?? join(import.meta.dir, "../../dist/interlock");
const SECRET = "peers-of-a-test-0123456789abcdef";
const TOKEN = "admin-token-0123456789abcdef";
const SOON_MS = 30_000;

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "interlock-peers-"));
  folders.push(path);
  return path;
}

/** A port that is free now: each node names the other's before that is started. */
function freePort(): number {
  const held = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  const { port } = held;
  held.stop(true);
  return port;
}

interface Spot {
  readonly state: string;
  readonly adminPort: number;
  /** Where it asks the others. */
  readonly peers: readonly number[];
  readonly args?: readonly string[];
  readonly more?: object;
}
function node({ state, adminPort, peers, args = [], more }: Spot): Promise<Binary> {
  const urls = peers.map((port) => `http://127.0.0.1:${port}`);
  const rest = { state: { peers: urls, peer_secret: "${PEERS}" }, ...more };
  const config = configFor({ upstream, models: ["m"], rest });
  const env = { INTERLOCK_STATE_DIR: state, PEERS: SECRET, INTERLOCK_ADMIN_TOKEN: TOKEN };
  return startBinary({ config, env, args: ["--metrics-port", String(adminPort), ...args] });
}

async function key(state: string, ...args: readonly string[]): Promise<string> {
  const env = { PATH: "/usr/bin:/bin", INTERLOCK_STATE_DIR: state };
  const child = Bun.spawn([program, "key", ...args], { env, stderr: "pipe" });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) throw new Error(err);
  return out.trim();
}

async function ask({ origin }: Binary, secret: string): Promise<number> {
  const answer = await fetch(`${origin}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${secret}` },
    body: chatBody({ max_tokens: 5 }),
  });
  await answer.arrayBuffer();
  return answer.status;
}

async function until(wanted: number, asked: () => Promise<number>): Promise<void> {
  const from = performance.now();
  for (;;) {
    const status = await asked();
    if (status === wanted) return;
    if (performance.now() - from > SOON_MS) throw new Error(`still ${status}, not ${wanted}`);
    await Bun.sleep(10);
  }
}

test("two nodes without a database know each other's keys and their ends, over cuts and restarts", async () => {
  const states = [folder(), folder()] as const;
  const ports = [freePort(), freePort()] as const;
  // The second hears the first through a link that can fail.
  using link = frozenLink({ hostname: "127.0.0.1", port: ports[0] });
  const spots = [
    { state: states[0], adminPort: ports[0], peers: [ports[1]], args: ["--workers", "2"] },
    { state: states[1], adminPort: ports[1], peers: [link.port] },
  ] as const;
  await using one = await node(spots[0]);
  expect(await ask(one, "sk-nobody-0123456789abcdef")).toBe(401);
  let text: string;
  let other: string;
  {
    await using two = await node(spots[1]);
    text = await key(states[0], "create", "--name", "app");
    other = await key(states[1], "create", "--name", "other");
    for (const each of [one, two]) {
      await until(200, () => ask(each, text));
      await until(200, () => ask(each, other));
    }
    const headers = { authorization: `Bearer ${TOKEN}` };
    const answer = await fetch(`http://127.0.0.1:${ports[1]}/metrics`, { headers });
    const metrics = await answer.text();
    expect(metrics).toMatch(/\ngateway_peer_in_step\{peer="[^"]+"\} 1\n/);
    link.freeze();
    await key(states[0], "revoke", "app");
    await until(401, () => ask(one, text));
    expect(await ask(two, text)).toBe(200); // Nobody told it, and it serves on.
    await key(states[1], "revoke", "other");
    await until(401, () => ask(one, other));
    link.thaw();
    link.cut();
    await until(401, () => ask(two, text));
    link.freeze();
  } // Killed: what it knew is on its disk.
  await using again = await node(spots[1]);
  expect([await ask(again, text), await ask(again, other)]).toEqual([401, 401]);
  const late = await key(states[0], "create", "--name", "late");
  link.thaw();
  link.cut();
  await until(200, () => ask(again, late));
}, 120_000);

test("a tenant that the API of one node shuts out is shut out on the other, and let in again", async () => {
  using signer = await newSigner();
  const ports = [freePort(), freePort()] as const;
  const more = { signed_keys: { public_keys: [{ kid: 1, key: signer.publicKey }] } };
  await using one = await node({ state: folder(), adminPort: ports[0], peers: [ports[1]], more });
  await using two = await node({ state: folder(), adminPort: ports[1], peers: [ports[0]], more });
  const key7 = await signer.mint(7);
  expect([await ask(one, key7), await ask(two, key7)]).toEqual([200, 200]);
  const call = async (port: number, method: string, body?: string) => {
    const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
    const at = `http://127.0.0.1:${port}/admin/denials/7`;
    return (await fetch(at, { method, headers, ...(body !== undefined && { body }) })).status;
  };
  expect(await call(ports[0], "PUT", '{"reason":"fraud"}')).toBe(200);
  for (const each of [one, two]) await until(403, () => ask(each, key7));
  expect(await ask(two, await signer.mint(8))).toBe(200);
  expect(await call(ports[1], "DELETE")).toBe(200);
  for (const each of [two, one]) await until(200, () => ask(each, key7));
}, 120_000);

test("nobody without the secret is told anything", async () => {
  const [state, port] = [folder(), freePort()];
  await using alone = await node({ state, adminPort: port, peers: [] });
  void alone;
  const at = `http://127.0.0.1:${port}/peers/registers?epoch=&after=0`;
  for (const header of ["", "1 2 3", `1700000000000 ${"0".repeat(32)} ${"0".repeat(64)}`]) {
    const answer = await fetch(at, { headers: { "x-interlock-peer": header } });
    expect(answer.status).toBe(401);
    expect(await answer.text()).not.toContain("entries");
  }
}, 60_000);
