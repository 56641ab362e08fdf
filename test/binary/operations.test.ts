import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import AnthropicBefore1 from "anthropic-0";
import { CohereClient } from "cohere-ai";
import OpenAI from "openai";
import { bytesOf, json } from "../faultd/script.ts";
import { type Answered, KEYS, type NativeBench, startNative } from "./native-bench.ts";

const JSON_TYPE = { "content-type": "application/json" };
/** Every byte there is: sound, to who does not listen. */
const SOUND = Uint8Array.from({ length: 256 }, (_, at) => at);

let bench: NativeBench;
beforeAll(async () => void (bench = await startNative()));
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.play(json({ ok: true })));

interface Operation {
  readonly what: string;
  readonly path: string;
  /** The name of a model whose provider speaks the protocol, and of one whose does not. */
  readonly spoken: string;
  readonly foreign: string;
  readonly body: (model: string) => string;
  readonly target: string;
  /** What it is called upstream. */
  readonly upstream: string;
}

const openai = { spoken: "chat", foreign: "sonnet", upstream: "gpt-4o" } as const;
const gemini = { spoken: "flash", foreign: "chat", upstream: "gemini-3-flash" } as const;
const coherent = { spoken: "command", foreign: "flash", upstream: "command-a-03-2025" } as const;

/** Calls beside chats, each in its vendor's own form. */
const OPERATIONS: readonly Operation[] = [
  {
    ...{ what: "embeddings", path: "/v1/embeddings", target: "/v1/embeddings", ...openai },
    body: (model) => JSON.stringify({ model, input: ["a", "b"], encoding_format: "base64" }),
  },
  {
    ...{
      what: "legacy completions",
      path: "/v1/completions",
      target: "/v1/completions",
      ...openai,
    },
    body: (model) => JSON.stringify({ model, prompt: "a" }),
  },
  {
    ...{ what: "moderations", path: "/v1/moderations", target: "/v1/moderations", ...openai },
    body: (model) => JSON.stringify({ model, input: "a" }),
  },
  {
    ...{ what: "images", path: "/v1/images/generations", target: "/v1/images/generations" },
    ...{ ...openai, body: (model) => JSON.stringify({ model, prompt: "a cat", n: 1.0 }) },
  },
  {
    ...{ what: "speech", path: "/v1/audio/speech", target: "/v1/audio/speech", ...openai },
    body: (model) => JSON.stringify({ model, input: "a", voice: "alloy" }),
  },
  {
    ...{ what: "counts of Anthropic's", path: "/v1/messages/count_tokens" },
    ...{ target: "/v1/messages/count_tokens", spoken: "sonnet", foreign: "chat" },
    upstream: "claude-sonnet-4-5",
    body: (model) => JSON.stringify({ model, messages: [] }),
  },
  {
    ...{ what: "counts of Google's", path: "/v1beta/models/MODEL:countTokens", ...gemini },
    target: "/v1beta/models/gemini-3-flash:countTokens",
    body: () => '{"contents":[]}',
  },
  {
    ...{ what: "embeddings of Google's", path: "/v1beta/models/MODEL:batchEmbedContents" },
    ...{ target: "/v1beta/models/gemini-3-flash:batchEmbedContents", ...gemini },
    body: () => '{"requests":[]}',
  },
  {
    ...{ what: "embeddings of Cohere's", path: "/v2/embed", target: "/v2/embed", ...coherent },
    body: (model) => JSON.stringify({ model, texts: ["a"], input_type: "search_query" }),
  },
  {
    ...{ what: "reranking", path: "/v2/rerank", target: "/v2/rerank", ...coherent },
    body: (model) => JSON.stringify({ model, query: "q", documents: ["a"] }),
  },
  {
    ...{ what: "reranking of OpenAI's kin", path: "/v1/rerank", target: "/v1/rerank", ...openai },
    body: (model) => JSON.stringify({ model, query: "q", documents: ["a"] }),
  },
  {
    ...{ what: "an invoked model", path: "/model/MODEL/invoke", spoken: "nova", foreign: "chat" },
    ...{ target: "/model/us.amazon.nova-lite-v1%3A0/invoke", upstream: "" },
    body: () => '{"inputText":"a"}',
  },
];

function asked({ path, body }: Operation, model: string): Promise<Answered> {
  const headers = JSON_TYPE;
  return bench.send(path.replace("MODEL", model), { body: body(model), headers });
}

/** Everything there is to see of the backends' health. */
async function health(): Promise<unknown> {
  const headers = { authorization: `Bearer ${KEYS.all}` };
  const answer = await fetch(`${bench.binary.origin}/health?detailed=true`, { headers });
  const { status, backends } = (await answer.json()) as {
    readonly status: string;
    readonly backends: readonly { readonly name: string; readonly state: string }[];
  };
  const metrics = (await bench.binary.metrics()).split("\n");
  const about = /^gateway_(?:provider_errors|circuit_breaker_state|retries)/;
  return {
    status,
    backends: backends.map(({ name, state }) => ({ name, state })),
    // Whose mistake it was is counted; a caller's is no sign of health.
    metrics: metrics.filter((line) => about.test(line) && !line.includes('kind="client_error"')),
  };
}

describe("calls beside chats go through to providers that have them", () => {
  for (const operation of OPERATIONS) {
    test(operation.what, async () => {
      const { spoken, target, upstream, body } = operation;
      const { status, text } = await asked(operation, spoken);
      expect({ status, text }).toEqual({ status: 200, text: '{"ok":true}' });
      expect(bench.last().target).toBe(target);
      expect(bench.last().text).toBe(body(upstream));
    });
  }

  test("an upload of sound has its model renamed and nothing else", async () => {
    const parts = [
      '--b1\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\n',
      "Content-Type: audio/mpeg\r\n\r\n",
    ];
    const model = (name: string) =>
      `\r\n--b1\r\nContent-Disposition: form-data; name="model"\r\n\r\n${name}\r\n--b1--\r\n`;
    const form = (name: string) =>
      Buffer.concat([...parts, SOUND, model(name)].map((part) => Buffer.from(bytesOf(part))));
    const type = "multipart/form-data; boundary=b1";
    const headers = { "content-type": type };
    const { status } = await bench.send("/v1/audio/transcriptions", {
      body: form("chat"),
      headers,
    });
    expect(status).toBe(200);
    expect(bench.last().header("content-type")).toBe(type);
    expect(Buffer.from(bench.last().body).equals(form("gpt-4o"))).toBeTrue();
  });

  test("the same as the SDK sends it, and an edit of a picture", async () => {
    bench.play(json({ text: "hello", data: [{ b64_json: "" }], created: 1 }));
    const client = new OpenAI({
      apiKey: KEYS.all,
      baseURL: `${bench.binary.origin}/v1`,
      maxRetries: 0,
    });
    const file = new File([SOUND], "a.mp3", { type: "audio/mpeg" });
    const heard = await client.audio.transcriptions.create({ file, model: "chat" });
    expect(heard.text).toBe("hello");
    expect(bench.last().text).toContain("gpt-4o");
    const image = new File([SOUND], "a.png", { type: "image/png" });
    await client.images.edit({ image, prompt: "more cat", model: "chat" });
    expect(bench.last().target).toBe("/v1/images/edits");
    expect(Buffer.from(bench.last().body).includes(SOUND)).toBeTrue();
  });

  test("sound comes back as it is", async () => {
    bench.play({ body: SOUND, headers: [["content-type", "audio/mpeg"]], framing: "chunked" });
    const { bytes, headers } = await bench.send("/v1/audio/speech", {
      body: '{"model":"chat","input":"a","voice":"b"}',
      headers: JSON_TYPE,
    });
    expect(bytes.equals(Buffer.from(SOUND))).toBeTrue();
    expect(headers.get("content-type")).toBe("audio/mpeg");
  });
});

describe("and are not there where the provider has them not", () => {
  for (const operation of OPERATIONS) {
    test(`${operation.what}: 404 in the caller's words, and no lane is the worse for it`, async () => {
      const before = await health();
      const sent = bench.near.exchanges.length;
      const { status, text } = await asked(operation, operation.foreign);
      const isBedrock = operation.path.startsWith("/model/");
      expect(status).toBe(isBedrock ? 400 : 404); // Bedrock's own word for no such model.
      expect(text).toContain("cannot be called through this API");
      expect(bench.near.exchanges).toHaveLength(sent);
      expect(await health()).toEqual(before);
    });

    test(`${operation.what}: a provider's own 404 is passed on, and held against nobody`, async () => {
      await asked(operation, operation.spoken);
      const before = await health();
      const said = '{"error":{"message":"no such route"},"message":"no such route"}';
      bench.play(json(said, { status: 404 }));
      const { status, text } = await asked(operation, operation.spoken);
      expect({ status, text }).toEqual({ status: 404, text: said });
      expect(await health()).toEqual(before);
    });
  }
});

/** An SDK's promise is none of the runtime's own, which the matchers want. */
async function thrownBy(call: () => PromiseLike<unknown>): Promise<unknown> {
  try {
    await call();
    return undefined;
  } catch (thrown) {
    return thrown;
  }
}

describe("the list of models, in the words of who asks", () => {
  const NAMES = ["chat", "sonnet", "flash", "nova", "command", "away", "both"];

  test("OpenAI's", async () => {
    const client = new OpenAI({
      apiKey: KEYS.all,
      baseURL: `${bench.binary.origin}/v1`,
      maxRetries: 0,
    });
    const ids: string[] = [];
    for await (const { id } of client.models.list()) ids.push(id);
    expect(ids).toEqual(expect.arrayContaining(NAMES));
    expect(await client.models.retrieve("chat")).toMatchObject({ id: "chat", object: "model" });
    expect(await thrownBy(() => client.models.retrieve("nobody"))).toBeInstanceOf(
      OpenAI.NotFoundError,
    );
  });

  for (const [version, Client] of [
    ["1.x", Anthropic],
    ["0.x", AnthropicBefore1],
  ] as const) {
    test(`Anthropic's, ${version}`, async () => {
      const client = new Client({
        apiKey: KEYS.all,
        baseURL: bench.binary.origin,
        maxRetries: 0,
      }) as Anthropic;
      const ids: string[] = [];
      for await (const { id, type } of client.models.list()) {
        expect(type).toBe("model");
        ids.push(id);
      }
      expect(ids).toEqual(expect.arrayContaining(NAMES));
      expect(await client.models.retrieve("sonnet")).toMatchObject({ id: "sonnet" });
    });
  }

  test("Google's", async () => {
    const httpOptions = { baseUrl: bench.binary.origin, retryOptions: { attempts: 1 } };
    const client = new GoogleGenAI({ apiKey: KEYS.all, httpOptions });
    const names: (string | undefined)[] = [];
    for await (const { name } of await client.models.list()) names.push(name);
    expect(names).toEqual(expect.arrayContaining(NAMES.map((name) => `models/${name}`)));
    expect(await client.models.get({ model: "flash" })).toMatchObject({ name: "models/flash" });
  });

  test("Cohere's", async () => {
    const client = new CohereClient({ token: KEYS.all, environment: bench.binary.origin });
    const { models } = await client.models.list();
    expect(models.map(({ name }) => name)).toEqual(expect.arrayContaining(NAMES));
  });

  test("and what a key may not use is in no list", async () => {
    const client = new OpenAI({
      apiKey: KEYS.narrow,
      baseURL: `${bench.binary.origin}/v1`,
      maxRetries: 0,
    });
    const ids = (await client.models.list()).data.map(({ id }) => id);
    expect(ids.toSorted()).toEqual(["both", "chat"]);
    expect(await thrownBy(() => client.models.retrieve("sonnet"))).toBeInstanceOf(
      OpenAI.NotFoundError,
    );
  });
});

describe("POST /v1/translate", () => {
  const body = {
    model: "both",
    max_tokens: 9,
    top_k: 5,
    messages: [{ role: "user", content: "hi" }],
  };
  const question = (rest: object = {}) =>
    bench.send("/v1/translate", {
      body: JSON.stringify({ from: "anthropic", body, ...rest }),
      headers: JSON_TYPE,
    });

  test("tells for each lane what would be sent and what would be lost, and sends nothing", async () => {
    const before = [bench.near.received, bench.far.received];
    const { status, text } = await question();
    expect(status).toBe(200);
    const { lanes } = JSON.parse(text) as { readonly lanes: readonly object[] };
    expect(lanes).toEqual([
      {
        ...{ provider: "claude", placement: "local", to: "anthropic", translated: false },
        ...{ model: "claude-sonnet-4-5", losses: [] },
      },
      {
        ...{ provider: "plain", placement: "local", to: "openai", translated: true, sent: true },
        model: "gpt-4o",
        body: expect.objectContaining({
          model: "gpt-4o",
          messages: [{ role: "user", content: "hi" }],
        }),
        losses: [{ code: "L-TOPK", path: "top_k", action: "dropped", severity: "degraded" }],
      },
    ]);
    expect([bench.near.received, bench.far.received]).toEqual(before);
  });

  test("says what would be refused, and why", async () => {
    const state = { model: "both", input: "hi", previous_response_id: "resp_1" };
    const { text } = await question({ from: "responses", body: state });
    expect(JSON.parse(text)).toMatchObject({
      lanes: [
        {
          to: "anthropic",
          sent: false,
          losses: expect.arrayContaining([
            expect.objectContaining({ code: "L-STATE", path: "previous_response_id" }),
          ]),
        },
        { to: "openai", sent: false },
      ],
    });
  });

  test("what it shows is what is sent", async () => {
    const { text } = await question({ model: "chat" });
    const { lanes } = JSON.parse(text) as { readonly lanes: readonly { readonly body: object }[] };
    await bench.send("/v1/messages", {
      body: JSON.stringify({ ...body, model: "chat" }),
      headers: JSON_TYPE,
    });
    expect(JSON.parse(bench.last().text)).toEqual(lanes[0]!.body);
  });

  const wrong = [
    ["no object", "[]", 400],
    ["no body", '{"from":"anthropic"}', 400],
    ["no such protocol", '{"from":"smtp","body":{"model":"both"}}', 400],
    ["no model", '{"from":"anthropic","body":{}}', 400],
    ["nobody's model", '{"from":"anthropic","body":{"model":"nobody"}}', 404],
  ] as const;
  for (const [what, text, status] of wrong) {
    test(`${what} is ${status}`, async () => {
      const answer = await bench.send("/v1/translate", { body: text, headers: JSON_TYPE });
      expect(answer.status).toBe(status);
    });
  }

  test("a key learns nothing of what it may not use", async () => {
    const { status } = await bench.send("/v1/translate", {
      ...{ body: JSON.stringify({ from: "anthropic", model: "sonnet", body }), headers: JSON_TYPE },
      key: "narrow",
    });
    expect(status).toBe(403);
  });

  test("a private one hears of no lane outside", async () => {
    const sent = {
      body: JSON.stringify({ from: "anthropic", model: "away", body }),
      headers: JSON_TYPE,
    };
    const { status, text } = await bench.send("/v1/translate", { ...sent, key: "secret" });
    expect(status).toBe(503);
    expect(text).not.toContain("outside");
    const open = await bench.send("/v1/translate", sent);
    expect(open.text).toContain("outside");
  });
});
