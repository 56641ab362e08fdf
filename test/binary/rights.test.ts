import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { type Gate, gate, json } from "../faultd/script.ts";
import { chatBody, providerAt } from "./config.ts";
import { KEY_KINDS, type KeysRig, type Rights, startWithKeys } from "./key-kinds.ts";

const ANSWER = {
  ...{ id: "c", object: "chat.completion", created: 1, model: "m" },
  choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
};
const ANSWER_TOKENS = 15;

const RIGHTS = {
  pools: { allow: ["p", "m"] },
  shut: { privacy: "private" },
  zoned: { zones: ["eu"] },
  requests: { requests_per_minute: 3 },
  tokens: { tokens_per_minute: 30 },
  slots: { max_concurrent: 1 },
  budget: { budget: { tokens: 2 * ANSWER_TOKENS, period: "total" } },
  ended: { expires: "soon" },
  free: {},
} as const satisfies Record<string, Rights>;
type Right = keyof typeof RIGHTS;

describe.each(KEY_KINDS)("a key: %s", (kind) => {
  let held: Gate | undefined;
  const answer = () => json(ANSWER, held && { beforeHead: held });
  let upstreams: { readonly eu: Faultd; readonly us: Faultd; readonly far: Faultd };
  let rig: KeysRig;

  beforeAll(async () => {
    upstreams = { eu: startFaultd(answer), us: startFaultd(answer), far: startFaultd(answer) };
    const { eu, us, far } = upstreams;
    const config = {
      privacy: { default: "shareable" },
      providers: {
        eu: providerAt(eu, { zone: "eu" }),
        us: providerAt(us, { zone: "us" }),
        far: providerAt(far, { placement: "external", zone: "us" }),
      },
      models: { m: { provider: "eu" }, n: { provider: "us" }, f: { provider: "far" } },
      pools: { p: { members: [{ model: "n" }, { model: "m", priority: 1 }] } },
    };
    rig = await startWithKeys({ config, kind, rights: RIGHTS });
  }, 30_000);
  afterAll(async () => {
    await rig[Symbol.asyncDispose]();
    for (const upstream of Object.values(upstreams)) upstream.stop();
  });

  function post(right: Right, model: string): Promise<Response> {
    return fetch(`${rig.binary.origin}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${rig.keys[right]}` },
      body: chatBody({ model, max_tokens: 5 }),
    });
  }
  async function ask(right: Right, model = "m"): Promise<number> {
    const response = await post(right, model);
    await response.arrayBuffer();
    return response.status;
  }
  async function listed(right: Right): Promise<readonly string[]> {
    const { origin } = rig.binary;
    const headers = { authorization: `Bearer ${rig.keys[right]}` };
    const answered = await fetch(`${origin}/v1/models`, { headers });
    const { data } = (await answered.json()) as { data?: readonly { id: string }[] };
    return (data ?? []).map(({ id }) => id).toSorted();
  }

  async function detailed(right: Right): Promise<boolean> {
    const headers = { authorization: `Bearer ${rig.keys[right]}` };
    const answered = await fetch(`${rig.binary.origin}/health?detailed=true`, { headers });
    return "backends" in ((await answered.json()) as object);
  }

  test("without rights of its own may use everything", async () => {
    for (const model of ["m", "n", "f", "p"]) expect(await ask("free", model)).toBe(200);
    expect(await listed("free")).toEqual(["f", "m", "n", "p"]);
  });

  test("uses the pools and models it was given, hears of those, and of no others", async () => {
    const { us, far } = upstreams;
    expect([await ask("pools", "p"), await ask("pools", "m")]).toEqual([200, 200]);
    const before = us.received + far.received;
    // Its own list forbids; a tenant's hides: what is signed has the tenant's alone.
    const refused = kind === "signed" ? 404 : 403;
    expect([await ask("pools", "n"), await ask("pools", "f")]).toEqual([refused, refused]);
    expect(us.received + far.received).toBe(before);
    expect(await listed("pools")).toEqual(["m", "p"]);
    const path = `${rig.binary.origin}/us/v1/chat/completions`;
    const headers = {
      authorization: `Bearer ${rig.keys["pools"]}`,
      "content-type": "application/json",
    };
    const native = await fetch(path, { method: "POST", headers, body: chatBody() });
    expect([native.status, us.received + far.received]).toEqual([
      kind === "signed" ? 404 : 403,
      before,
    ]);
  });

  test("that is private reaches nothing external", async () => {
    const { far } = upstreams;
    const before = far.received;
    expect(await ask("shut", "m")).toBe(200);
    expect(await ask("shut", "f")).toBeGreaterThanOrEqual(400);
    expect(far.received).toBe(before);
    expect(await listed("shut")).toEqual(["m", "n", "p"]);
  });

  test("goes to its zones and nowhere else", async () => {
    const { us, far } = upstreams;
    const before = us.received + far.received;
    for (let at = 0; at < 3; at++) expect(await ask("zoned", "p")).toBe(200);
    expect(await ask("zoned", "n")).toBeGreaterThanOrEqual(400);
    expect(await ask("zoned", "f")).toBeGreaterThanOrEqual(400);
    expect(us.received + far.received).toBe(before);
    expect(await listed("zoned")).toEqual(["m", "p"]);
  });

  test("sends as many requests a minute as it may", async () => {
    const statuses = await Promise.all(Array.from({ length: 6 }, () => ask("requests")));
    const admitted = statuses.filter((status) => status === 200).length;
    expect(statuses.filter((status) => status === 429)).toHaveLength(6 - admitted);
    expect(admitted).toBe(3);
  });

  test("uses as many tokens a minute as it may", async () => {
    const statuses = await Promise.all(Array.from({ length: 4 }, () => ask("tokens")));
    expect(statuses.toSorted()).toEqual([200, 429, 429, 429]);
  });

  test("has as many requests at once as it may", async () => {
    const { eu } = upstreams;
    held = gate();
    const next = eu.exchanges.length;
    const first = ask("slots");
    await eu.exchange(next);
    expect(await ask("slots")).toBe(429);
    expect(await ask("slots")).toBe(429);
    held.open();
    held = undefined;
    expect(await first).toBe(200);
    expect(await ask("slots")).toBe(200);
  });

  test("spends its budget and no more", async () => {
    expect(await ask("budget")).toBe(200);
    const over = await post("budget", "m");
    expect([over.status, await over.json()]).toMatchObject([
      429,
      { error: { type: "insufficient_quota" } },
    ]);
  });

  test.skipIf(kind === "signed")(
    "opens nothing once it has expired",
    async () => {
      let status = await ask("ended");
      for (const end = performance.now() + 20_000; status !== 401 && performance.now() < end;) {
        status = await ask("ended");
      }
      expect(status).toBe(401);
      expect(await listed("ended")).toEqual([]);
      expect(await detailed("ended")).toBe(false);
      expect(await detailed("free")).toBe(kind === "configured" || kind === "stored");
    },
    30_000,
  );
});
