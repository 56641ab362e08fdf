import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eventEnds } from "../faultd/pieces.ts";
import { bytesOf, CUT_KINDS, eventStream, gate } from "../faultd/script.ts";
import type { CutKind, Script } from "../faultd/script.ts";
import { postBytes, rawConnect } from "../faultd/raw-client.ts";
import { type Bench, CHAT, startBench } from "./bench.ts";
import { chatBody, SHORT_TIMEOUTS, STREAM } from "./config.ts";
import { startOpenAiClient } from "./openai-client.ts";
import { isWhole, rawAnswer, rawBody } from "./raw-answer.ts";

type Mode = "surface" | "graceful" | "abort";

/** How one broken stream looked on the client's socket. */
interface Broken {
  readonly body: string;
  /** The chunked body was ended as a whole one is. */
  readonly whole: boolean;
  readonly ended: string;
}

const latin1 = Buffer.from(STREAM).toString("latin1");
const ENDS = eventEnds(bytesOf(STREAM));
const [FIRST = 0, SECOND = 0, THIRD = 0] = ENDS;

function startMode(mode: Mode): Promise<Bench> {
  return startBench({ rest: { stream_failure: mode }, provider: SHORT_TIMEOUTS });
}

/** Plays a stream that breaks at `at` once the client has all before it. */
async function broken(bench: Bench, { at, how }: { at: number; how: CutKind }): Promise<Broken> {
  const here = gate();
  const cut = { at, how };
  using client = await bench.askFor(eventStream(STREAM, { gates: new Map([[at, here]]), cut }));
  await here.reached;
  await client.until((text) => rawBody(text).length >= at);
  here.open();
  const text = await client.until(isWhole);
  const answer = rawAnswer(text);
  const whole = answer?.whole === true;
  return { body: answer?.body ?? "", whole, ended: whole ? "" : await client.ended };
}

interface ErrorEvent {
  readonly choices?: readonly { readonly finish_reason: string; readonly error: OurError }[];
  readonly id?: string;
  readonly model?: string;
  readonly error: OurError;
}
interface OurError {
  readonly message: string;
  readonly type: string;
  readonly code: string;
  readonly request_id?: string;
}

/** The events of ours behind the `at` bytes that came from upstream. */
function ownEvents({ body }: Broken, at: number): string[] {
  return body
    .slice(at)
    .split("\n\n")
    .map((event) => event.trim())
    .filter((event) => event !== "");
}

function dataOf(event: string | undefined): ErrorEvent {
  expect(event).toStartWith("data: ");
  return JSON.parse(event?.slice("data: ".length) ?? "") as ErrorEvent;
}

const POSITIONS = [
  ["between the first two events", FIRST],
  ["one byte into the second", FIRST + 1],
  ["in the middle of the second", Math.floor((FIRST + SECOND) / 2)],
  ["inside a character of two bytes", latin1.indexOf("\xc3\xb6") + 1],
  ["before the blank line that ends it", SECOND - 1],
  ["with the finish reason out, before the end marker", THIRD],
  ["inside the end marker", THIRD + 8],
] as const;

/** Every kind at every position. Stalls wait for their deadline, all at once. */
const BREAKS = CUT_KINDS.flatMap((how) =>
  POSITIONS.map(([where, at]) => ({
    title: `${how} ${where}`,
    how,
    at,
    run: how === "stall" ? test.concurrent : test,
  })),
);

describe("surface: an error event, and never the end marker", () => {
  let bench: Bench;
  beforeAll(async () => void (bench = await startMode("surface")));
  afterAll(() => bench[Symbol.asyncDispose]());

  for (const { title, how, at, run } of BREAKS) {
    run(title, async () => {
      const seen = await broken(bench, { at, how });
      expect(seen.body.slice(0, at)).toBe(latin1.slice(0, at));
      expect(seen.body).not.toContain("[DONE]");
      const { error } = dataOf(ownEvents(seen, at).at(-1));
      expect([error.message, error.type].map((text) => typeof text)).toEqual(["string", "string"]);
      expect(error.code).toBe(how === "stall" ? "stream_timeout" : "stream_truncated");
      expect(error.request_id).toBeString();
      if (ENDS.includes(at)) expect(ownEvents(seen, at)).toHaveLength(1);
    });
  }
});

describe("graceful: a finish reason that is no model's, the error, the end marker", () => {
  let bench: Bench;
  beforeAll(async () => void (bench = await startMode("graceful")));
  afterAll(() => bench[Symbol.asyncDispose]());

  for (const { title, how, at, run } of BREAKS) {
    run(title, async () => {
      const seen = await broken(bench, { at, how });
      expect(seen.body.slice(0, at)).toBe(latin1.slice(0, at));
      expect(seen.whole).toBeTrue();
      const [last, done] = ownEvents(seen, at).slice(-2);
      expect(done).toBe("data: [DONE]");
      const { choices = [], error, id, model } = dataOf(last);
      // A top-level error would make every SDK throw, which is what this mode is there to avoid.
      expect(error).toBeUndefined();
      expect(choices).toHaveLength(1);
      expect(choices[0]).toMatchObject({ index: 0, delta: {}, finish_reason: "error" });
      expect(choices[0]?.error.code).toBe(how === "stall" ? "stream_timeout" : "stream_truncated");
      expect({ id, model }).toEqual({ id: "chatcmpl-1", model: "m" });
      expect(seen.body.slice(at)).not.toMatch(/"finish_reason":"(?:stop|length|tool_calls)"/);
    });
  }
});

describe("abort: the connection is reset, and nothing of ours is said", () => {
  let bench: Bench;
  beforeAll(async () => void (bench = await startMode("abort")));
  afterAll(() => bench[Symbol.asyncDispose]());

  for (const { title, how, at, run } of BREAKS) {
    run(title, async () => {
      const seen = await broken(bench, { at, how });
      expect(seen.whole).toBeFalse();
      expect(seen.body.slice(0, at)).toBe(latin1.slice(0, at));
      if (how !== "garbage") expect(seen.body).toBe(latin1.slice(0, at));
      expect(seen.ended).toBe("rst");
    });
  }
});

describe("whatever the mode", () => {
  for (const mode of ["surface", "graceful", "abort"] as const) {
    describe(mode, () => {
      let bench: Bench;
      beforeAll(async () => void (bench = await startMode(mode)));
      afterAll(() => bench[Symbol.asyncDispose]());

      for (const how of ["rst", "fin", "garbage"] as const) {
        test(`with the end marker out, ${how} is a normal end`, async () => {
          const seen = await broken(bench, { at: latin1.length, how });
          expect(seen).toEqual({ body: latin1, whole: true, ended: "" });
        });
      }

      test("with the end marker out, silence is a normal end, and the upstream is let go", async () => {
        const before = bench.upstream.exchanges.length;
        expect(await broken(bench, { at: latin1.length, how: "stall" })).toMatchObject({
          body: latin1,
          whole: true,
        });
        expect(await (await bench.upstream.exchange(before)).finished).toBe("peer_left");
      });

      test("none of that was counted as broken; one real break is, once", async () => {
        const count = async () => {
          const found = /^gateway_stream_broken_total\{([^}]*)\} (\d+)/m.exec(
            await bench.binary.metrics(),
          );
          return { labels: found?.[1] ?? "", times: Number(found?.[2] ?? 0) };
        };
        expect((await count()).times).toBe(0);
        await broken(bench, { at: FIRST, how: "fin" });
        const { labels, times } = await count();
        expect(times).toBe(1);
        expect(labels).toContain(`mode="${mode}"`);
      });

      const early: readonly (readonly [string, Script, number])[] = [
        ["FIN before the head", { raw: "", then: "fin" }, 502],
        ["RST before the head", { raw: "", then: "rst" }, 502],
        ["garbage for a head", { raw: "", then: "garbage" }, 502],
        [
          "FIN in the first event",
          eventStream(STREAM, { cut: { at: FIRST - 3, how: "fin" } }),
          502,
        ],
        [
          "silence in the first event",
          eventStream(STREAM, { cut: { at: FIRST - 3, how: "stall" } }),
          504,
        ],
        ["an empty stream", eventStream(""), 502],
        ["comments and no event", eventStream(": one\n\n: two\n\n"), 502],
      ];
      for (const [what, script, status] of early) {
        test(`${what} is a plain ${status}: nothing was committed`, async () => {
          bench.play(script);
          const { status: seen, headers, bytes } = await bench.post(chatBody({ stream: true }));
          expect(seen).toBe(status);
          expect(headers.get("content-type")).toStartWith("application/json");
          expect(JSON.parse(bytes.toString())).toHaveProperty("error.code");
        });
      }

      test("an error the upstream reports in the stream is passed as it is, and ends it", async () => {
        const theirs =
          'data: {"error":{"message":"overloaded","type":"server_error","code":"x"}}\n\n';
        const body = STREAM.slice(0, STREAM.indexOf("\n\n") + 2) + theirs;
        bench.play(eventStream(body));
        const { bytes } = await bench.post(
          JSON.stringify({ model: "m", messages: [], stream: true }),
        );
        expect(bytes.toString()).toBe(body);
      });
    });
  }
});

describe("a stream that begins with an error was never committed: it gets the error's status", () => {
  let bench: Bench;
  beforeAll(async () => void (bench = await startMode("surface")));
  afterAll(() => bench[Symbol.asyncDispose]());
  const first: readonly (readonly [string, object, number])[] = [
    ["a rate limit", { type: "requests", code: "rate_limit_exceeded" }, 429],
    ["an overload", { type: "server_error", code: "overloaded" }, 503],
    ["a failure of the server", { type: "server_error", code: null }, 502],
    ["a wrong credential", { type: "invalid_request_error", code: "invalid_api_key" }, 502],
    ["a request that is too long", { type: "x", code: "context_length_exceeded" }, 400],
    ["a bad request", { type: "invalid_request_error", code: "unsupported_parameter" }, 400],
  ];
  for (const [what, error, status] of first) {
    test(`${what} is ${status}`, async () => {
      const event = { error: { message: "theirs", param: null, ...error } };
      bench.play(eventStream(`: a comment\n\ndata: ${JSON.stringify(event)}\n\n`));
      const { status: seen, headers } = await bench.post(chatBody({ stream: true }));
      expect(seen).toBe(status);
      expect(headers.get("content-type")).toStartWith("application/json");
    });
  }
});

test("a key's own mode goes before its pool's, and that before the default", async () => {
  const keys = {
    plain: { key: "key-plain-0123456789abcdef0123456789" },
    graceful: { key: "key-graceful-0123456789abcdef012345", stream_failure: "graceful" },
  };
  const pools = { aborting: { stream_failure: "abort", members: [{ model: "m" }] } };
  await using bench = await startBench({ rest: { keys, pools }, provider: SHORT_TIMEOUTS });
  bench.play(eventStream(STREAM, { gates: new Map(), cut: { at: SECOND, how: "stall" } }));
  const endOf = async (model: string, key: string) => {
    using client = await rawConnect(bench.binary.port);
    const authorization = `Authorization: Bearer ${key}`;
    await client.send(postBytes(CHAT, chatBody({ model, stream: true }), [authorization]));
    const own = rawBody(await client.until(isWhole)).slice(SECOND);
    if (own === "") return await client.ended;
    return own.endsWith("data: [DONE]\n\n") ? "graceful" : own.slice(0, 14);
  };
  const ends = [
    endOf("m", keys.plain.key),
    endOf("aborting", keys.plain.key),
    endOf("aborting", keys.graceful.key),
    endOf("m", keys.graceful.key),
  ];
  expect(await Promise.all(ends)).toEqual(['data: {"error"', "rst", "graceful", "graceful"]);
});

test("graceful is a normal end for the official SDK, as its seed says", async () => {
  await using bench = await startMode("graceful");
  const baseURL = `${bench.binary.origin}/v1`;
  const script = eventStream(STREAM, { cut: { at: SECOND, how: "stall" } });
  for (const runtime of ["bun", "node"] as const) {
    await using sdk = startOpenAiClient(runtime);
    const request = { model: "m", stream: true, messages: [], user: bench.own(script) };
    const { error, chunks = [] } = await sdk.run({ baseURL, request });
    expect(error).toBeUndefined();
    expect(chunks.at(-1)).toMatchObject({ choices: [{ finish_reason: "error" }] });
  }
});

for (const mode of ["surface", "abort"] as const) {
  test(`${mode} is an error for the official SDK, with all that came before it`, async () => {
    await using bench = await startMode(mode);
    const baseURL = `${bench.binary.origin}/v1`;
    const script = eventStream(STREAM, { cut: { at: SECOND, how: "stall" } });
    for (const runtime of ["bun", "node"] as const) {
      await using sdk = startOpenAiClient(runtime);
      const request = { model: "m", stream: true, messages: [], user: bench.own(script) };
      const { error, chunks } = await sdk.run({ baseURL, request });
      expect(error?.message).toBeString();
      expect(chunks).toHaveLength(2);
    }
  });
}
