import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { BedrockRuntimeClient } from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { DIALECT_IDS } from "../../src/core/ids.ts";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { signRequest } from "../../src/wire/sigv4.ts";
import type { Script } from "../faultd/script.ts";
import { sent } from "./clients/bedrock.ts";
import { type Result, tried } from "./clients/client.ts";
import { type Binary, startBinary } from "./harness.ts";
import { played } from "./scenarios/kitchen.ts";
import { sixProviders } from "./six.ts";

/** A key's name is the access key, its text the secret. */
const ID = "AKIDINTERLOCKTEST";
const SECRET = "a secret of forty characters for a client";

let script: Script = { raw: "", then: "rst" };
let upstream: Faultd;
let binary: Binary;
beforeAll(async () => {
  upstream = startFaultd(() => script);
  const budget = { tokens: 1_000_000, period: "total" };
  const keys = {
    [ID]: { key: SECRET },
    other: { key: `${SECRET} too` },
    limited: { key: `${SECRET} limited`, requests_per_minute: 1000, budget },
    ended: { key: `${SECRET} ended`, expires: "2020-01-01" },
  };
  const models = { mine: { provider: "p-bedrock", upstream_model: "amazon.nova-lite-v1:0" } };
  const tenants = { acme: { budget, models, keys: { app: { key: `${SECRET} acme` } } } };
  binary = await startBinary({ config: sixProviders(upstream, { keys, tenants }) });
});
afterAll(async () => {
  await binary[Symbol.asyncDispose]();
  upstream.stop();
});

describe("AWS's SDK, signing with a key of ours as its credentials", () => {
  for (const backend of DIALECT_IDS) {
    for (const stream of [false, true]) {
      test(`is answered by ${backend}${stream ? ", streamed" : ""}`, async () => {
        script = played(backend, { text: "It is sunny.", stop: "end" }, stream);
        const result = await ask({ backend, stream, id: ID, secret: SECRET });
        expect(result).toMatchObject({ ok: true, seen: { text: "It is sunny.", stop: "end" } });
      });
    }
  }

  test.each([
    ["a wrong secret", ID, `${SECRET}!`],
    ["another key's secret", ID, `${SECRET} too`],
    ["a name that no key has", "AKIDNOBODY", SECRET],
  ])("is refused with %s, and nothing goes up", async (_, id, secret) => {
    upstream.forget();
    const result = await ask({ backend: "bedrock", stream: false, id, secret });
    expect(result).toMatchObject({
      ok: false,
      error: { kind: "UnrecognizedClientException", status: 403 },
    });
    expect(upstream.exchanges).toEqual([]);
  });

  test("is a tenant's with that tenant's key, and is served its own names", async () => {
    script = played("bedrock", { text: "It is sunny.", stop: "end" }, false);
    const asked = { model: "mine", stream: false, backend: "bedrock" };
    const acme = { id: "acme:app", secret: `${SECRET} acme` };
    expect(await ask({ ...asked, ...acme })).toMatchObject({ ok: true });
    expect(await ask({ ...asked, id: ID, secret: SECRET })).toMatchObject({ ok: false });
    expect(await ask({ ...asked, ...acme, id: "app" })).toMatchObject({ ok: false });
  });

  test("is told the same of every key it cannot prove to have: limits, end, tenant or none", async () => {
    upstream.forget();
    const told = async (id: string, path: string) => {
      const answer = await claim(id, path);
      const headers = [...answer.headers].filter(
        ([name]) => !/^(?:x-request-id|x-amzn-requestid|server-timing|date)$/.test(name),
      );
      return JSON.stringify([answer.status, headers, await answer.text()]);
    };
    for (const path of ["/model/on-bedrock/converse", "/mine/model/x/converse", "/v1/models"]) {
      const nobody = await told("AKIDNOBODY", path);
      for (const id of [ID, "limited", "ended", "acme:app"]) {
        expect([id, path, await told(id, path)]).toEqual([id, path, nobody]);
      }
    }
    expect(upstream.exchanges).toEqual([]);
  });

  test("is refused when what it signed was changed on the way", async () => {
    upstream.forget();
    script = played("bedrock", { text: "It is sunny.", stop: "end" }, false);
    using window = Bun.serve({
      ...{ hostname: "127.0.0.1", port: 0 },
      async fetch(request) {
        const { pathname } = new URL(request.url);
        const body = (await request.text()).replace("weather", "Weather");
        const { method, headers } = request;
        return fetch(`${binary.origin}${pathname}`, { method, headers, body });
      },
    });
    const origin = `http://127.0.0.1:${window.port}`;
    const result = await ask({ backend: "bedrock", stream: false, id: ID, secret: SECRET, origin });
    expect(result).toMatchObject({ ok: false, error: { status: 403 } });
    expect(upstream.exchanges).toEqual([]);
  });
});

/** A request signed with a secret that nobody has. */
function claim(id: string, path: string): Promise<Response> {
  const host = `127.0.0.1:${binary.port}`;
  const body = '{"messages":[{"role":"user","content":[{"text":"hi"}]}]}';
  const request = {
    ...{ method: "POST", host, path, query: "", body: new TextEncoder().encode(body) },
    headers: { "content-type": "application/json" },
  };
  const credentials = { accessKeyId: id, secretAccessKey: "a secret that nobody has" };
  const region = "eu-central-1";
  const added = signRequest(request, { credentials, region, service: "bedrock", at: Date.now() });
  return fetch(`${binary.origin}${path}`, {
    ...{ method: "POST", body, headers: { ...request.headers, ...added } },
  });
}

interface Signed {
  /** The name asked for; the backend's unless given. */
  readonly model?: string;
  readonly backend: string;
  readonly stream: boolean;
  readonly id: string;
  readonly secret: string;
  readonly origin?: string;
}

async function ask({
  backend,
  stream,
  id,
  secret,
  model = `on-${backend}`,
  origin = binary.origin,
}: Signed): Promise<Result> {
  const client = new BedrockRuntimeClient({
    ...{ endpoint: origin, region: "eu-central-1", maxAttempts: 1 },
    credentials: { accessKeyId: id, secretAccessKey: secret },
    authSchemePreference: ["sigv4"],
    requestHandler: new NodeHttpHandler(),
  });
  const messages = [{ role: "user" as const, content: [{ text: "What is the weather?" }] }];
  try {
    return await tried(sent(client, { modelId: model, messages }, stream));
  } finally {
    client.destroy();
  }
}
