import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { haveRecordings, NO_RECORDINGS, recordingsOf, replay } from "../faultd/recordings.ts";
import type { Recording } from "../faultd/recordings.ts";
import { json } from "../faultd/script.ts";
import type { Chunking, Script } from "../faultd/script.ts";
import { chatBody, configFor, providerAt, UPSTREAM_KEY } from "./config.ts";
import { type Expectation, expectationOf, TABLE_STATUSES } from "./error-table.ts";
import { type Binary, startBinary } from "./harness.ts";
import { type Job, type OpenAiClient, type Outcome, startOpenAiClient } from "./openai-client.ts";

const CHUNKINGS: readonly Chunking[] = ["whole", "byte", { seed: 2026, max: 64 }];
const decoder = new TextDecoder();
const recordings = recordingsOf("openai-chat");

interface ChatRequest {
  readonly model: string;
  readonly stream?: boolean;
}

/** The recorded request, or one like it where the source kept only the answer. */
function requestOf({ name, request, streamed }: Recording): ChatRequest {
  const like = chatBody({ model: "recorded", user: name, ...(streamed && { stream: true }) });
  return JSON.parse(request === undefined ? like : decoder.decode(request));
}

function modelOf(recording: Recording): string {
  return requestOf(recording).model;
}

/** A binary in front of one faultd, and another faultd to ask straight; both play `script`. */
interface Bench extends AsyncDisposable {
  readonly binary: Binary;
  readonly upstream: Faultd;
  readonly direct: Faultd;
  play(script: Script): void;
}

/** Models whose provider ends a stream with a finish reason and no `[DONE]`. */
interface Served {
  readonly models: readonly string[];
  readonly endless?: readonly string[];
}

async function startBench({ models, endless = [] }: Served): Promise<Bench> {
  let current: Script = { raw: "", then: "rst" };
  const upstream = startFaultd(() => current);
  const direct = startFaultd(() => current);
  const config = configFor({ upstream, models });
  const finish = providerAt(upstream, { terminal: "finish" });
  const served = Object.fromEntries(endless.map((name) => [name, { provider: "finish" }]));
  const binary = await startBinary({
    config: {
      providers: { ...config.providers, finish },
      models: { ...config.models, ...served },
    },
  });
  return {
    binary,
    upstream,
    direct,
    play: (script) => void (current = script),
    async [Symbol.asyncDispose]() {
      await binary[Symbol.asyncDispose]();
      upstream.stop();
      direct.stop();
    },
  };
}

/** The same call straight at faultd and through the binary. */
async function both(bench: Bench, client: OpenAiClient, job: Omit<Job, "baseURL">) {
  const straight = await client.run({ ...job, baseURL: `${bench.direct.origin}/v1` });
  const through = await client.run({ ...job, baseURL: `${bench.binary.origin}/v1` });
  return { straight, through };
}

function expectByTable(
  expected: Expectation,
  { straight, through }: Record<"straight" | "through", Outcome>,
) {
  if (expected.as === "relayed") return expect(through).toEqual(straight);
  const { status, code } = expected;
  expect(through.error).toMatchObject({ status, ...(code !== undefined && { code }) });
  // Provider text may carry account names and key fragments: none of it may come through.
  const theirs = straight.error?.body as { message?: string } | undefined;
  if (theirs?.message) expect(JSON.stringify(through)).not.toContain(theirs.message);
}

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  let bench: Bench;
  beforeAll(async () => {
    const endless = recordings.filter(({ provider }) => provider === "perplexity").map(modelOf);
    bench = await startBench({ models: recordings.map(modelOf), endless });
  });
  afterAll(() => bench[Symbol.asyncDispose]());

  for (const runtime of ["bun", "node"] as const) {
    describe(`the official SDK under ${runtime} sees the same through the binary`, () => {
      let client: OpenAiClient;
      beforeAll(() => void (client = startOpenAiClient(runtime)));
      afterAll(() => client[Symbol.asyncDispose]());

      for (const recording of recordings) {
        const request = requestOf(recording);
        for (const chunking of CHUNKINGS) {
          test(`${recording.name}, ${JSON.stringify(chunking)}`, async () => {
            bench.play(replay(recording, { chunking }));
            const seen = await both(bench, client, { request });
            expectByTable(expectationOf(recording.status), seen);
            const [sent, got] = [bench.direct, bench.upstream].map((one) => one.exchanges.at(-1));
            expect(got?.request.text).toBe(sent?.request.text ?? "");
          });
        }
        if (!recording.streamed) continue;
        test(`${recording.name}, in its own accumulator`, async () => {
          bench.play(replay(recording));
          const { straight, through } = await both(bench, client, { request, how: "accumulate" });
          expect(through).toEqual(straight);
        });
      }
    });
  }

  describe("bytes are the recorded bytes, both ways", () => {
    for (const recording of recordings) {
      const expected = expectationOf(recording.status);
      for (const chunking of CHUNKINGS) {
        test(`${recording.name}, ${JSON.stringify(chunking)}`, async () => {
          const body = recording.request ?? JSON.stringify(requestOf(recording));
          bench.play(replay(recording, { chunking }));
          const answer = await ask(bench.binary, body);
          const bytes = Buffer.from(await answer.arrayBuffer());
          const seen = bench.upstream.exchanges.at(-1)?.request;
          expect(Buffer.from(seen?.body ?? []).equals(Buffer.from(body))).toBeTrue();
          expect(seen?.header("authorization")).toBe(`Bearer ${UPSTREAM_KEY}`);
          expect(seen?.target).toBe("/v1/chat/completions");
          expect(answer.headers.get("x-request-id")).toBeString();
          if (expected.as === "ours") return expect(answer.status).toBe(expected.status);
          expect(answer.status).toBe(recording.status);
          expect(bytes.equals(recording.response)).toBeTrue();
        });
      }
    }
  });
});

describe("an upstream's error answer", () => {
  const CANARY = "provider-text-canary org-1234 sk-proj-abcdef";
  let bench: Bench;
  let client: OpenAiClient;
  beforeAll(async () => {
    bench = await startBench({ models: ["m"] });
    client = startOpenAiClient("node");
  });
  afterAll(async () => {
    await client[Symbol.asyncDispose]();
    await bench[Symbol.asyncDispose]();
  });

  for (const status of TABLE_STATUSES) {
    const expected = expectationOf(status);
    for (const stream of [false, true]) {
      const title = `${status} ${stream ? "streamed" : "buffered"} is ${expected.as}: row ${expected.row}`;
      test(title, async () => {
        const error = {
          message: CANARY,
          type: "invalid_request_error",
          param: null,
          code: "theirs",
        };
        bench.play(json({ error }, { status }));
        const seen = await both(bench, client, { request: JSON.parse(chatBody({ stream })) });
        expectByTable(expected, seen);
      });
    }
  }

  const retryAfters = [
    ["7", "7"],
    ["-1", null],
    ["1e9", null],
    ["NaN", null],
    ["999999999999", null],
  ] as const;
  for (const [given, kept] of retryAfters) {
    test(`429 with retry-after ${given} says ${kept ?? "nothing absurd"}`, async () => {
      const headers = [["retry-after", given]] as const;
      bench.play(json({ error: { message: CANARY } }, { status: 429, headers }));
      const answer = await ask(bench.binary, chatBody());
      expect(answer.status).toBe(429);
      const said = answer.headers.get("retry-after");
      if (kept !== null) expect(said).toBe(kept);
      else if (said !== null) expect(Number(said)).toBeWithin(0, 601);
    });
  }
});

function ask(binary: Binary, body: Uint8Array | string): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return fetch(`${binary.origin}/v1/chat/completions`, { method: "POST", headers, body });
}
