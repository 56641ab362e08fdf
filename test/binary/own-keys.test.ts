import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import type { SeenRequest } from "../faultd/request-reader.ts";
import { json, type Script } from "../faultd/script.ts";
import { chatBody, COMPLETION, providerAt, UPSTREAM_KEY } from "./config.ts";
import { type Binary, startBinary } from "./harness.ts";
import { lineOf } from "./log-lines.ts";

const APP = "app-key-0123456789abcdef";
const ACME = "acme-key-0123456789abcdef";
const OWN = "sk-callers-own-key-4711-0123456789";

let script: Script = json(COMPLETION);
const vendors = {
  openai: startFaultd(() => script),
  claude: startFaultd(() => script),
  google: startFaultd(() => script),
  closed: startFaultd(() => script),
} satisfies Record<string, Faultd>;
const state = mkdtempSync(join(tmpdir(), "interlock-own-"));
let binary: Binary;

beforeAll(async () => {
  const far = { placement: "external" };
  const config = {
    providers: {
      openai: providerAt(vendors.openai, far),
      claude: providerAt(vendors.claude, {
        ...{ ...far, protocol: "anthropic", base_url: vendors.claude.origin, api_key: undefined },
        auth: "x-api-key",
      }),
      google: providerAt(vendors.google, {
        ...{ ...far, protocol: "gemini", base_url: `${vendors.google.origin}/v1beta` },
      }),
      closed: providerAt(vendors.closed, far),
    },
    models: { m: { provider: "openai" } },
    own_keys: { providers: ["openai", "claude", "google"], requests_per_minute: 30 },
    tenants: {
      acme: { own_keys: ["openai"], requests_per_minute: 100, keys: { k: { key: ACME } } },
    },
    keys: { app: { key: APP } },
    ledger: { enabled: true },
  };
  binary = await startBinary({ config, env: { INTERLOCK_STATE_DIR: state } });
}, 30_000);
afterAll(async () => {
  await binary[Symbol.asyncDispose]();
  for (const vendor of Object.values(vendors)) vendor.stop();
  rmSync(state, { recursive: true, force: true });
});
beforeEach(() => {
  script = json(COMPLETION);
  for (const vendor of Object.values(vendors)) vendor.forget();
});

const CHAT = "/openai/v1/chat/completions";

function ask(path: string, headers: Record<string, string>, body = chatBody()): Promise<Response> {
  return fetch(binary.origin + path, {
    ...{ method: "POST", body },
    headers: { "content-type": "application/json", ...headers },
  });
}
async function statusOf(path: string, headers: Record<string, string>): Promise<number> {
  const answer = await ask(path, headers);
  await answer.arrayBuffer();
  return answer.status;
}
function sent(vendor: keyof typeof vendors): SeenRequest {
  const last = vendors[vendor].exchanges.at(-1);
  if (last === undefined) throw new Error(`${vendor} was not asked`);
  return last.request;
}
const asked = (): number =>
  Object.values(vendors).reduce((sum, { exchanges }) => sum + exchanges.length, 0);
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

describe("a caller's own key", () => {
  test.each([
    ["openai", CHAT, { authorization: `Bearer ${OWN}` }],
    ["claude", "/claude/v1/messages", { "x-api-key": OWN }],
    ["claude", "/claude/v1/messages", { authorization: `Bearer ${OWN}` }],
    ["google", "/google/v1beta/models/g:generateContent", { "x-goog-api-key": OWN }],
  ] as const)("goes to %s as it came, in place of ours", async (vendor, path, headers) => {
    const body = '{ "model":"x","max_tokens" : 5,  "messages":[], "contents":[] }';
    const account = { "openai-organization": "org-of-theirs", "x-interlock-other": "stays" };
    await (await ask(path, { ...headers, ...account }, body)).arrayBuffer();
    const { rawHead, body: received } = sent(vendor);
    for (const [name, value] of Object.entries(headers)) {
      expect(sent(vendor).header(name)).toBe(value);
    }
    expect(rawHead.split(OWN)).toHaveLength(2);
    expect(rawHead).not.toContain(UPSTREAM_KEY);
    expect(rawHead).not.toContain("stays");
    expect(rawHead.includes("org-of-theirs")).toBe(vendor === "openai");
    expect(new TextDecoder().decode(received)).toBe(body);
  });

  test("that came in the query goes on in a header", async () => {
    const path = `/google/v1beta/models/g:generateContent?key=${OWN}`;
    await (await ask(path, {})).arrayBuffer();
    expect(sent("google").header("x-goog-api-key")).toBe(OWN);
    expect(sent("google").target).not.toContain(OWN);
  });

  test("stands where the provider looks for one when the path is translated", async () => {
    const body = JSON.stringify({
      ...{ model: "x", max_tokens: 5, messages: [{ role: "user", content: "hi" }] },
    });
    const answer = await ask("/openai/gpt-x/v1/messages", { "x-api-key": OWN }, body);
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();
    expect(sent("openai").header("authorization")).toBe(`Bearer ${OWN}`);
    expect(sent("openai").header("x-api-key")).toBeUndefined();
  });

  test("goes nowhere but to a provider that is listed and named by the path", async () => {
    for (const path of [
      "/v1/chat/completions",
      "/closed/v1/chat/completions",
      "/m/v1/chat/completions",
      "/v1/messages",
      "/nobody/v1/chat/completions",
    ]) {
      expect(await statusOf(path, bearer(OWN))).toBe(401);
    }
    const headers = bearer(OWN);
    expect((await fetch(`${binary.origin}/v1/models`, { headers })).status).toBe(401);
    const health = await fetch(`${binary.origin}/health?detailed=true`, { headers });
    expect(await health.json()).not.toHaveProperty("backends");
    expect(asked()).toBe(0);
  });

  test("is never one of ours, however it is dressed", async () => {
    const ours = [
      ...["bai_v1.1.AAAAAAAAAAAAAAAAAAAAAA.AAAA", "ilk_0123456789abcdef_0123", "BAI_x", "Ilk_x"],
      ...["bai_", "ilk_"],
    ];
    const dresses = [
      ...["*", '"*"', "Bearer *", "bearer bearer *", "'*", "(*)", "key=*", "x, *", "x;*", "x *"],
      ...["https://a/*", "x,*", "%20*"],
    ];
    for (const key of ours) {
      for (const dress of dresses) {
        const text = dress.replace("*", key);
        for (const headers of [bearer(text), { "x-api-key": text }, { "x-goog-api-key": text }]) {
          const status = await statusOf(CHAT, headers);
          expect([text, status === 401 || status === 400]).toEqual([text, true]);
        }
      }
    }
    expect(await statusOf(CHAT, { "x-api-key": `${OWN}, ${APP}` })).toBe(400);
    expect(await statusOf(CHAT, { authorization: `Basic ${OWN}` })).toBe(401);
    expect(asked()).toBe(0);
  });

  test("of ours at the same path opens it as ours, and stays here", async () => {
    expect(await statusOf(CHAT, bearer(APP))).toBe(200);
    expect(sent("openai").header("authorization")).toBe(`Bearer ${UPSTREAM_KEY}`);
    expect(sent("openai").rawHead).not.toContain(APP);
  });

  test.each([401, 403, 402, 429])(
    "that its provider answers with %d is told so in its words",
    async (status) => {
      const body = JSON.stringify({ error: { message: "no such key", type: "x", code: "y" } });
      script = json(body, { status });
      const answer = await ask(CHAT, bearer(OWN));
      expect([answer.status, await answer.text()]).toEqual([status, body]);
      expect(asked()).toBe(1);
    },
  );

  test("goes to no other provider when its own fails", async () => {
    script = { raw: "", then: "rst" };
    expect(await statusOf(CHAT, bearer(OWN))).toBeGreaterThanOrEqual(500);
    const others = [vendors.claude, vendors.google, vendors.closed];
    expect(others.map(({ exchanges }) => exchanges.length)).toEqual([0, 0, 0]);
  });

  test("is in no line, no metric and no report; its line says whose it was", async () => {
    const answer = await ask(CHAT, bearer(OWN));
    await answer.arrayBuffer();
    const line = await lineOf(binary, answer.headers.get("x-request-id") ?? "");
    expect(line).toMatchObject({ key: "own", provider: "openai", status: 200 });
    expect(binary.stdout() + binary.stderr() + (await binary.metrics())).not.toContain(OWN);
  });

  test("is asked with about so many times a minute, and another beside it", async () => {
    const flood = `${OWN}-flood`;
    const statuses: number[] = [];
    for (let at = 0; at < 45; at++) statuses.push(await statusOf(CHAT, bearer(flood)));
    const admitted = statuses.filter((status) => status === 200).length;
    expect(admitted).toBeGreaterThan(0);
    expect(statuses).toContain(429);
    expect(vendors.openai.exchanges).toHaveLength(admitted);
    expect(await statusOf(CHAT, bearer(`${OWN}-another`))).toBe(200);
  });
});

describe("beside a key of ours", () => {
  const beside = { ...bearer(OWN), "x-interlock-key": ACME };

  test("a tenant's caller brings its own where its tenant may, and is held to our limits", async () => {
    const answer = await ask(CHAT, beside);
    expect([answer.status, answer.headers.get("x-ratelimit-limit-requests")]).toEqual([200, "100"]);
    await answer.arrayBuffer();
    expect(sent("openai").header("authorization")).toBe(`Bearer ${OWN}`);
    expect(sent("openai").rawHead).not.toContain(ACME);
    const line = await lineOf(binary, answer.headers.get("x-request-id") ?? "");
    expect(line).toMatchObject({ tenant: "acme", key: "acme:k" });
  });

  test("elsewhere the key of ours opens what it opens, and the other is not sent", async () => {
    expect(await statusOf("/v1/chat/completions", beside)).toBe(200);
    expect(sent("openai").header("authorization")).toBe(`Bearer ${UPSTREAM_KEY}`);
    expect(await statusOf("/closed/v1/chat/completions", beside)).toBe(200);
    expect(sent("closed").header("authorization")).toBe(`Bearer ${UPSTREAM_KEY}`);
  });

  test("a wrong one opens nothing, and ours is not taken for the caller's", async () => {
    const headers = { ...bearer(OWN), "x-interlock-key": "wrong-0123456789abcdef" };
    expect(await statusOf(CHAT, headers)).toBe(401);
    const both = { ...bearer("ilk_0123456789abcdef_0123"), "x-interlock-key": ACME };
    expect(await statusOf(CHAT, both)).toBe(401);
    expect(asked()).toBe(0);
  });
});

test("what callers used with their own keys is in no report", async () => {
  await binary.stop();
  const program = process.env["INTERLOCK_BINARY"] ?? join(import.meta.dir, "../../dist/interlock");
  const args = ["token-usage", "--group-by", "key", "--window", "all", "--json"];
  const env = { INTERLOCK_STATE_DIR: state, PATH: "/usr/bin:/bin", HOME: state };
  const text = await new Response(Bun.spawn([program, ...args], { env }).stdout).text();
  expect(text).toContain('"app"');
  expect(text).not.toContain('"own"');
});

test("they have the class of privacy that the configuration says, the default without it", async () => {
  const providers = {
    openai: providerAt(vendors.openai, { placement: "external" }),
    house: providerAt(vendors.closed),
  };
  const statuses: number[] = [];
  for (const privacy of [undefined, "shareable"]) {
    const own_keys = { providers: ["openai"], ...(privacy && { privacy }) };
    const models = { m: { provider: "house" } };
    await using other = await startBinary({ config: { providers, models, own_keys } });
    const headers = { ...bearer(OWN), "content-type": "application/json" };
    const answer = await fetch(other.origin + CHAT, { method: "POST", headers, body: chatBody() });
    await answer.arrayBuffer();
    statuses.push(answer.status, vendors.openai.exchanges.length);
  }
  expect(statuses.slice(1)).toEqual([0, 200, 1]);
  expect(statuses[0]).toBeGreaterThanOrEqual(400);
});

test("unless the configuration says so nobody's own key goes anywhere", async () => {
  const models = { m: { provider: "openai" } };
  const providers = { openai: providerAt(vendors.openai) };
  await using other = await startBinary({
    config: { providers, models, keys: { app: { key: APP } } },
  });
  const headers = { ...bearer(OWN), "content-type": "application/json" };
  const answer = await fetch(other.origin + CHAT, { method: "POST", headers, body: chatBody() });
  expect([answer.status, asked()]).toEqual([401, 0]);
});
