import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { bytesOf, eventStream, json } from "../faultd/script.ts";
import { COMPLETION, STREAM, UPSTREAM_KEY } from "./config.ts";
import { lineOf } from "./log-lines.ts";
import { type Answered, KEYS, type NativeBench, startNative } from "./native-bench.ts";

/** Every byte there is, twice: no text, no JSON. */
const BINARY = Uint8Array.from({ length: 512 }, (_, at) => at & 0xff);
const MESSAGE = {
  ...{ id: "msg_1", type: "message", role: "assistant", model: "claude-sonnet-4-5" },
  ...{ content: [{ type: "text", text: "Hello" }], stop_reason: "end_turn", stop_sequence: null },
  usage: { input_tokens: 3, output_tokens: 1 },
};

let bench: NativeBench;
beforeAll(async () => void (bench = await startNative()));
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.play(json({})));

describe("a provider by its name: its own path, byte for byte", () => {
  const calls = [
    ["GET", "/plain/v1/files?limit=2&after=file_%20x", undefined],
    ["GET", "/mounted/openai/v1/models", undefined],
    ["HEAD", "/plain/v1/files/1/content", undefined],
    ["DELETE", "/plain/v1/files/file_1", undefined],
    ["POST", "/plain/v1/files/f/upload?part=1", BINARY],
    ["PUT", "/plain/anything/at/all", BINARY],
    ["PATCH", "/claude/v1/skills/1", '{ "b":1,"a" : 2.0 }'],
    ["POST", "/google/upload/v1beta/files?uploadType=media", BINARY],
    ["GET", "/coherent/v1/connectors/1", undefined],
    ["POST", "/claude/v1/messages/batches", '{"requests":[]}'],
  ] as const;

  for (const [method, path, body] of calls) {
    test(`${method} ${path}`, async () => {
      const sent = { method, headers: { "content-type": "application/x-own" } };
      const { status } = await bench.send(path, body === undefined ? sent : { ...sent, body });
      expect(status).toBe(200);
      const seen = bench.last();
      expect(seen.method).toBe(method);
      expect(seen.target).toBe(path.slice(path.indexOf("/", 1)));
      expect(Buffer.from(seen.body).equals(Buffer.from(bytesOf(body ?? "")))).toBeTrue();
      if (body !== undefined) expect(seen.header("content-type")).toBe("application/x-own");
      expect(seen.rawHead).toContain(UPSTREAM_KEY);
      expect(seen.rawHead).not.toContain("sk-interlock");
    });
  }

  const answers = [
    ["a picture", { status: 200, body: BINARY, headers: [["content-type", "image/png"]] }],
    ["what was made", { status: 201, body: '{"id":"file_1"}', headers: [] }],
    ["what is not there", { status: 404, body: '{"error":"no such file"}', headers: [] }],
    ["a conflict", { status: 409, body: "busy", headers: [["content-type", "text/plain"]] }],
    [
      "lines of JSON",
      { status: 200, body: '{"a":1}\n{"a":2}\n', headers: [["content-type", "application/jsonl"]] },
    ],
    ["an empty answer", { status: 200, body: "", headers: [] }],
    [
      "half a JSON text",
      { status: 200, body: '{"a":', headers: [["content-type", "application/json"]] },
    ],
  ] as const;
  for (const [what, answer] of answers) {
    for (const method of ["GET", "POST"] as const) {
      test(`the answer to a ${method} is ${what}, as it came`, async () => {
        bench.play(answer);
        const { status, bytes, headers } = await bench.send("/plain/v1/files/1", { method });
        expect(status).toBe(answer.status);
        expect(bytes.equals(Buffer.from(bytesOf(answer.body)))).toBeTrue();
        const [type] = answer.headers;
        if (type !== undefined) expect(headers.get("content-type")).toBe(type[1]);
      });
    }
  }

  test("an answer without a body has none here", async () => {
    bench.play({ raw: "HTTP/1.1 204 No Content\r\n\r\n", then: "keep" });
    const { status, bytes } = await bench.send("/plain/v1/files/1", { method: "DELETE" });
    expect({ status, length: bytes.length }).toEqual({ status: 204, length: 0 });
  });

  test("the length of what is not sent is told to a HEAD", async () => {
    bench.play({
      raw: "HTTP/1.1 200 OK\r\ncontent-length: 512\r\ncontent-type: image/png\r\n\r\n",
      then: "keep",
    });
    const { status, headers, bytes } = await bench.send("/plain/v1/files/1", { method: "HEAD" });
    expect({ status, length: bytes.length }).toEqual({ status: 200, length: 0 });
    expect(headers.get("content-type")).toBe("image/png");
  });

  test("what is no text of a model's is no tokens either", async () => {
    bench.play({ body: BINARY, headers: [["content-type", "audio/mpeg"]] });
    const headers = { "x-request-id": "native-no-tokens" };
    await bench.send("/plain/v1/files/1/content", { body: BINARY, headers });
    const { tokens } = await lineOf(bench.binary, "native-no-tokens");
    expect(tokens).toEqual({ input: 0, output: 0 });
  });

  test("the query goes along without the key that was for us", async () => {
    const path = `/google/v1beta/files?pageSize=2&key=${KEYS.all}&pageToken=a%2Bb`;
    await bench.send(path, { method: "GET", headers: { authorization: "" } });
    expect(bench.last().target).toBe("/v1beta/files?pageSize=2&pageToken=a%2Bb");
  });

  test("a redirect is not followed", async () => {
    bench.play({ status: 307, headers: [["location", `${bench.far.origin}/stolen`]], body: "" });
    const { status } = await bench.send("/plain/v1/files", { body: "secret" });
    expect(status).toBe(502);
    expect(bench.far.received).toBe(0);
  });
});

describe("where the path is a call we know, it is metered and goes on as it came", () => {
  const chat = '{ "model":"gpt-x","messages":[],"n":1.0 }';
  const calls = [
    ["/mounted/openai/v1/chat/completions", "/openai/v1/chat/completions", chat, COMPLETION],
    ["/plain/v1/chat/completions", "/v1/chat/completions", chat, COMPLETION],
    ["/claude/v1/messages?beta=true", "/v1/messages?beta=true", chat, JSON.stringify(MESSAGE)],
  ] as const;
  for (const [path, target, body, answer] of calls) {
    test(path, async () => {
      bench.play(json(answer));
      const id = `native-${path.replaceAll(/\W/g, "_")}`;
      const got = await bench.send(path, {
        body,
        headers: { "x-request-id": id, "content-type": "application/json" },
      });
      expect(got.text).toBe(answer);
      expect(bench.last().target).toBe(target);
      expect(bench.last().text).toBe(body);
      const line = await lineOf(bench.binary, id);
      expect(line).toMatchObject({ usage: "reported", tokens: { input: 3, output: 1 } });
    });
  }

  test("a stream as well", async () => {
    bench.play(eventStream(STREAM));
    const body = '{"model":"gpt-x","stream":true,"messages":[]}';
    const headers = { "content-type": "application/json" };
    const got = await bench.send("/mounted/openai/v1/chat/completions", { body, headers });
    expect(got.text).toBe(STREAM);
  });

  test("a stream that breaks off ends in the provider's own error", async () => {
    bench.play(eventStream(STREAM, { cut: { at: STREAM.length - 20, how: "fin" } }));
    const body = '{"model":"gpt-x","stream":true,"messages":[]}';
    const headers = { "content-type": "application/json" };
    const got = await bench.send("/mounted/openai/v1/chat/completions", { body, headers });
    // Bytes that come in one turn with the end are lost to the fetch below: then none was relayed.
    expect(got.text).toMatch(/"code":"(?:stream_truncated|upstream_unreachable)"/);
    expect(got.text).not.toContain("[DONE]");
  });
});

describe("the first segment", () => {
  const ask = { model: "whatever", max_tokens: 9, messages: [{ role: "user", content: "hi" }] };
  const post = (path: string) =>
    bench.send(path, {
      body: JSON.stringify(ask),
      headers: { "content-type": "application/json" },
    });

  const unknown = [
    ["/nobody/v1/messages", { type: "error", error: { type: "not_found_error" } }],
    ["/nobody/v1/chat/completions", { error: { type: "invalid_request_error" } }],
    ["/nobody/v1/responses", { error: { type: "invalid_request_error" } }],
    ["/nobody/v1beta/models/m:generateContent", { error: { status: "NOT_FOUND", code: 404 } }],
    ["/nobody/model/m/converse", { message: expect.any(String) }],
    ["/nobody/v2/chat", { message: expect.any(String), id: expect.any(String) }],
    ["/nobody", { error: { type: "invalid_request_error" } }],
    ["/", { error: { type: "invalid_request_error" } }],
    ["/chat/v1/files", { error: { type: "invalid_request_error" } }],
  ] as const;
  for (const [path, envelope] of unknown) {
    test(`nobody's: ${path} is 404 in the words of its protocol`, async () => {
      const before = bench.near.exchanges.length;
      const { status, text } = await post(path);
      expect(status).toBe(404);
      expect(JSON.parse(text)).toMatchObject(envelope);
      expect(bench.near.exchanges).toHaveLength(before);
    });
  }

  test("a pool: it answers, whatever model the body names", async () => {
    bench.play(json(MESSAGE));
    const { status, headers } = await post("/both/v1/messages");
    expect(status).toBe(200);
    expect(headers.get("x-interlock-route")).toBe("both/sonnet@claude");
    expect(JSON.parse(bench.last().text)).toEqual({ ...ask, model: "claude-sonnet-4-5" });
  });

  test("a model, in another protocol than its own", async () => {
    bench.play(json(COMPLETION));
    const { status, text, headers } = await post("/chat/v1/messages");
    expect(status).toBe(200);
    expect(headers.get("x-interlock-translated")).toBe("anthropic>openai");
    expect(JSON.parse(text)).toMatchObject({ type: "message", content: [{ text: "Hello" }] });
    expect(JSON.parse(bench.last().text)).toMatchObject({ model: "gpt-4o" });
  });

  test("a provider and one of its models that nobody configured", async () => {
    bench.play(json(COMPLETION));
    const { status, headers } = await post("/plain/gpt-of-tomorrow/v1/messages");
    expect(status).toBe(200);
    expect(headers.get("x-interlock-translated")).toBe("anthropic>openai");
    expect(bench.last().target).toBe("/v1/chat/completions");
    expect(JSON.parse(bench.last().text)).toMatchObject({ model: "gpt-of-tomorrow" });
  });

  test("the same in the provider's own protocol changes nothing but the name", async () => {
    bench.play(json(MESSAGE));
    await post("/claude/claude-of-tomorrow/v1/messages");
    const due = JSON.stringify(ask).replace('"whatever"', '"claude-of-tomorrow"');
    expect(bench.last()).toMatchObject({ target: "/v1/messages", text: due });
  });

  test("only a call is asked of a pool or a model", async () => {
    const { status, headers } = await bench.send("/both/v1/messages", { method: "GET" });
    expect({ status, allow: headers.get("allow") }).toEqual({ status: 405, allow: "POST" });
  });
});

describe("a private request never leaves by a provider's own path", () => {
  const headers = { "content-type": "application/json" };
  const marked = '{"model":"m","messages":[],"metadata":{"privacy":"private"}}';
  const ways: readonly (readonly [string, () => Promise<Answered>])[] = [
    [
      "a header, POST",
      () =>
        bench.send("/outside/v1/chat/completions", {
          body: '{"model":"m","messages":[]}',
          headers: { ...headers, "x-privacy": "private" },
        }),
    ],
    [
      "a header, GET",
      () => bench.send("/outside/v1/files", { method: "GET", headers: { "x-privacy": "private" } }),
    ],
    [
      "a header, upload",
      () => bench.send("/outside/v1/files", { body: BINARY, headers: { "x-privacy": "private" } }),
    ],
    [
      "a mark in the body of a call",
      () => bench.send("/outside/v1/chat/completions", { body: marked, headers }),
    ],
    [
      "a mark in the body of a call we do not know",
      () => bench.send("/outside/v1/batches", { body: marked, headers }),
    ],
    [
      "a mark nobody can read",
      () => bench.send("/outside/v1/files", { method: "GET", headers: { "x-privacy": "ja" } }),
    ],
    ["the key", () => bench.send("/outside/v1/files", { method: "GET", key: "secret" })],
    [
      "the key, DELETE",
      () => bench.send("/outside/v1/files/1", { method: "DELETE", key: "secret" }),
    ],
    [
      "the pool",
      () =>
        bench.send("/closed/v1/chat/completions", { body: '{"model":"m","messages":[]}', headers }),
    ],
    [
      "the key, ad hoc",
      () => bench.send("/outside/gpt-x/v1/messages", { body: marked, headers, key: "secret" }),
    ],
  ];
  for (const [what, ask] of ways) {
    test(`told by ${what}`, async () => {
      const { status, text } = await ask();
      expect(status).toBeOneOf([503, 529]);
      expect(text).toContain("No eligible backend");
      expect(bench.far.received).toBe(0);
    });
  }

  test("and one that may goes out, or this would be blind", async () => {
    const { status } = await bench.send("/outside/v1/files", { method: "GET" });
    expect(status).toBe(200);
    expect(bench.far.exchanges).toHaveLength(1);
    bench.far.forget();
  });
});

describe("a key that may use some names only", () => {
  const headers = { "content-type": "application/json" };
  const body = '{"model":"sonnet","max_tokens":9,"messages":[]}';
  const calls = [
    ["/mounted/openai/v1/files", 200],
    ["/mounted/openai/v1/chat/completions", 200],
    ["/plain/v1/files", 403],
    ["/claude/v1/messages", 403],
    ["/both/v1/messages", 200],
    ["/sonnet/v1/messages", 403],
    ["/plain/gpt-4o/v1/messages", 403],
    ["/v1/messages", 403],
  ] as const;
  for (const [path, due] of calls) {
    test(`${path} is ${due}`, async () => {
      bench.play(json(MESSAGE));
      const before = bench.near.exchanges.length;
      const { status } = await bench.send(path, { key: "narrow", body, headers });
      expect(status).toBe(due);
      expect(bench.near.exchanges.length - before).toBe(due === 200 ? 1 : 0);
    });
  }

  test("no key at all is 401, whatever the path", async () => {
    const { status } = await bench.send("/plain/v1/files", { headers: { authorization: "" } });
    expect(status).toBe(401);
  });
});
