import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { eventStream, json, redirect } from "../faultd/script.ts";
import type { Script } from "../faultd/script.ts";
import { CHAT } from "./bench.ts";
import { chatBody, COMPLETION, providerAt, STREAM } from "./config.ts";
import { inParallel } from "./cut-cases.ts";
import { type Binary, startBinary } from "./harness.ts";

const KEYS = {
  plain: "gateway-key-plain-0123456789abcdef",
  sealed: "gateway-key-sealed-0123456789abcdef",
};
const CANARY = "prompt-canary-4711";
const REFUSED = "refused";

/** Every way the local backend fails; each would be a reason to go elsewhere. */
function failures(external: Faultd): ReadonlyMap<string, Script> {
  const error = { message: "no", type: "server_error", param: null, code: null };
  const status = (code: number) => json({ error }, { status: code });
  const tooLong = { ...error, type: "invalid_request_error", code: "context_length_exceeded" };
  const to = `${external.origin}${CHAT}`;
  return new Map<string, Script>([
    ...[400, 401, 402, 403, 404, 408, 409, 413, 429, 500, 502, 503, 504, 529].map(
      (code) => [`status ${code}`, status(code)] as const,
    ),
    ["too long a context", json({ error: tooLong }, { status: 400 })],
    ["redirect 307", redirect(to)],
    ...[301, 302, 303, 308].map(
      (code) => [`redirect ${code}`, { ...redirect(to), status: code }] as const,
    ),
    ["a redirect without a scheme", redirect(to.replace("http:", ""))],
    [
      "alt-svc and a refresh",
      json(
        { error },
        {
          status: 503,
          headers: [
            ["alt-svc", `h2="127.0.0.1:${external.port}"`],
            ["refresh", `0; url=${to}`],
            ["location", to],
          ],
        },
      ),
    ],
    ["cut by FIN before the head", { raw: "", then: "fin" }],
    ["cut by RST before the head", { raw: "", then: "rst" }],
    ["half a status line", { raw: "HTTP/1.1 20", then: "fin" }],
    ["garbage for a head", { raw: "\u0000\u00ffgarbage\r\n\r\n", then: "fin" }],
    ["cut by FIN in the first event", eventStream(STREAM, { cut: { at: 20, how: "fin" } })],
    ["cut by RST in the first event", eventStream(STREAM, { cut: { at: 20, how: "rst" } })],
    ["an empty answer", json("")],
    ["half an answer", json(COMPLETION, { framing: "close", cut: { at: 30, how: "fin" } })],
    ["a page", { headers: [["content-type", "text/html"]], body: "<html>down</html>" }],
    ["an error for a first event", eventStream(`data: ${JSON.stringify({ error })}\n\n`)],
    ["silence before the head", { raw: "", then: "stall" }],
    ["silence in the first event", eventStream(STREAM, { cut: { at: 20, how: "stall" } })],
  ]);
}

interface Setting extends AsyncDisposable {
  readonly binary: Binary;
  readonly local: Faultd;
  readonly external: Faultd;
  /** One request; `failure` names what the local backend does with it. */
  ask(request: Ask): Promise<{ status: number; text: string }>;
}
interface Ask {
  readonly failure: string;
  readonly model: string;
  readonly stream: boolean;
  readonly key: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly metadata?: object;
}

async function start({
  privacy,
  rest,
  env,
}: {
  privacy?: object;
  rest?: object;
  env?: (external: Faultd) => Record<string, string>;
}): Promise<Setting> {
  const external = startFaultd(({ text }) => {
    return text.includes('"stream":true') ? eventStream(STREAM) : json(COMPLETION);
  });
  const scripts = failures(external);
  const local = startFaultd(({ text }) => {
    const { user } = JSON.parse(text) as { user: string };
    return scripts.get(user) ?? { raw: "", then: "rst" };
  });
  const closed = startFaultd(() => ({ raw: "", then: "rst" }));
  closed.stop();
  const members = (first: string) => [
    { model: first, priority: 0 },
    { model: "outside", priority: 1 },
  ];
  const timeout = { connect_seconds: 1, request_seconds: 1, stall_seconds: 1 };
  const config = {
    ...rest,
    ...(privacy && { privacy }),
    providers: {
      here: providerAt(local, { timeout }),
      dead: providerAt(closed, { timeout }),
      there: providerAt(external, { placement: "external" }),
    },
    models: {
      inside: { provider: "here" },
      gone: { provider: "dead" },
      outside: { provider: "there" },
    },
    pools: {
      mixed: { members: members("inside") },
      mixed_gone: { members: members("gone") },
      sealed: { privacy: "private", members: members("inside") },
      sealed_gone: { privacy: "private", members: members("gone") },
    },
    keys: {
      plain: { key: KEYS.plain },
      sealed: { key: KEYS.sealed, privacy: "private" },
    },
  };
  const binary = await startBinary({ config, ...(env && { env: env(external) }) });
  return {
    binary,
    local,
    external,
    async ask({ failure, model, stream, key, headers, metadata }) {
      const messages = [{ role: "user", content: CANARY }];
      const pool = failure === REFUSED ? `${model}_gone` : model;
      const body = chatBody({
        model: pool,
        stream,
        user: failure,
        messages,
        ...(metadata && { metadata }),
      });
      const all = {
        "content-type": "application/json",
        authorization: `Bearer ${key}`,
        ...headers,
      };
      const answer = await fetch(`${binary.origin}${CHAT}`, { method: "POST", headers: all, body });
      return { status: answer.status, text: await answer.text() };
    },
    async [Symbol.asyncDispose]() {
      await binary[Symbol.asyncDispose]();
      local.stop();
      external.stop();
    },
  };
}

/** Asks once for each failure, streamed and buffered; returns what was not refused. */
async function throughAllFailures(setting: Setting, ask: Omit<Ask, "failure" | "stream">) {
  const names = [REFUSED, ...failures(setting.external).keys()];
  const asks = names.flatMap((failure) =>
    [true, false].map((stream) => ({ ...ask, failure, stream })),
  );
  const answered: string[] = [];
  await inParallel(asks, {
    width: 24,
    work: async (one) => {
      const { status, text } = await setting.ask(one);
      const quiet = status === 200 && !text.includes('"error"');
      if (quiet)
        answered.push(
          `${one.failure} ${one.stream ? "streamed" : "buffered"}: ${text.slice(0, 80)}`,
        );
    },
  });
  return answered;
}

const LIMIT_MS = 60_000;

describe("a private request, whatever the local backend does", () => {
  const signals: readonly (readonly [string, Omit<Ask, "failure" | "stream">])[] = [
    ["its key", { model: "mixed", key: KEYS.sealed }],
    ["the header", { model: "mixed", key: KEYS.plain, headers: { "x-privacy": "private" } }],
    [
      "the header, oddly spelled",
      { model: "mixed", key: KEYS.plain, headers: { "X-Privacy": " Private " } },
    ],
    [
      "the header, misspelled",
      { model: "mixed", key: KEYS.plain, headers: { "x-privacy": "privat" } },
    ],
    ["the body's metadata", { model: "mixed", key: KEYS.plain, metadata: { privacy: "private" } }],
    ["its pool", { model: "sealed", key: KEYS.plain }],
    [
      "its key, with a header that says otherwise",
      { model: "mixed", key: KEYS.sealed, headers: { "x-privacy": "shareable" } },
    ],
    [
      "its pool, with metadata that say otherwise",
      { model: "sealed", key: KEYS.plain, metadata: { privacy: "shareable" } },
    ],
  ];
  let setting: Setting;
  beforeAll(async () => void (setting = await start({ privacy: { default: "shareable" } })));
  afterAll(() => setting[Symbol.asyncDispose]());

  for (const [signal, ask] of signals) {
    test.concurrent(
      `made so by ${signal}, sends the external backend nothing`,
      async () => {
        const before = setting.local.exchanges.length;
        const answered = await throughAllFailures(setting, ask);
        expect(setting.local.exchanges.length).toBeGreaterThan(before);
        expect(setting.external).toMatchObject({ received: 0, connections: [] });
        expect(answered).toEqual([]);
      },
      LIMIT_MS,
    );
  }

  test("that names an external model is refused without a word about it", async () => {
    const asked = { failure: "", model: "outside", stream: false, key: KEYS.sealed };
    const { status, text } = await setting.ask(asked);
    expect(status).toBe(503);
    expect(JSON.parse(text)).toMatchObject({ error: { code: "no_eligible_backend" } });
    expect(text).not.toMatch(/there|external|127\.0\.0\.1/);
    expect(setting.external.received).toBe(0);
  });

  test("leaves no word of its prompt in what the gateway prints or counts", async () => {
    const metrics = await setting.binary.metrics();
    await setting.binary.stop();
    expect(setting.binary.stdout() + setting.binary.stderr() + metrics).not.toContain(CANARY);
    expect(setting.binary.stdout()).not.toMatch(/gateway-key-/);
  });
});

describe("the default class", () => {
  for (const [what, privacy] of [
    ["said", { default: "private" }],
    ["not said, with a local backend", undefined],
  ] as const) {
    test(
      `is private when ${what}: an unmarked request stays inside`,
      async () => {
        await using setting = await start({ ...(privacy && { privacy }) });
        const answered = await throughAllFailures(setting, { model: "mixed", key: KEYS.plain });
        expect(setting.external).toMatchObject({ received: 0, connections: [] });
        expect(answered).toEqual([]);
        const shareable = { "x-privacy": "shareable" };
        await throughAllFailures(setting, { model: "mixed", key: KEYS.plain, headers: shareable });
        expect(setting.external.received).toBe(0); // A header only tightens.
      },
      LIMIT_MS,
    );
  }

  test(
    "is not why the others stay inside: a shareable request does fail over, marked by nobody",
    async () => {
      await using setting = await start({ privacy: { default: "shareable" } });
      for (const stream of [true, false]) {
        for (const failure of [REFUSED, "status 500", "cut by RST before the head"]) {
          const { status } = await setting.ask({
            failure,
            model: "mixed",
            stream,
            key: KEYS.plain,
          });
          expect(status).toBe(200);
        }
      }
      expect(setting.external.exchanges).toHaveLength(6);
    },
    LIMIT_MS,
  );
});

test(
  "the environment's proxies see nothing, not even of a request that may go outside",
  async () => {
    const names = [
      "HTTP_PROXY",
      "HTTPS_PROXY",
      "ALL_PROXY",
      "http_proxy",
      "https_proxy",
      "all_proxy",
    ];
    let proxy: Faultd | undefined;
    await using setting = await start({
      privacy: { default: "shareable" },
      env: () => {
        proxy = startFaultd(() => json(COMPLETION));
        return Object.fromEntries(names.map((name) => [name, proxy?.origin ?? ""]));
      },
    });
    await throughAllFailures(setting, { model: "mixed", key: KEYS.sealed });
    expect(setting.external.received).toBe(0);
    await setting.ask({ failure: "status 500", model: "mixed", stream: false, key: KEYS.plain });
    expect(setting.external.exchanges).toHaveLength(1);
    expect(proxy?.received).toBe(0);
    proxy?.stop();
  },
  LIMIT_MS,
);

describe("what goes upstream", () => {
  let setting: Setting;
  beforeAll(async () => void (setting = await start({ privacy: { default: "shareable" } })));
  afterAll(() => setting[Symbol.asyncDispose]());

  const shown: readonly (readonly [string, (key: string) => Record<string, string>])[] = [
    ["Authorization", (key) => ({ authorization: `Bearer ${key}` })],
    ["x-api-key", (key) => ({ authorization: "", "x-api-key": key })],
    ["x-goog-api-key", (key) => ({ authorization: "", "x-goog-api-key": key })],
  ];
  for (const [name, headersOf] of shown) {
    test(`never holds the gateway's key, shown as ${name}, nor the mark of the class`, async () => {
      const headers: Record<string, string> = {
        "x-privacy": "shareable",
        ...headersOf(KEYS.plain),
      };
      if (headers["authorization"] === "") delete headers["authorization"];
      const body = chatBody({ model: "mixed", user: "status 500" });
      const all = { "content-type": "application/json", ...headers };
      const answer = await fetch(`${setting.binary.origin}${CHAT}`, {
        method: "POST",
        headers: all,
        body,
      });
      expect(answer.status).toBe(200);
      for (const side of [setting.local, setting.external]) {
        const sent = side.exchanges.at(-1)?.request;
        expect(sent?.rawHead).toBeString();
        expect(`${sent?.rawHead}${sent?.text}`).not.toContain(KEYS.plain);
        expect(sent?.header("x-privacy")).toBeUndefined();
      }
    });
  }

  test("is nothing at all for a key that is not known", async () => {
    const before = setting.local.received + setting.external.received;
    for (const key of [`${KEYS.plain}x`, KEYS.plain.slice(1), "", "sk-proj-someone-elses"]) {
      const asked = { failure: "status 500", model: "mixed", stream: false, key };
      expect((await setting.ask(asked)).status).toBe(401);
    }
    expect(setting.local.received + setting.external.received).toBe(before);
  });
});

describe("a mark in the body counts however it is written", () => {
  let setting: Setting;
  beforeAll(async () => void (setting = await start({ privacy: { default: "shareable" } })));
  afterAll(() => setting[Symbol.asyncDispose]());

  const marks: readonly string[] = [
    '"metadata":{"privacy":"private"}',
    '"metadata":{"privacy":"PRIVATE"}',
    '"metadata":{"privacy":true}',
    '"metadata":{"privacy":{"level":"private"}}',
    '"metadata":{"priv\\u0061cy":"private"}',
    '"met\\u0061data":{"privacy":"priv\\u0061te"}',
    '"metadata":{"privacy":"shareable","privacy":"private"}',
    '"metadata":{"privacy":"private","privacy":"shareable"}',
    '"metadata":{"privacy":"private"},"metadata":{"privacy":"shareable"}',
    '"metadata":{"privacy":"private"},"metadata":{}',
    '"metadata":{},"metadata":{"privacy":"private"}',
    '"metadata" : { "a" : {"privacy":"shareable"} , "privacy" : "private" }',
  ];
  for (const path of [CHAT, "/v1/completions", "/v1/embeddings"]) {
    for (const mark of marks) {
      test(`${path} ${mark}`, async () => {
        const body = `{"model":"outside",${mark},"messages":[],"input":"x","prompt":"x"}`;
        const authorization = `Bearer ${KEYS.plain}`;
        const headers = { "content-type": "application/json", authorization };
        const answer = await fetch(setting.binary.origin + path, { method: "POST", headers, body });
        expect([400, 503]).toContain(answer.status);
        expect(setting.external).toMatchObject({ received: 0, connections: [] });
      });
    }
  }

  test("and without one the very same request goes outside", async () => {
    const { status } = await setting.ask({
      ...{ failure: "", model: "outside", stream: false, key: KEYS.plain },
      metadata: { privately: "private", nested: "privacy" },
    });
    expect(status).toBe(200);
    expect(setting.external.exchanges).toHaveLength(1);
  });
});

test("a private request for a model only a rule or the default provider takes stays inside", async () => {
  const routing = {
    default_provider: "there",
    rules: [{ name: "r", condition: "model starts_with 'claude'", target_provider: "there" }],
  };
  await using setting = await start({ privacy: { default: "shareable" }, rest: { routing } });
  for (const model of ["claude-x", "nobody-named-this"]) {
    const asked = { failure: "", model, stream: false };
    const inside = await setting.ask({ ...asked, key: KEYS.sealed });
    expect(inside.status).toBe(503);
    expect(setting.external.received).toBe(0);
  }
  const { status } = await setting.ask({
    ...{ failure: "", model: "claude-x", stream: false, key: KEYS.plain },
  });
  expect(status).toBe(200);
});
