import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { DIALECT_IDS, type DialectId } from "../../src/core/ids.ts";
import type { ErrorClass } from "../../src/protocol/wire-error.ts";
import { haveRecordings, NO_RECORDINGS } from "../faultd/recordings.ts";
import { json, type Answer } from "../faultd/script.ts";
import type { Client } from "./clients/client.ts";
import { CLIENTS } from "./clients/clients.ts";
import { type ErrorCase, errorCases, OF_ACCOUNT } from "./error-cases.ts";
import { contextSentence, differencesFrom, dueOf, sightOf, type SdkSight } from "./error-words.ts";
import { dialectOf } from "./exchanges.ts";
import { type Binary, startBinary } from "./harness.ts";
import { CALLS } from "./six.ts";
import { type SixBench, startSix } from "./six-bench.ts";

const CASES = errorCases();
const LIMIT_MS = 120_000;

/** What the SDK throws at such an answer. */
async function thrownBy(
  client: Client,
  ask: {
    readonly origin: string;
    readonly model: string;
    readonly user?: string;
    readonly stream?: boolean;
  },
): Promise<SdkSight> {
  try {
    await client.ask({ stream: false, ...ask });
  } catch (thrown) {
    return sightOf(thrown);
  }
  return { kind: "nothing", status: 200, message: "", code: undefined, type: undefined };
}

describe.skipIf(!haveRecordings)(
  `every recorded and documented error, in every SDK${haveRecordings ? "" : ` ${NO_RECORDINGS}`}`,
  () => {
    let bench: SixBench;
    beforeAll(async () => void (bench = await startSix()));
    afterAll(() => bench[Symbol.asyncDispose]());

    for (const client of CLIENTS) {
      for (const stream of [false, true]) {
        test(
          `${client.name}, ${stream ? "streamed" : "buffered"}: class, status, code and type of the table`,
          async () => {
            const wrong: string[] = [];
            for (const one of CASES) {
              const found = await differences(client, one, stream);
              wrong.push(...found.map((what) => `${one.surface} ${one.name}: ${what}`));
            }
            expect(wrong).toEqual([]);
          },
          LIMIT_MS,
        );
      }
    }

    async function differences(client: Client, one: ErrorCase, stream: boolean): Promise<string[]> {
      const { surface, script, judged, text } = one;
      const model = `on-${dialectOf(surface)}`;
      const user = bench.own(script);
      const seen = await thrownBy(client, { origin: bench.binary.origin, model, user, stream });
      const isOwn = client.dialect === dialectOf(surface) && !OF_ACCOUNT.includes(one.status);
      if (judged.fault === "caller" && isOwn) {
        const origin = bench.upstream.origin;
        const straight = await thrownBy(client, {
          origin,
          model: "m",
          user: bench.own(script),
          stream,
        });
        return Bun.deepEquals(seen, straight)
          ? []
          : [`${shown(seen)}, straight ${shown(straight)}`];
      }
      const isAnswer = client.dialect === "gemini" && judged.class === "content_filter" && !stream;
      const due = isAnswer ? undefined : dueOf(client.dialect, judged.class);
      if (due === undefined) return seen.kind === "nothing" ? [] : [`threw ${shown(seen)}`];
      return [
        ...differencesFrom(due, seen),
        ...wordsWrong(one, client.dialect, seen),
        ...leaks(text, one, seen),
      ];
    }
  },
);

/** A prompt too long is told in the caller's own vendor's sentence, with its numbers. */
function wordsWrong(
  { text, judged }: ErrorCase,
  client: DialectId,
  { message }: SdkSight,
): string[] {
  const numbers = judged.class === "context_length" ? numbersIn(text) : undefined;
  if (numbers === undefined) return [];
  const sentence = contextSentence(client, numbers);
  return sentence.test(message) ? [] : [`'${message}' is not ${sentence}`];
}

/** How the vendors of the cases say the two numbers: what was asked, what is there. */
const NUMBERS: readonly (readonly [RegExp, "asked" | "max"])[] = [
  [/maximum context length is (\d+) tokens.*?(\d+) tokens/, "max"],
  [/request \((\d+) tokens\) exceeds the available context size \((\d+) tokens\)/, "asked"],
];

function numbersIn(text: string): { readonly asked: number; readonly max: number } | undefined {
  for (const [words, first] of NUMBERS) {
    const [, one, other] = words.exec(text) ?? [];
    if (one === undefined || other === undefined) continue;
    const [asked, max] = first === "asked" ? [one, other] : [other, one];
    return { asked: Number(asked), max: Number(max) };
  }
  return undefined;
}

/** Of what is not the caller's fault, not a word of the vendor's is told. */
function leaks(text: string, { judged }: ErrorCase, { message }: SdkSight): string[] {
  if (judged.fault === "caller") return [];
  const said = /"(?:message|detail|error)": ?"((?:[^"\\]|\\.)+)"/.exec(text)?.[1] ?? "";
  return said.length > 12 && message.includes(said.slice(0, 60)) ? [`tells '${said}'`] : [];
}

function shown({ kind, status, message, code, type }: SdkSight): string {
  return `${kind} ${status} ${code} ${type} ${message.slice(0, 80)}`;
}

const DIALECTS = DIALECT_IDS;
const REQUEST_ID: Readonly<Record<DialectId, string>> = {
  openai: "x-request-id",
  responses: "x-request-id",
  anthropic: "request-id",
  gemini: "x-request-id",
  bedrock: "x-amzn-requestid",
  cohere: "x-request-id",
};

describe("what stands beside an error", () => {
  let bench: SixBench;
  beforeAll(async () => void (bench = await startSix()));
  afterAll(() => bench[Symbol.asyncDispose]());

  async function asked(client: DialectId, backend: DialectId, script: Answer) {
    const user = bench.own(script);
    const { path, body } = CALLS[client](`on-${backend}`, { user });
    const headers = { "content-type": "application/json" };
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    const answer = await fetch(bench.binary.origin + path, init);
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  }

  /** An error body that any reader of errors finds a message in. */
  const said = (message: string, extra: object = {}) => ({
    type: "error",
    message,
    error: { message, type: "x", ...extra },
  });

  for (const client of DIALECTS) {
    for (const backend of DIALECTS) {
      test(`${client} on ${backend}: the wait a vendor asks for, and no retry behind our own`, async () => {
        const headers = [
          ["content-type", "application/json"],
          ["retry-after", "7"],
          ...(backend === "bedrock" ? [["x-amzn-errortype", "ThrottlingException"] as const] : []),
        ] as const;
        const {
          status,
          headers: got,
          text,
        } = await asked(client, backend, json(said("slow down"), { status: 429, headers }));
        expect(status).toBe(429);
        expect(got.get("retry-after")).toBe("7");
        expect(got.get("retry-after-ms")).toBe("7000");
        expect(got.get("x-should-retry")).toBe("false");
        expect(got.get(REQUEST_ID[client])).toBeString();
        expect(got.get("content-type")).toBe("application/json");
        if (client === "gemini") expect(text).toContain('"retryDelay":"7s"');
      });

      test(`${client} on ${backend}: nothing of the operator's account`, async () => {
        // What is the caller's fault is passed on byte for byte by the protocol's own passthrough.
        const caller = client === backend ? [] : [400, 404, 413, 422];
        for (const status of [...caller, 401, 402, 403, 429, 500, 503]) {
          const { text, headers: got } = await asked(
            client,
            backend,
            json(said(CANARIES.join(" and ")), {
              status,
              headers: [
                ["content-type", "application/json"],
                ["openai-organization", "org-canary0123456789"],
                ["anthropic-organization-id", "0a1b2c3d-1111-4222-8333-444455556666"],
              ],
            }),
          );
          const all = `${text}${JSON.stringify([...got])}`;
          const found = CANARY_CORES.filter((core) => all.includes(core));
          expect({ status, found }).toEqual({ status, found: [] });
        }
      });
    }
  }
});

/** Bodies that say one thing to who reads their words and are another: conformance.md 2.7. */
const TRAPS: readonly (readonly [string, number, string, ErrorClass])[] = [
  [
    "a broken backend that quotes a prompt too long",
    500,
    wordy("prompt is too long: 9 tokens > 8 maximum"),
    "bad_upstream",
  ],
  [
    "a caller who writes of rate limits",
    400,
    wordy("messages.0: '429 rate limit exceeded' is no role"),
    "invalid_request",
  ],
  [
    "a caller who writes of keys",
    400,
    wordy("input 'Incorrect API key provided' is not allowed"),
    "invalid_request",
  ],
  ["a proxy's page", 500, "<html><body>502 Bad Gateway</body></html>", "bad_upstream"],
  ["a proxy's page of overload", 503, "<!doctype html><title>busy</title>", "overloaded"],
  ["a proxy's page of a limit", 429, "<html>slow down</html>", "rate_limit"],
  ["nothing at all, 500", 500, "", "bad_upstream"],
  ["nothing at all, 400", 400, "", "invalid_request"],
  ["nothing at all, 429", 429, "", "rate_limit"],
  ["an error that is a text", 400, '{"error":"bad input"}', "invalid_request"],
  ["half a JSON text", 400, '{"error":{"message":"bad', "invalid_request"],
  ["a list", 400, "[1]", "invalid_request"],
];

function wordy(message: string): string {
  return JSON.stringify({ type: "error", message, error: { message, type: "x", code: null } });
}

describe("the words of an error do not deceive", () => {
  let bench: SixBench;
  beforeAll(async () => void (bench = await startSix()));
  afterAll(() => bench[Symbol.asyncDispose]());

  for (const backend of DIALECTS) {
    for (const [what, status, body, due] of TRAPS) {
      test(`${backend}: ${what}`, async () => {
        const client = CLIENTS.find(({ dialect }) => dialect !== backend)!;
        const type = body.startsWith("<") ? "text/html" : "application/json";
        const user = bench.own({ status, headers: [["content-type", type]], body });
        const { origin } = bench.binary;
        const seen = await thrownBy(client, { origin, model: `on-${backend}`, user });
        expect(differencesFrom(dueOf(client.dialect, due)!, seen)).toEqual([]);
      });
    }
  }
});

/** What vendors' messages hold of the account that asks. */
const CANARIES = ["organization org-canary0123456789abcdef", "key sk-proj-canary0123456789abcdef"];
const CANARY_CORES = ["canary0123456789", "0a1b2c3d-1111"];

const TEXT: string = expect.any(String);
const INVALID = "invalid_request_error";
/** The vendors' own envelopes: protocols.md 6.1. */
const ENVELOPES: Readonly<Record<DialectId, object>> = {
  openai: { error: { message: TEXT, type: INVALID, param: null, code: null } },
  responses: { error: { message: TEXT, type: INVALID, param: null, code: null } },
  anthropic: {
    type: "error",
    error: { type: INVALID, message: TEXT, details: null },
    request_id: TEXT,
  },
  gemini: {
    error: { code: 400, message: TEXT, status: "INVALID_ARGUMENT", details: expect.any(Array) },
  },
  bedrock: { message: TEXT },
  cohere: { message: TEXT, id: TEXT },
};

const KEY_CONFIG = {
  keys: { app: { key: "sk-interlock-another-0123456789", allow: ["on-openai"] } },
};

describe("our own refusals, in every SDK", () => {
  let open: SixBench;
  let locked: SixBench;
  let narrow: Binary;
  beforeAll(async () => {
    open = await startSix({
      rest: { security: { validation: { max_request_size_bytes: 2048 } } },
    });
    locked = await startSix({ rest: KEY_CONFIG });
    narrow = await startBinary({
      config: {
        providers: {
          far: {
            protocol: "openai",
            base_url: "https://far.invalid/v1",
            placement: "external",
            api_key: "k0123456789",
          },
        },
        models: { afar: { provider: "far" } },
        privacy: { default: "private" },
      },
    });
  });
  afterAll(async () => {
    await open[Symbol.asyncDispose]();
    await locked[Symbol.asyncDispose]();
    await narrow[Symbol.asyncDispose]();
  });

  for (const client of CLIENTS) {
    const { dialect } = client;
    test(`${client.name}: a model nobody knows`, async () => {
      const seen = await thrownBy(client, { origin: open.binary.origin, model: "nobody" });
      expect(differencesFrom(dueOf(dialect, "model_not_found")!, seen)).toEqual([]);
      expect(seen.message).toContain("nobody");
    });

    test(`${client.name}: a key nobody gave out`, async () => {
      const seen = await thrownBy(client, { origin: locked.binary.origin, model: "on-openai" });
      expect(differencesFrom(dueOf(dialect, "auth")!, seen)).toEqual([]);
      expect(locked.upstream.received).toBe(0);
    });

    test(`${client.name}: a body above the limit`, async () => {
      const { origin } = open.binary;
      const seen = await thrownBy(client, { origin, model: "on-openai", user: "x".repeat(4096) });
      expect(differencesFrom(dueOf(dialect, "request_too_large")!, seen)).toEqual([]);
    });

    test(`${client.name}: no backend for a private request, and no hint of another`, async () => {
      const seen = await thrownBy(client, { origin: narrow.origin, model: "afar" });
      const due = dueOf(dialect, "overloaded")!;
      const { code: _, ...others } = due;
      expect(differencesFrom(dialect === "gemini" ? due : others, seen)).toEqual([]);
      expect(seen.message).not.toMatch(/far\.invalid|external/);
    });
  }

  for (const dialect of DIALECTS) {
    const { path } = CALLS[dialect]("on-openai", { user: "" });
    const broken = ["{", "[]", '"text"', "", "null", '{"a":1}{', '{"messages":[{]}'];
    for (const body of broken) {
      test(`${dialect}: ${JSON.stringify(body)} is the caller's mistake`, async () => {
        const headers = { "content-type": "application/json" };
        const answer = await fetch(open.binary.origin + path, { method: "POST", headers, body });
        expect(answer.status).toBe(400);
        const due = ENVELOPES[dialect];
        expect(await answer.json()).toEqual(due);
        if (dialect === "bedrock") {
          expect(answer.headers.get("x-amzn-errortype")).toBe("ValidationException");
        }
        expect(open.upstream.received).toBe(0);
      });
    }
  }
});
