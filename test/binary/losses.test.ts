import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { DialectId } from "../../src/core/ids.ts";
import { type Answer, eventStream, json } from "../faultd/script.ts";
import { LISTENERS } from "./clients/iterate.ts";
import { COMPLETION, STREAM } from "./config.ts";
import { lineOf } from "./log-lines.ts";
import { type SixBench, startSix } from "./six-bench.ts";

const KEYS = {
  unmarked: "sk-interlock-unmarked-0123456789",
  allows: "sk-interlock-allows-0123456789",
  warns: "sk-interlock-warns-0123456789",
  refuses: "sk-interlock-refuses-0123456789",
} as const;
type KeyName = keyof typeof KEYS;
type OnLoss = "allow" | "warn" | "refuse";

const keys = {
  unmarked: { key: KEYS.unmarked },
  allows: { key: KEYS.allows, on_loss: "allow" },
  warns: { key: KEYS.warns, on_loss: "warn" },
  refuses: { key: KEYS.refuses, on_loss: "refuse" },
};
const members = [{ model: "on-openai" }];
const pools = {
  "pool-unmarked": { members },
  "pool-allow": { members, on_loss: "allow" },
  "pool-warn": { members, on_loss: "warn" },
  "pool-refuse": { members, on_loss: "refuse" },
  "pool-both": { members: [{ model: "on-openai" }, { model: "on-anthropic", priority: 1 }] },
};

/** An answer of Anthropic's whose stop no other protocol has: the caller should send the turn back. */
const PAUSED = {
  ...{ id: "msg_1", type: "message", role: "assistant", model: "claude-sonnet-4-5" },
  ...{ content: [{ type: "text", text: "Hello" }], stop_reason: "pause_turn", stop_sequence: null },
  usage: { input_tokens: 3, output_tokens: 1 },
};
const event = (data: { readonly type: string }) =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const start = { ...PAUSED, content: [], stop_reason: null };
const PAUSED_STREAM = [
  { type: "message_start", message: start },
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hello" } },
  { type: "content_block_stop", index: 0 },
  {
    type: "message_delta",
    delta: { stop_reason: "pause_turn", stop_sequence: null },
    usage: { output_tokens: 1 },
  },
  { type: "message_stop" },
]
  .map(event)
  .join("");

/** OpenAI's, with the usage that a translation asks for. */
const USAGE = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
const METERED = STREAM.replace(
  "data: [DONE]",
  `data: ${JSON.stringify({ id: "chatcmpl-1", object: "chat.completion.chunk", choices: [], usage: USAGE })}\n\ndata: [DONE]`,
);

interface Call {
  readonly path: string;
  readonly body: object;
  readonly script?: Answer;
  readonly key?: KeyName;
  readonly headers?: Readonly<Record<string, string>>;
}
interface Told {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined when nothing was sent. */
  readonly upstream: string | undefined;
}

/** Sends a call whose body has `USER` where a prompt goes. */
async function told(
  bench: SixBench,
  { path, body, script = json(COMPLETION), key, headers }: Call,
): Promise<Told> {
  const user = bench.own(script);
  const answer = await fetch(bench.binary.origin + path, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(key !== undefined && { authorization: `Bearer ${KEYS[key]}` }),
      ...headers,
    },
    body: JSON.stringify(body).replaceAll("USER", user),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, upstream: bench.seen(user)?.text };
}

const messages = [{ role: "user", content: "USER" }];
const contents = [{ role: "user", parts: [{ text: "USER" }] }];
/** A call that loses a knob, one that may answer otherwise, one whose promise would be broken. */
const DEGRADED = (model = "on-openai") => ({
  path: "/v1/messages",
  body: { model, max_tokens: 9, top_k: 5, messages },
});
const SEMANTIC = (model = "on-openai") => ({
  path: `/v1beta/models/${model}:generateContent`,
  body: {
    contents,
    safetySettings: [{ category: "HARM_CATEGORY_HARASSMENT", threshold: "BLOCK_NONE" }],
  },
});
const PROMISE = (model = "on-openai") => ({
  path: "/v1/responses",
  body: { model, input: "USER", previous_response_id: "resp_1" },
});
const CALLS = { degraded: DEGRADED, semantic: SEMANTIC, promise: PROMISE } as const;
type Loses = keyof typeof CALLS;

/** What goes on under which word. */
const GOES_ON: Readonly<Record<OnLoss, readonly Loses[]>> = {
  allow: ["degraded", "semantic", "promise"],
  warn: ["degraded", "semantic"],
  refuse: ["degraded"],
};
const ALL: readonly Loses[] = ["degraded", "semantic", "promise"];

let bench: SixBench;
beforeAll(async () => void (bench = await startSix({ rest: { keys, pools } })));
afterAll(() => bench[Symbol.asyncDispose]());

describe("what a translation loses is told", () => {
  test("by a header that names the way, and one that names each loss and its place", async () => {
    const { headers } = await told(bench, { ...DEGRADED(), key: "unmarked" });
    expect(headers.get("x-interlock-translated")).toBe("anthropic>openai");
    expect(headers.get("x-interlock-loss")).toBe("L-TOPK(top_k)");
  });

  test("not where nothing was translated", async () => {
    const body = { model: "on-anthropic", max_tokens: 9, top_k: 5, messages };
    const call = { path: "/v1/messages", body, script: json(PAUSED), key: "unmarked" } as const;
    const { status, headers } = await told(bench, call);
    expect(status).toBe(200);
    expect(headers.has("x-interlock-translated")).toBeFalse();
    expect(headers.has("x-interlock-loss")).toBeFalse();
  });

  test("and without a second header where nothing was lost", async () => {
    const body = { model: "on-openai", max_tokens: 9, messages };
    const { headers } = await told(bench, { path: "/v1/messages", body, key: "unmarked" });
    expect(headers.get("x-interlock-translated")).toBe("anthropic>openai");
    expect(headers.has("x-interlock-loss")).toBeFalse();
  });

  test("what the answer loses stands in the same header while there is time", async () => {
    const body = { model: "on-anthropic", messages, seed: 7 };
    const call = {
      path: "/v1/chat/completions",
      body,
      script: json(PAUSED),
      key: "unmarked",
    } as const;
    const { headers } = await told(bench, call);
    const losses = headers.get("x-interlock-loss") ?? "";
    expect(losses).toContain("L-SEED(seed)");
    expect(losses).toMatch(/L-STOP\([^)]+\)/);
  });

  test("a caller's own names cannot write a header or a comment of their own", async () => {
    const evil = "a),L-FAKE(b\r\nx-evil: 1\n\ndata: {}";
    const body = { model: "on-anthropic", messages, [evil]: 1 };
    const { status, headers } = await told(bench, {
      ...{ path: "/v1/chat/completions", body, script: json(PAUSED), key: "unmarked" },
    });
    expect(status).toBe(200);
    expect(headers.has("x-evil")).toBeFalse();
    expect(headers.get("x-interlock-loss")).not.toContain("L-FAKE(");
  });

  test("in the log and in the metrics, code by code", async () => {
    const count = async () => {
      const line =
        /^gateway_translation_losses_total\{code="L-TOPK",from="anthropic",to="openai"\} (\d+)/m;
      return Number(line.exec(await bench.binary.metrics())?.[1] ?? 0);
    };
    const before = await count();
    const id = "losses-in-the-log";
    await told(bench, { ...DEGRADED(), key: "unmarked", headers: { "x-request-id": id } });
    expect(await lineOf(bench.binary, id)).toMatchObject({
      translated: "anthropic>openai",
      losses: "L-TOPK",
    });
    expect(await count()).toBe(before + 1);
  });
});

interface StreamedCall {
  readonly client: DialectId;
  readonly path: string;
  readonly body: object;
  /** What ends a stream of the protocol. */
  readonly end: RegExp;
}

/** The same prompt in every protocol but Anthropic's own, streamed. */
const STREAMED: readonly StreamedCall[] = [
  {
    client: "openai",
    ...{ path: "/v1/chat/completions", end: /data: \[DONE\]\n\n$/ },
    body: { model: "on-anthropic", stream: true, seed: 7, messages },
  },
  {
    client: "responses",
    ...{ path: "/v1/responses", end: /event: response\.completed\ndata: [^\n]+\n\n$/ },
    body: { model: "on-anthropic", stream: true, store: false, input: "USER" },
  },
  {
    client: "gemini",
    path: "/v1beta/models/on-anthropic:streamGenerateContent?alt=sse",
    ...{ body: { contents }, end: /"finishReason":"STOP"[^\n]+\r?\n\r?\n$/ },
  },
  {
    client: "cohere",
    ...{ path: "/v2/chat", end: /event: message-end\ndata: [^\n]+\n\ndata: \[DONE\]\n\n$/ },
    body: { model: "on-anthropic", stream: true, messages },
  },
];

describe("what a stream loses on its way is told by one comment", () => {
  const COMMENT = /^: x-interlock-loss (.*)$/gm;
  for (const { client, path, body, end } of STREAMED) {
    test(`${client}: alone between two events, before the end`, async () => {
      const script = eventStream(PAUSED_STREAM);
      const { headers, text } = await told(bench, { path, body, script, key: "unmarked" });
      expect(headers.get("x-interlock-translated")).toBe(`${client}>anthropic`);
      expect(headers.get("x-interlock-loss") ?? "").not.toContain("L-STOP");
      const comments = [...text.matchAll(COMMENT)];
      expect(comments.map(([, losses]) => losses)).toEqual([expect.stringContaining("L-STOP(")]);
      const at = comments[0]!.index;
      expect(text.slice(0, at)).toMatch(/\n\r?\n$/);
      expect(text.slice(at)).toMatch(/^: [^\n]+\n\n/);
      expect(text).toMatch(end);
    });
  }

  for (const listener of LISTENERS.filter(({ dialect }) => dialect !== "anthropic")) {
    test(`${listener.name} does not notice`, async () => {
      const open = await startedOpen();
      const seen = await open.heard(listener, "anthropic", eventStream(PAUSED_STREAM));
      expect(seen).toMatchObject({ thrown: undefined, sawFailure: false });
    });
  }

  test("none where nothing was lost", async () => {
    const body = { model: "on-openai", max_tokens: 9, stream: true, messages };
    const script = eventStream(METERED);
    const { text } = await told(bench, { path: "/v1/messages", body, script, key: "unmarked" });
    expect(text).toContain("event: message_stop");
    expect(text).not.toContain("x-interlock-loss");
  });

  test("none in an array, and none in Bedrock's frames: there it is for the log", async () => {
    const array = "/v1beta/models/on-anthropic:streamGenerateContent";
    const frames = "/model/on-anthropic/converse-stream";
    const turns = [{ role: "user", content: [{ text: "USER" }] }];
    const calls = [
      ["losses-array", array, { contents }],
      ["losses-frames", frames, { messages: turns }],
    ] as const;
    for (const [id, path, body] of calls) {
      const script = eventStream(PAUSED_STREAM);
      const headers = { "x-request-id": id };
      const { text } = await told(bench, { path, body, script, key: "unmarked", headers });
      expect(text).not.toContain("x-interlock");
      expect(await lineOf(bench.binary, id)).toMatchObject({
        losses: expect.stringContaining("L-STOP"),
      });
    }
  });
});

describe("on_loss", () => {
  const refused = async (call: Call): Promise<boolean> => {
    const { status, upstream } = await told(bench, call);
    expect(upstream === undefined).toBe(status === 400);
    return status === 400;
  };
  async function goesOn(model: string, key: KeyName): Promise<readonly Loses[]> {
    const went: Loses[] = [];
    for (const loses of ALL) {
      if (!(await refused({ ...CALLS[loses](model), key }))) went.push(loses);
    }
    return went;
  }

  test("is warn where nobody says", async () => {
    expect(await goesOn("on-openai", "unmarked")).toEqual(GOES_ON.warn);
    expect(await goesOn("pool-unmarked", "unmarked")).toEqual(GOES_ON.warn);
  });

  for (const word of ["allow", "warn", "refuse"] as const) {
    test(`${word}, says the pool`, async () => {
      expect(await goesOn(`pool-${word}`, "unmarked")).toEqual(GOES_ON[word]);
    });
    for (const [key, by] of [
      ["allows", "allow"],
      ["warns", "warn"],
      ["refuses", "refuse"],
    ] as const) {
      test(`${by}, says the key, whatever the pool says: ${word}`, async () => {
        expect(await goesOn(`pool-${word}`, key)).toEqual(GOES_ON[by]);
      });
    }
    test(`${word}, says the configuration, where neither key nor pool does`, async () => {
      await using other = await startSix({ rest: { keys, pools, on_loss: word } });
      const went = await Promise.all(
        ALL.map(async (loses) => {
          const { status } = await told(other, {
            ...CALLS[loses]("pool-unmarked"),
            key: "unmarked",
          });
          return status === 400 ? [] : [loses];
        }),
      );
      expect(went.flat()).toEqual([...GOES_ON[word]]);
      const { status } = await told(other, { ...PROMISE("pool-allow"), key: "unmarked" });
      expect(status).toBe(200);
    });
  }

  const strict = [
    ["semantic", "allows", ["degraded"]],
    ["semantic", "warns", ["degraded"]],
    ["degraded", "allows", []],
    ["degraded", "refuses", []],
    ["none", "refuses", ["degraded"]],
    ["allow", "warns", ["degraded", "semantic"]],
    ["", "warns", ["degraded", "semantic"]],
  ] as const;
  for (const [word, key, due] of strict) {
    test(`x-interlock-strict: '${word}' makes ${key} no looser`, async () => {
      const went: Loses[] = [];
      for (const loses of ALL) {
        const headers = { "x-interlock-strict": word };
        if (!(await refused({ ...CALLS[loses](), key, headers }))) went.push(loses);
      }
      expect(went).toEqual([...due]);
    });
  }

  test("a backend of the caller's own protocol is asked where another would have to refuse", async () => {
    const body = { model: "pool-both", max_tokens: 9, top_k: 5, messages };
    const headers = { "x-interlock-strict": "degraded" };
    const call = {
      path: "/v1/messages",
      body,
      script: json(PAUSED),
      key: "unmarked",
      headers,
    } as const;
    const { status, headers: got, upstream } = await told(bench, call);
    expect(status).toBe(200);
    expect(got.get("x-interlock-route")).toContain("on-anthropic@p-anthropic");
    expect(upstream).toContain('"top_k":5');
  });
});

/** A call of each protocol that cannot keep its promise, and where that stands. */
const REFUSED: readonly (readonly [DialectId, Call, string])[] = [
  ["responses", PROMISE(), "previous_response_id"],
  [
    "openai",
    { path: "/v1/chat/completions", body: { model: "on-anthropic", messages, n: 2 } },
    "n",
  ],
  [
    "anthropic",
    {
      path: "/v1/messages",
      body: {
        ...{ model: "on-openai", max_tokens: 9 },
        messages: [
          {
            role: "user",
            content: [
              { type: "text", text: "USER" },
              { type: "document", source: { type: "file", file_id: "file_1" } },
            ],
          },
        ],
      },
    },
    "messages[0].content[1]",
  ],
  [
    "gemini",
    {
      path: "/v1beta/models/on-openai:generateContent",
      body: { contents, cachedContent: "cachedContents/1" },
    },
    "cachedContent",
  ],
  [
    "bedrock",
    {
      path: "/model/on-openai/converse",
      body: {
        messages: [{ role: "user", content: [{ text: "USER" }] }],
        guardrailConfig: { guardrailIdentifier: "g", guardrailVersion: "1" },
      },
    },
    "guardrailConfig",
  ],
];

describe("a refused loss", () => {
  for (const [client, call, path] of REFUSED) {
    test(`is told in the words of ${client}, with its place, and nothing is sent`, async () => {
      const { status, text, upstream, headers } = await told(bench, { ...call, key: "unmarked" });
      expect(status).toBe(400);
      expect(text).toContain(path);
      expect(headers.get("x-should-retry")).toBe("false");
      expect(upstream).toBeUndefined();
      expect(JSON.parse(text)).toMatchObject(ENVELOPES[client]);
      if (client === "bedrock") expect(headers.get("x-amzn-errortype")).toBe("ValidationException");
    });
  }
});

const UNSUPPORTED = { error: { type: "invalid_request_error", code: "unsupported_parameter" } };
const ENVELOPES: Readonly<Record<DialectId, object>> = {
  openai: UNSUPPORTED,
  responses: UNSUPPORTED,
  anthropic: { type: "error", error: { type: "invalid_request_error" } },
  gemini: { error: { code: 400, status: "INVALID_ARGUMENT" } },
  bedrock: { message: expect.any(String) },
  cohere: { message: expect.any(String) },
};

let opened: Promise<SixBench> | undefined;
/** One without keys, for SDKs that have their own. */
function startedOpen(): Promise<SixBench> {
  opened ??= startSix();
  return opened;
}
afterAll(async () => (await opened)?.[Symbol.asyncDispose]());

describe("stealth", () => {
  let hidden: SixBench;
  beforeAll(async () => void (hidden = await startSix({ rest: { keys, pools, stealth: true } })));
  afterAll(() => hidden[Symbol.asyncDispose]());

  test("adds no header of ours", async () => {
    const { status, headers } = await told(hidden, { ...DEGRADED(), key: "unmarked" });
    expect(status).toBe(200);
    expect([...headers.keys()].filter((name) => /interlock|server-timing/.test(name))).toEqual([]);
  });

  for (const { client, path, body } of STREAMED) {
    test(`and no comment of ours to a stream of ${client}`, async () => {
      const script = eventStream(PAUSED_STREAM);
      const { text } = await told(hidden, { path, body, script, key: "unmarked" });
      expect(text).toContain("Hello");
      expect(text).not.toContain("interlock");
    });
  }

  test("refuses what it would refuse", async () => {
    expect((await told(hidden, { ...PROMISE(), key: "unmarked" })).status).toBe(400);
  });

  test("and the log tells it all the same", async () => {
    const id = "losses-hidden";
    await told(hidden, { ...DEGRADED(), key: "unmarked", headers: { "x-request-id": id } });
    expect(await lineOf(hidden.binary, id)).toMatchObject({ losses: "L-TOPK" });
  });
});
