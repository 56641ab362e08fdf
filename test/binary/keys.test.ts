import { afterAll, describe, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { json } from "../faultd/script.ts";
import { chatBody, configFor } from "./config.ts";
import { startFleet } from "./fleet.ts";
import { startBinary } from "./harness.ts";

const ANSWER = {
  ...{ id: "c", object: "chat.completion", created: 1, model: "m" },
  choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
};
const upstream: Faultd = startFaultd(() => json(ANSWER));
const state = mkdtempSync(join(tmpdir(), "interlock-keys-"));
afterAll(() => {
  upstream.stop();
  rmSync(state, { recursive: true, force: true });
});
const binary = process.env["INTERLOCK_BINARY"] ?? join(import.meta.dir, "../../dist/interlock");

/** One `interlock key` command in the suite's own state directory. */
async function key(...args: readonly string[]): Promise<{ code: number; out: string }> {
  const env = { INTERLOCK_STATE_DIR: state, PATH: "/usr/bin:/bin", HOME: state };
  const child = Bun.spawn([binary, "key", ...args], { env, stderr: "pipe" });
  const out = await new Response(child.stdout).text();
  return { code: await child.exited, out: out.trim() };
}

function ask(origin: string, secret: string): Promise<number> {
  return fetch(`${origin}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${secret}` },
    body: chatBody({ max_tokens: 5 }),
  }).then(async (answer) => {
    await answer.arrayBuffer();
    return answer.status;
  });
}

/** What is answered at last, within a few seconds. */
async function eventually(wanted: number, asked: () => Promise<number>): Promise<number> {
  let status = await asked();
  for (const end = performance.now() + 5000; status !== wanted && performance.now() < end;) {
    status = await asked();
  }
  return status;
}

describe("a stored key", () => {
  test("opens the gateway as long as it lives, is held to its limits, and never reaches a backend", async () => {
    const made = await key("create", "--name", "app", "--rpm", "3", "--json");
    expect(made.code).toBe(0);
    const { key: text } = JSON.parse(made.out) as { key: string };
    expect(text).toStartWith("ilk_");
    const env = { INTERLOCK_STATE_DIR: state };
    await using running = await startBinary({
      config: configFor({ upstream, models: ["m"] }),
      env,
    });
    const { origin } = running;
    expect(await ask(origin, "sk-nobody-0123456789abcdef")).toBe(401);
    const other = text.endsWith("0") ? "1" : "0";
    expect(await ask(origin, text.slice(0, -1) + other)).toBe(401);
    expect([await ask(origin, text), await ask(origin, text), await ask(origin, text)]).toEqual([
      ...[200, 200, 200],
    ]);
    expect(await ask(origin, text)).toBe(429);
    expect(JSON.stringify(upstream.exchanges.map(({ request }) => request))).not.toContain("ilk_");

    expect((await key("revoke", "app")).code).toBe(0);
    let status = 429;
    for (const end = performance.now() + 5000; status !== 401 && performance.now() < end;) {
      status = await ask(origin, text);
    }
    expect(status).toBe(401);
    expect((await key("list", "--json")).out).not.toContain(text);
  }, 30_000);

  test("a string that begins as a signed key of ours goes nowhere but here", async () => {
    const env = { INTERLOCK_STATE_DIR: state };
    await using running = await startBinary({
      config: configFor({ upstream, models: ["m"] }),
      env,
    });
    const before = upstream.received;
    expect(await ask(running.origin, "bai_v1.1.AAAAAAAAAAAAAAAAAAAAAA.AAAA")).toBe(401);
    expect(upstream.received).toBe(before);
  });
});

describe("a signed key", () => {
  test("is taken by its signature alone, held to its tenant's limits, and shut out while its tenant is", async () => {
    const seed = join(state, "seed");
    const denyFile = join(state, "denied.log");
    const pair = await key("pair", "--private-key", seed, "--json");
    expect(pair.code).toBe(0);
    const { public_key: publicKey } = JSON.parse(pair.out) as { public_key: string };
    const minted = async (tenant: string) =>
      (await key("mint", "--kid", "1", "--tenant", tenant, "--vpc", "0", "--private-key", seed))
        .out;
    const config = {
      ...configFor({ upstream, models: ["m"] }),
      signed_keys: {
        public_keys: [{ kid: 1, key: publicKey }],
        deny_file: denyFile,
        requests_per_minute: 2,
      },
    };
    await using running = await startBinary({ config });
    const [seven, eight] = [await minted("7"), await minted("8")];
    expect(seven).toStartWith("bai_v1.1.");
    const { origin } = running;
    expect([await ask(origin, seven), await ask(origin, seven)]).toEqual([200, 200]);
    expect([await ask(origin, seven), await ask(origin, eight)]).toEqual([429, 200]);
    expect(await ask(origin, `${eight.slice(0, -4)}AAAA`)).toBe(401);

    const nine = await minted("9");
    expect(await ask(origin, nine)).toBe(200);
    appendFileSync(denyFile, "deny 9 fraud\n");
    expect(await eventually(403, () => ask(origin, nine))).toBe(403);
  }, 30_000);
});

/** Answers on an address of loopback that only a listener on every address has. */
function isPublic(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.2:${port}/livez`).then(
    (answer) => answer.status === 200,
    () => false,
  );
}

describe("where nobody was asked for a key", () => {
  test.each([1, 2])("the first one made closes all of %d processes within a second", async (n) => {
    const config = configFor({ upstream, models: ["m"] });
    await using fleet = await startFleet({ config: { ...config }, workers: n });
    expect(await ask(fleet.origin, "")).toBe(200);
    const made = await fleet.run("key", "create", "--name", "first", "--rpm", "2");
    expect(made.code).toBe(0);
    await Bun.sleep(1000);
    const open = await Promise.all(Array.from({ length: 20 }, () => ask(fleet.origin, "")));
    expect(new Set(open)).toEqual(new Set([401]));
    const text = made.stdout.trim();
    const kept = [await ask(fleet.origin, text), await ask(fleet.origin, text)];
    expect([...kept, await ask(fleet.origin, text)]).toEqual([200, 200, 429]);
    expect((await fleet.run("reload")).code).toBe(0);
    expect(await ask(fleet.origin, "")).toBe(401);
  });

  test("stored keys alone permit a public address, at the start and through a reload", async () => {
    const config = { ...configFor({ upstream, models: ["m"] }), server: { host: "0.0.0.0" } };
    const home = mkdtempSync(join(tmpdir(), "interlock-public-"));
    const env = { INTERLOCK_STATE_DIR: home };
    {
      await using open = await startFleet({ config, env });
      expect(await isPublic(open.port)).toBe(false);
      expect((await open.run("key", "create", "--name", "first")).code).toBe(0);
    }
    await using fleet = await startFleet({ config, env });
    expect(await isPublic(fleet.port)).toBe(true);
    expect(await ask(fleet.origin, "")).toBe(401);
    const text = await Bun.file(fleet.file).text();
    await Bun.write(fleet.file, text.replaceAll('"m"', '"m2"'));
    expect(await fleet.run("reload")).toMatchObject({ code: 0 });
    expect(await isPublic(fleet.port)).toBe(true);
    rmSync(home, { recursive: true, force: true });
  });
});

test("--metrics-port off opens no admin listener", async () => {
  const config = configFor({ upstream, models: ["m"] });
  await using running = await startBinary({ config, args: ["--metrics-port", "off"] });
  expect(await ask(running.origin, "")).toBe(200);
  expect(await fetch(running.adminOrigin).catch(() => "nobody")).toBe("nobody");
});
