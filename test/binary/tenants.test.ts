import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { json } from "../faultd/script.ts";
import { chatBody, providerAt } from "./config.ts";
import { atPorts, eventually, type Fleet, startFleet } from "./fleet.ts";
import { KEY_KINDS, type KeysRig, startWithKeys } from "./key-kinds.ts";
import { lineOf } from "./log-lines.ts";

const APP = "app-key-0123456789abcdef";
const USAGE = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
const ANSWER = {
  ...{ id: "c", object: "chat.completion", created: 1, model: "m", usage: USAGE },
  choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
};
const SIGNATURE = "c2lnbmVkIGJ5IHRoZSB2ZW5kb3I=";
const THOUGHT = {
  ...{ id: "msg_1", type: "message", role: "assistant", model: "t", stop_reason: "end_turn" },
  content: [
    { type: "thinking", thinking: "I think.", signature: SIGNATURE },
    { type: "text", text: "hi" },
  ],
  usage: { input_tokens: 10, output_tokens: 5 },
};

const upstream: Faultd = startFaultd(() => json(ANSWER));
const thinker: Faultd = startFaultd(() => json(THOUGHT));
afterAll(() => {
  upstream.stop();
  thinker.stop();
});

const BASE = {
  privacy: { default: "shareable" },
  providers: {
    mock: providerAt(upstream),
    claude: providerAt(thinker, { protocol: "anthropic", base_url: thinker.origin }),
  },
  models: { m: { provider: "mock" }, t: { provider: "claude" } },
  pools: { p: { members: [{ model: "m" }] } },
};

interface Asking {
  readonly key: string;
  readonly path?: string;
  readonly body?: string;
}

/** Wherever it runs, and the keys that are asked with. */
type Asked = Pick<KeysRig, "keys"> & { readonly binary: { readonly origin: string } };

/** A ring that verifies nothing we sign: an Ed25519 key of nobody. */
function ringOf(key: string, rest: object): object {
  return { signed_keys: { public_keys: [{ kid: 9, key }], ...rest } };
}

const adminPortOf = ({ adminOrigin }: Fleet): number => Number(new URL(adminOrigin).port);

function post(rig: Asked, { key, path = "", body = chatBody() }: Asking): Promise<Response> {
  return fetch(`${rig.binary.origin}${path}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${rig.keys[key]}` },
    body,
  });
}
async function ask(rig: Asked, key: string, model = "m"): Promise<number> {
  const answer = await post(rig, { key, body: chatBody({ model, max_tokens: 5 }) });
  await answer.arrayBuffer();
  return answer.status;
}
/** What the upstream was last asked for. */
function heard(): string {
  const body = upstream.exchanges.at(-1)?.request.body ?? new Uint8Array();
  return (JSON.parse(new TextDecoder().decode(body)) as { model: string }).model;
}

describe.each(KEY_KINDS)("keys of tenants: %s", (kind) => {
  test("share their tenant's limits, beside their own, and no other tenant's", async () => {
    const tenants = {
      acme: { tenant_id: 7, requests_per_minute: 5 },
      globex: { tenant_id: 8, requests_per_minute: 2, max_concurrent: 1 },
    };
    const rights = {
      one: { tenant: "acme" },
      two: { tenant: "acme", ...(kind !== "signed" && { requests_per_minute: 2 }) },
      other: { tenant: "globex" },
    };
    const server = { workers: 2 };
    await using rig = await startWithKeys({ config: { ...BASE, server }, kind, rights, tenants });
    const storm = async (key: string, count: number): Promise<number> => {
      const asked = Array.from({ length: count }, () => ask(rig, key));
      return (await Promise.all(asked)).filter((status) => status === 200).length;
    };
    const since = performance.now();
    const two = await storm("two", 4);
    if (kind !== "signed") expect(two).toBe(2);
    const admitted = two + (await storm("one", 12));
    const refilled = Math.floor(((performance.now() - since) / 60_000) * 5);
    expect(admitted).toBeGreaterThanOrEqual(5);
    expect(admitted).toBeLessThanOrEqual(5 + refilled);
    expect(await ask(rig, "other")).toBe(200);
    expect([await ask(rig, "other"), await ask(rig, "other")]).toEqual([200, 429]);
  }, 30_000);
});

describe("a tenant of its own names", () => {
  let rig: KeysRig;
  beforeAll(async () => {
    const own = (heardAs: string) => ({
      m: { provider: "mock", upstream_model: heardAs },
      mine: { provider: "mock" },
    });
    const tenants = {
      acme: {
        ...{ tenant_id: 7, models: own("acme-m"), markup_percent: 50 },
        pools: { p: { members: [{ model: "m" }] }, theirs: { members: [{ model: "mine" }] } },
      },
      globex: { tenant_id: 8, models: { secret: { provider: "mock" } }, deny: ["t"] },
      open: { tenant_id: 9 },
    };
    const rights = {
      acme: { tenant: "acme" },
      globex: { tenant: "globex" },
      open: { tenant: "open" },
    };
    const config = { ...BASE, ledger: { enabled: true } };
    rig = await startWithKeys({ config, kind: "in a tenant", rights, tenants });
  }, 30_000);
  afterAll(() => rig[Symbol.asyncDispose]());

  async function listed(key: string): Promise<readonly string[]> {
    const headers = { authorization: `Bearer ${rig.keys[key]}` };
    const answer = await fetch(`${rig.binary.origin}/v1/models`, { headers });
    const { data } = (await answer.json()) as { data: readonly { id: string }[] };
    return data.map(({ id }) => id).toSorted();
  }

  test("hears of those and of everybody's, and of no other tenant's", async () => {
    expect(await listed("acme")).toEqual(["m", "mine", "p", "t", "theirs"]);
    expect(await listed("globex")).toEqual(["m", "p", "secret"]);
    expect(await listed("open")).toEqual(["m", "p", "t"]);
  });

  test("means its own by a name that all have too, in the body and in the path", async () => {
    for (const [key, model, wanted] of [
      ["acme", "m", "acme-m"],
      ["acme", "p", "acme-m"],
      ["acme", "theirs", "mine"],
      ["globex", "m", "m"],
      ["globex", "p", "m"],
    ] as const) {
      expect(await ask(rig, key, model)).toBe(200);
      expect(heard()).toBe(wanted);
      const named = await post(rig, { key, path: `/${model}`, body: chatBody({ model: "x" }) });
      expect([named.status, heard()]).toEqual([200, wanted]);
      const route = named.headers.get("x-interlock-route");
      expect(route).not.toContain("acme");
      expect(route).toEndWith("@mock");
    }
  });

  test("is told of another's name what it is told of one that nobody has", async () => {
    const before = upstream.received + thinker.received;
    const said = async (key: string, model: string) => {
      const answer = await post(rig, { key, body: chatBody({ model }) });
      return [answer.status, (await answer.text()).replaceAll(`\`${model}\``, "*")];
    };
    const paths = async (key: string, model: string) => {
      const answer = await post(rig, { key, path: `/${model}` });
      return [answer.status, (await answer.text()).replaceAll(`/${model}/`, "*")];
    };
    for (const [key, model] of [
      ["globex", "mine"],
      ["globex", "theirs"],
      ["globex", "t"],
      ["acme", "secret"],
      ["open", "secret"],
    ] as const) {
      expect(await said(key, model)).toEqual(await said(key, "nobody"));
      expect(await paths(key, model)).toEqual(await paths(key, "nobody"));
      expect((await said(key, model))[0]).toBe(404);
    }
    expect(upstream.received + thinker.received).toBe(before);
  });

  test("gets proofs of reasoning back that are good for it alone", async () => {
    const ask = async (key: string, messages: readonly object[]) =>
      (await post(rig, {
        ...{ key, body: chatBody({ model: "t", messages, reasoning_effort: "low" }) },
      }).then((answer) => answer.json())) as { choices: readonly { message: object }[] };
    const first = { role: "user", content: "think" };
    const { choices } = await ask("acme", [first]);
    const message = choices[0]?.message ?? {};
    expect(JSON.stringify(message)).toContain("gw1.");
    const reached = async (key: string): Promise<boolean> => {
      await ask(key, [first, message, { role: "user", content: "more" }]);
      const sent = new TextDecoder().decode(thinker.exchanges.at(-1)?.request.body);
      expect(sent).toContain("more");
      expect(sent).not.toContain("gw1.");
      return sent.includes(SIGNATURE);
    };
    expect([await reached("acme"), await reached("open")]).toEqual([true, false]);
  });

  test("sees no detail of the machine; the line of its request names it", async () => {
    const headers = { authorization: `Bearer ${rig.keys["acme"]}` };
    const health = await fetch(`${rig.binary.origin}/health?detailed=true`, { headers });
    expect(Object.keys((await health.json()) as object)).not.toContain("backends");
    const answer = await post(rig, { key: "acme", body: chatBody({ model: "mine" }) });
    await answer.arrayBuffer();
    const line = await lineOf(rig.binary, answer.headers.get("x-request-id") ?? "");
    expect(line).toMatchObject({ tenant: "acme", key: "acme:acme", model: "acme#mine" });
    const refused = await post(rig, { key: "open", body: chatBody({ model: "mine" }) });
    await refused.arrayBuffer();
    const metrics = await rig.binary.metrics();
    expect(metrics).toContain('model="acme#mine"');
    expect(metrics).not.toContain('model="mine"');
  });

  test("has a report of its own of what it used", async () => {
    await rig.binary.stop();
    const report = async (...args: readonly string[]) =>
      JSON.stringify(JSON.parse(await rig.run(...args, "--window", "all", "--json")));
    const groups = await report("token-usage", "--group-by", "tenant");
    for (const tenant of ["acme", "globex", "open"]) expect(groups).toContain(`"${tenant}"`);
    const acme = await report("token-usage", "--tenant", "acme", "--group-by", "key");
    expect(acme).toContain("acme:acme");
    expect(acme).not.toContain("globex");
    expect(await report("cost", "--tenant", "globex", "--group-by", "key")).not.toContain("acme");
  });
});

test("a private tenant's requests stay, whatever its keys and its own models say", async () => {
  using far = startFaultd(() => json(ANSWER));
  const providers = { ...BASE.providers, far: providerAt(far, { placement: "external" }) };
  const tenants = {
    acme: { tenant_id: 7, privacy: "private", models: { f: { provider: "far" } } },
  };
  const rights = { acme: { tenant: "acme" } };
  for (const kind of KEY_KINDS) {
    await using rig = await startWithKeys({
      ...{ config: { ...BASE, providers }, kind, rights, tenants },
    });
    expect(await ask(rig, "acme", "m")).toBe(200);
    expect(await ask(rig, "acme", "f")).toBeGreaterThanOrEqual(400);
    expect(far.received).toBe(0);
  }
}, 60_000);

test.each(KEY_KINDS)(
  "a tenant that is switched off or shut out opens nothing: %s",
  async (kind) => {
    const home = mkdtempSync(join(tmpdir(), "interlock-shut-"));
    const file = join(home, "denied.log");
    writeFileSync(file, "");
    const tenants = {
      acme: { tenant_id: 7 },
      off: { tenant_id: 8, enabled: false },
      globex: { tenant_id: 9 },
    };
    const rights = {
      acme: { tenant: "acme" },
      off: { tenant: "off" },
      globex: { tenant: "globex" },
    };
    const signer = Buffer.alloc(32, 9).toString("base64"); // Keys of other kinds need a ring too.
    const ring = { deny: { file } };
    const base = kind === "signed" ? BASE : { ...BASE, ...ringOf(signer, ring) };
    await using rig = await startWithKeys({ config: base, kind, rights, tenants, ring });
    expect([await ask(rig, "acme"), await ask(rig, "off")]).toEqual([200, 403]);
    appendFileSync(file, "deny 7 spend\n");
    await eventually("the denial is known", async () => (await ask(rig, "acme")) === 402);
    expect(await ask(rig, "globex")).toBe(200);
    appendFileSync(file, "restore 7\n");
    await eventually("it is taken back", async () => (await ask(rig, "acme")) === 200);
    rmSync(home, { recursive: true, force: true });
  },
  30_000,
);

test("each tenant without an entry is held by the default's, by itself", async () => {
  const tenants = {
    ...{ small: { requests_per_minute: 2, deny: ["t"] }, seven: { tenant_id: 7 } },
    ...{ one: { tenant_id: 101 }, two: { tenant_id: 102 } },
  };
  const rights = { one: { tenant: "one" }, two: { tenant: "two" }, seven: { tenant: "seven" } };
  await using rig = await startWithKeys({
    ...{ config: BASE, kind: "signed", rights, tenants, without: ["one", "two"] },
    ring: { default_tenant: "small" },
  });
  for (const key of ["one", "two"]) {
    const statuses = [await ask(rig, key), await ask(rig, key), await ask(rig, key)];
    expect([key, ...statuses, await ask(rig, key, "t")]).toEqual([key, 200, 200, 429, 404]);
  }
  expect(await ask(rig, "seven", "t")).toBe(200);
}, 30_000);

describe("whose a key is", () => {
  test("that is stored for a tenant nobody configured opens nothing", async () => {
    const rights = { good: { tenant: "acme" }, lost: { tenant: "acne" } };
    const tenants = { acme: {} };
    await using rig = await startWithKeys({ config: BASE, kind: "stored", rights, tenants });
    expect([await ask(rig, "good"), await ask(rig, "lost")]).toEqual([200, 401]);
  });

  test("that is signed by one without an entry is said by the configuration", async () => {
    const rights = { known: { tenant: "acme" }, other: { tenant: "nobody" } };
    // An entry that is not there any more once the key is made.
    const made = (rest: object) => ({ config: { ...BASE, ...rest }, kind: "signed" as const });
    const tenants = { acme: { tenant_id: 7 }, nobody: { tenant_id: 99 } };
    const withRing = async (ring: object): Promise<readonly number[]> => {
      await using rig = await startWithKeys({
        ...{ ...made({}), rights, tenants, without: ["nobody"], ring },
      });
      const statuses = [await ask(rig, "known"), await ask(rig, "other"), await ask(rig, "other")];
      return [...statuses, await ask(rig, "known")];
    };
    expect(await withRing({})).toEqual([200, 200, 200, 200]);
    expect(await withRing({ known_tenants_only: true })).toEqual([200, 401, 401, 200]);
    expect(await withRing({ requests_per_minute: 1 })).toEqual([200, 200, 429, 200]);
  }, 30_000);
});

describe("after a reload", () => {
  test("a tenant's limits and names are the new ones, and keys of one that is gone open nothing", async () => {
    const key = "acme-key-0123456789abcdef";
    const config = (tenants: object) => ({ ...BASE, tenants });
    const acme = (rest: object) => ({ keys: { k: { key } }, ...rest });
    const before = { acme: acme({ models: { old: { provider: "mock" } } }), globex: {} };
    await using fleet = await startFleet({ config: config(before), workers: 2 });
    const stored = await fleet.run("key", "create", "--name", "s", "--tenant", "globex");
    const text = stored.stdout.trim();
    const rig = { binary: fleet, keys: { k: key, s: text } };
    const storedOpens = async () => (await ask(rig, "s")) === 200;
    await eventually("the stored key opens", storedOpens);
    expect([await ask(rig, "k", "old"), await ask(rig, "k", "new")]).toEqual([200, 404]);

    const after = {
      acme: acme({ models: { new: { provider: "mock" } }, max_concurrent: 1, deny: ["t"] }),
    };
    await Bun.write(
      fleet.file,
      JSON.stringify(atPorts(config(after), fleet.port, adminPortOf(fleet))),
    );
    expect(await fleet.run("reload")).toMatchObject({ code: 0 });
    expect([await ask(rig, "k", "old"), await ask(rig, "k", "new")]).toEqual([404, 200]);
    expect([await ask(rig, "k", "t"), await ask(rig, "s")]).toEqual([404, 401]);
  }, 30_000);

  test("a signed key ends with its kid", async () => {
    const home = mkdtempSync(join(tmpdir(), "interlock-kid-"));
    const seed = join(home, "seed");
    await using fleet = await startFleet({ config: { ...BASE, keys: { app: { key: APP } } } });
    const pair = await fleet.run("key", "pair", "--private-key", seed, "--json");
    const { public_key } = JSON.parse(pair.stdout) as { public_key: string };
    const minted = ["--tenant", "7", "--vpc", "0", "--private-key", seed];
    const texts = await Promise.all(
      ["1", "2"].map(
        async (kid) => (await fleet.run("key", "mint", "--kid", kid, ...minted)).stdout,
      ),
    );
    const [one = "", two = ""] = texts.map((text) => text.trim());
    const rig = { binary: fleet, keys: { one, two } };
    const withKids = async (...kids: readonly number[]): Promise<readonly number[]> => {
      const public_keys = kids.map((kid) => ({ kid, key: public_key }));
      const config = { ...BASE, keys: { app: { key: APP } }, signed_keys: { public_keys } };
      await Bun.write(fleet.file, JSON.stringify(atPorts(config, fleet.port, adminPortOf(fleet))));
      expect(await fleet.run("reload")).toMatchObject({ code: 0 });
      return [await ask(rig, "one"), await ask(rig, "two")];
    };
    expect(await withKids(1, 2)).toEqual([200, 200]);
    expect(await withKids(2)).toEqual([401, 200]);
    expect(await withKids(1)).toEqual([200, 401]);
    rmSync(home, { recursive: true, force: true });
  }, 30_000);
});

test("a tenant's markup is on what its keys are charged, and not on what others are", async () => {
  const providers = {
    openai: providerAt(upstream, { placement: "external" }),
    ...BASE.providers,
  };
  const models = { ...BASE.models, "gpt-4o-mini": { provider: "openai" } };
  const budget = { usd: 10, period: "total" };
  const tenants = {
    plain: { budget },
    marked: { budget, markup_percent: 100 },
  };
  const rights = { plain: { tenant: "plain" }, marked: { tenant: "marked" } };
  await using rig = await startWithKeys({
    ...{ config: { ...BASE, providers, models }, kind: "in a tenant", rights, tenants },
  });
  const spent = async (key: string): Promise<number> => {
    const body = chatBody({ model: "gpt-4o-mini", max_tokens: 5 });
    await (await post(rig, { key, body })).arrayBuffer();
    const second = await post(rig, { key, body });
    await second.arrayBuffer();
    const told = second.headers.get("x-interlock-budget") ?? "";
    expect(told).toContain("of=tenant");
    return Number(/spent=([\d.]+)/.exec(told)?.[1]);
  };
  const plain = await spent("plain");
  expect(plain).toBeGreaterThan(0);
  expect(await spent("marked")).toBeCloseTo(2 * plain, 6);
}, 30_000);

test("a tenant's admin token makes, lists and ends its own keys, and touches no other's", async () => {
  const [ops, own] = ["operators-token-0123456789", "acmes-own-token-0123456789"];
  const admin = { tokens: { ops: { token: ops }, acme: { token: own, tenant: "acme" } } };
  const tenants = { acme: { requests_per_minute: 2 }, globex: {} };
  await using fleet = await startFleet({ config: { ...BASE, tenants, admin }, workers: 2 });
  const call = async (line: string, token: string, body?: object) => {
    const [method = "", path = ""] = line.split(" ");
    const answer = await fetch(fleet.adminOrigin + path, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, text, body: JSON.parse(text) as Record<string, string> };
  };
  const other = (await call("POST /admin/keys", ops, { name: "k", tenant: "globex" })).body;
  const made = (await call("POST /admin/keys", own, { name: "k" })).body;
  expect(made["tenant"]).toBe("acme");
  const rig = { binary: fleet, keys: { other: other["key"] ?? "", made: made["key"] ?? "" } };
  const opens = async (key: string): Promise<boolean> => (await ask(rig, key)) !== 401;
  await eventually("both keys are known", async () => (await opens("other")) && opens("made"));
  await eventually("its tenant's limit holds", async () => (await ask(rig, "made")) === 429);
  expect(await ask(rig, "other")).toBe(200);

  expect((await call("GET /admin/keys?all=true", own)).text).not.toContain(other["id"] ?? "?");
  expect((await call(`DELETE /admin/keys/${other["id"]}`, own)).status).toBe(404);
  for (const line of ["GET /admin/audit", "GET /admin/denials", "PUT /admin/denials/8"]) {
    expect(
      (await call(line, own, line.startsWith("PUT") ? { reason: "spend" } : undefined)).status,
    ).toBe(403);
  }
  const headers = { authorization: `Bearer ${own}` };
  expect((await fetch(`${fleet.adminOrigin}/metrics`, { headers })).status).toBe(403);
  expect((await call(`DELETE /admin/keys/${made["id"]}`, own)).status).toBe(200);
  await eventually("its key has ended", async () => !(await opens("made")));
  expect(await ask(rig, "other")).toBe(200);
}, 30_000);
