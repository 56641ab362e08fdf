import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { BedrockRuntimeClient } from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { DIALECT_IDS } from "../../src/core/ids.ts";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
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
  const keys = { [ID]: { key: SECRET }, other: { key: `${SECRET} too` } };
  binary = await startBinary({ config: sixProviders(upstream, { keys }) });
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

interface Signed {
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
    return await tried(sent(client, { modelId: `on-${backend}`, messages }, stream));
  } finally {
    client.destroy();
  }
}
