import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { SignatureV4 } from "@smithy/signature-v4";
import type { DialectId } from "../../src/core/ids.ts";
import { DIALECT_IDS } from "../../src/core/ids.ts";
import { type RawClient, rawConnect } from "../faultd/raw-client.ts";
import { haveRecordings, NO_RECORDINGS } from "../faultd/recordings.ts";
import { type Answer, type Gate, gate, json } from "../faultd/script.ts";
import { UPSTREAM_KEY } from "./config.ts";
import {
  dialectOf,
  type Exchange,
  exchangesOf,
  played,
  renamed,
  type Surface,
  SURFACES,
} from "./exchanges.ts";
import { frameEnds, jsonArrayOf } from "./frames.ts";
import { isWhole, rawBody } from "./raw-answer.ts";
import { GATEWAY_KEY, startSurface, type SurfaceBench } from "./surface-bench.ts";

/** The gates stand at every byte of so many behind the first frame: each costs a way and back. */
const GATED_BYTES = 300;

/** The longest end of a frame that says nothing more: two CRLF. */
const BLANK_LINE = 4;

/** A streamed call of each surface, the shortest with three frames; and Gemini's other framing. */
interface Streamed {
  readonly title: string;
  readonly exchange: Exchange;
  /** Where the first frame ends, and so the head may go out. */
  readonly first: number;
  readonly script: Answer;
}

function streamedOf(surface: Surface): Streamed {
  const [recorded] = exchangesOf(surface)
    .filter(({ streamed, status, response }) => {
      return streamed && status === 200 && frameEnds(surface, response).length >= 3;
    })
    .toSorted((one, other) => one.response.length - other.response.length);
  const exchange = renamed(recorded!, `on-${dialectOf(surface)}`);
  const [first = 0] = frameEnds(surface, exchange.response);
  return { title: surface, exchange, first, script: played(exchange) };
}

/** Google's own form of a stream nobody asked events of. */
function jsonArray(): Streamed {
  const { exchange } = streamedOf("gemini");
  const { body, ends } = jsonArrayOf(exchange.response);
  const headers = [["content-type", "application/json; charset=UTF-8"]] as const;
  const script: Answer = { headers, body, framing: "chunked" };
  const array = { ...exchange, query: "", response: body };
  return { title: "gemini as an array", exchange: array, first: ends[0]!, script };
}

const STREAMED = haveRecordings ? [...SURFACES.map(streamedOf), jsonArray()] : [];

let bench: SurfaceBench;
beforeAll(async () => void (bench = await startSurface("openai")));
afterAll(() => bench[Symbol.asyncDispose]());

describe.skipIf(!haveRecordings)(`in time${haveRecordings ? "" : ` ${NO_RECORDINGS}`}`, () => {
  for (const { title, exchange, first, script } of STREAMED) {
    describe(title, () => {
      test("byte k is with the caller before the upstream sends byte k + 1", async () => {
        const body = exchange.response;
        const gates = new Map<number, Gate>();
        const last = Math.min(body.length - 1, first + GATED_BYTES);
        for (let at = first; at <= last; at++) gates.set(at, gate());
        bench.play({ ...script, gates });
        using client = await asked(exchange);
        const due = Buffer.from(body).toString("latin1");
        for (const [at, here] of gates) {
          await here.reached;
          await client.until((text) => rawBody(text).length >= at);
          expect(rawBody(client.text)).toBe(due.slice(0, at));
          here.open();
        }
        await client.until(isWhole);
        expect(rawBody(client.text)).toBe(due);
      });

      test("nothing is said before the first frame is whole, so that it may still fail over", async () => {
        const here = gate();
        bench.play({ ...script, gates: new Map([[first - BLANK_LINE, here]]) });
        using client = await asked(exchange);
        await here.reached;
        await (await fetch(`${bench.binary.origin}/livez`)).text(); // Time to be wrong in.
        expect(client.text).toBe("");
        here.open();
        await client.until(isWhole);
      });
    });
  }
});

/** The exchange's request on a socket of its own. */
async function asked(exchange: Exchange): Promise<RawClient> {
  const { path, query, request } = exchange;
  const client = await rawConnect(bench.binary.port);
  const head = [
    `POST ${query === "" ? path : `${path}?${query}`} HTTP/1.1`,
    "Host: 127.0.0.1",
    `Authorization: Bearer ${GATEWAY_KEY}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(request)}`,
  ];
  await client.send(`${head.join("\r\n")}\r\n\r\n${request}`);
  return client;
}

const PATHS: Readonly<Record<DialectId, string>> = {
  openai: "/v1/chat/completions",
  responses: "/v1/responses",
  anthropic: "/v1/messages",
  gemini: "/v1beta/models/MODEL:generateContent",
  bedrock: "/model/MODEL/converse",
  cohere: "/v2/chat",
};
const CREDENTIALS: Readonly<Record<DialectId, readonly [name: string, value: string]>> = {
  openai: ["authorization", `Bearer ${UPSTREAM_KEY}`],
  responses: ["authorization", `Bearer ${UPSTREAM_KEY}`],
  anthropic: ["x-api-key", UPSTREAM_KEY],
  gemini: ["x-goog-api-key", UPSTREAM_KEY],
  bedrock: ["authorization", `Bearer ${UPSTREAM_KEY}`],
  cohere: ["authorization", `Bearer ${UPSTREAM_KEY}`],
};
const ALL_CREDENTIALS = ["authorization", "x-api-key", "api-key", "x-goog-api-key"];
/** Every way to show a key: features.md b-R25. */
const CARRIERS: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
  ["a bearer key", { authorization: `Bearer ${GATEWAY_KEY}` }, ""],
  ["x-api-key", { "x-api-key": GATEWAY_KEY }, ""],
  ["x-goog-api-key", { "x-goog-api-key": GATEWAY_KEY }, ""],
  ["?key=", {}, `?key=${GATEWAY_KEY}`],
];

for (const dialect of DIALECT_IDS) {
  describe(`heads of ${dialect}`, () => {
    const model = `on-${dialect}`;
    const call = JSON.stringify({ model, messages: [], contents: [], max_tokens: 1 });
    const path = PATHS[dialect].replace("MODEL", model);

    for (const [carrier, headers, query] of CARRIERS) {
      test(`a key shown by ${carrier} stays here; the vendor gets its own`, async () => {
        bench.play(json({}));
        const { binary, upstream } = bench;
        const before = upstream.exchanges.length;
        await fetch(binary.origin + path + query, {
          method: "POST",
          headers,
          body: call,
        });
        expect(upstream.exchanges).toHaveLength(before + 1);
        const { rawHead, header } = bench.last();
        expect(rawHead).not.toContain(GATEWAY_KEY);
        const [name, value] = CREDENTIALS[dialect];
        expect(header(name)).toBe(value);
        const others = ALL_CREDENTIALS.filter((other) => other !== name);
        expect(others.map(header)).toEqual(others.map(() => undefined));
      });
    }

    test("what is between the caller and us stays between us", async () => {
      bench.play(json({}));
      const headers = {
        connection: "keep-alive, x-hop",
        "x-hop": "canary",
        te: "trailers",
        "proxy-authorization": "Basic canary",
        cookie: "canary=1",
        "x-forwarded-for": "203.0.113.7",
        forwarded: "for=203.0.113.7",
        "x-privacy": "private",
        "x-interlock-strict": "semantic",
        "x-custom": "canary",
      };
      await bench.send({ path, body: call, headers });
      const { rawHead, header } = bench.last();
      expect(rawHead).not.toMatch(
        /canary(?!-0123456789)|203\.0\.113\.7|x-privacy|x-interlock|proxy-/i,
      );
      expect(header("host")).toBe(`127.0.0.1:${bench.upstream.port}`);
    });

    test("what speaks of the caller's protocol goes on", async () => {
      const said: { readonly [D in DialectId]?: Readonly<Record<string, string>> } = {
        openai: { "openai-beta": "assistants=v2" },
        responses: { "openai-beta": "responses=v1" },
        anthropic: { "anthropic-version": "2026-10-21", "anthropic-beta": "a-2025,b-2026" },
        gemini: { "x-goog-api-client": "google-genai-sdk/3.1.0" },
        bedrock: {
          "x-amzn-bedrock-trace": "ENABLED",
          "x-amzn-bedrock-guardrailidentifier": "g",
          "x-amzn-bedrock-guardrailversion": "1",
        },
      };
      bench.play(json({}));
      const headers = { accept: "application/json", ...said[dialect] };
      await bench.send({ path, body: call, headers });
      const { header } = bench.last();
      const names = Object.keys(headers);
      expect(Object.fromEntries(names.map((name) => [name, header(name)]))).toEqual(headers);
    });
  });
}

describe("Bedrock with AWS's own variables", () => {
  const AWS = {
    AWS_ACCESS_KEY_ID: "AKIDEXAMPLEEXAMPLE00",
    AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    AWS_SESSION_TOKEN: "session-token-canary",
  };
  const MODELS = [
    "anthropic.claude-v2:1",
    "arn:aws:bedrock:us-east-1:000000000000:inference-profile/p",
  ];

  let signing: SurfaceBench;
  beforeAll(async () => {
    signing = await startSurface("bedrock", { env: AWS, keyless: true });
    signing.play(json({}));
  });
  afterAll(() => signing[Symbol.asyncDispose]());

  for (const model of MODELS) {
    test(`a call of ${model} is signed as AWS's own signer signs it`, async () => {
      const body = JSON.stringify({ messages: [{ role: "user", content: [{ text: "ü" }] }] });
      const path = `/model/${encodeURIComponent(model)}/converse`;
      await signing.send({ path, body });
      const { target, header, rawHead } = signing.last();
      expect(target).toBe(path);
      expect(rawHead).not.toContain(AWS.AWS_SECRET_ACCESS_KEY);
      const due = await signed({ path: target, body, header }, AWS);
      expect(header("authorization")).toBe(due);
    });
  }
});

interface Signed {
  readonly path: string;
  readonly body: string;
  readonly header: (name: string) => string | undefined;
}

/** The `authorization` AWS's own library gives this request at the time it says. */
async function signed(
  { path, body, header }: Signed,
  aws: Record<string, string>,
): Promise<string> {
  const said = header("authorization") ?? "";
  const region = /Credential=[^/]+\/\d{8}\/([^/]+)\/bedrock\/aws4_request/.exec(said)?.[1] ?? "";
  const names = /SignedHeaders=([^,]+)/.exec(said)?.[1]?.split(";") ?? [];
  const date = (header("x-amz-date") ?? "").replace(
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/,
    "$1-$2-$3T$4:$5:$6Z",
  );
  const signer = new SignatureV4({
    service: "bedrock",
    region,
    applyChecksum: false, // Its header is S3's.
    sha256: Sha256,
    credentials: {
      accessKeyId: aws["AWS_ACCESS_KEY_ID"]!,
      secretAccessKey: aws["AWS_SECRET_ACCESS_KEY"]!,
      sessionToken: aws["AWS_SESSION_TOKEN"]!,
    },
  });
  const request = {
    method: "POST",
    protocol: "http:",
    hostname: "127.0.0.1",
    path,
    query: {},
    headers: Object.fromEntries(names.map((name) => [name, header(name) ?? ""])),
    body,
  };
  const { headers } = await signer.sign(request, { signingDate: new Date(date) });
  return headers["authorization"] ?? "";
}

/** A hash as AWS's library wants it. */
class Sha256 {
  readonly #hash: Bun.CryptoHasher;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    const key = secret === undefined || typeof secret === "string" ? secret : bytesIn(secret);
    this.#hash = new Bun.CryptoHasher("sha256", key);
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(typeof data === "string" ? data : bytesIn(data));
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.#hash.digest()));
  }
  reset(): void {}
}

function bytesIn(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
