import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { postBytes, rawConnect } from "../faultd/raw-client.ts";
import { bytesOf, eventStream, json } from "../faultd/script.ts";
import { type Bench, CHAT, startBench } from "./bench.ts";
import { chatBody, COMPLETION, STREAM, UPSTREAM_KEY } from "./config.ts";
import { isWhole, type RawAnswer, rawAnswer } from "./raw-answer.ts";

const BODY_MAX = 4096;
const PATIENCE_MS = 3000;
const HOST = "Host: 127.0.0.1\r\n";
const JSON_TYPE = "Content-Type: application/json\r\n";

/** A request with a good body, so that only what a case names is wrong with it. */
function post(target: string, headers: readonly string[] = []): string {
  return postBytes(target, chatBody(), headers);
}
function withHead(head: string, body = chatBody()): string {
  return `${head}Content-Length: ${bytesOf(body).length}\r\n\r\n${body}`;
}

let bench: Bench;
beforeAll(async () => {
  const validation = { max_request_size_bytes: BODY_MAX };
  bench = await startBench({ rest: { security: { validation } } });
});
afterAll(() => bench[Symbol.asyncDispose]());

let asked = 0;
/** Sends bytes and reads one answer; undefined when the connection ends without one. */
async function exchange(bytes: string | Uint8Array): Promise<RawAnswer | undefined> {
  asked = bench.upstream.exchanges.length;
  bench.play(json(COMPLETION));
  using client = await rawConnect(bench.binary.port);
  // A connection without an answer ends here: a test that times out would take the binary along.
  const patience = setTimeout(() => client.leave("rst"), PATIENCE_MS);
  await client.send(bytes);
  const text = await client.until(isWhole);
  clearTimeout(patience);
  expect(text).not.toContain(UPSTREAM_KEY);
  expect(text).not.toMatch(/\bat \S+:\d+:\d+|\.ts:\d+|\/\$bunfs|node_modules|<html/i);
  return rawAnswer(text);
}
const reachedUpstream = () => bench.upstream.exchanges.length - asked;

interface OurError {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
}

/** A refusal of ours: its status, our envelope, a request id, and nothing sent on. */
function expectRefused(answer: RawAnswer | undefined, status: number): OurError {
  expect(answer?.status).toBe(status);
  expect(answer?.headers.get("x-request-id")).toBeString();
  expect(answer?.headers.get("content-type")).toStartWith("application/json");
  expect(reachedUpstream()).toBe(0);
  const { error } = JSON.parse(answer?.body ?? "") as { error: OurError };
  expect([error.message, error.type].map((text) => typeof text)).toEqual(["string", "string"]);
  return error;
}

describe("a path that two readers could read differently is refused before anything else", () => {
  const refused: readonly (readonly [string, string])[] = [
    ["a doubled slash in front", `/${CHAT}`],
    ["a doubled slash inside", "/v1//chat/completions"],
    ["an encoded slash", "/v1%2fchat/completions"],
    ["an encoded slash, upper case", "/v1%2Fchat/completions"],
    ["an encoded backslash", "/v1%5cchat/completions"],
    ["a semicolon", "/v1/chat;x=1/completions"],
    ["an encoded NUL", `${CHAT}%00`],
    ["an encoded dot segment behind an encoded slash", "/v1/x/..%2fchat/completions"],
    ["a twice encoded dot segment", "/v1/%252e%252e/v1/chat/completions"],
  ];
  for (const [what, target] of refused) {
    test(`${what}: ${target}`, async () => {
      expectRefused(await exchange(post(target)), 400);
    });
  }

  test("a doubled slash is said to come from a base URL that ends in one", async () => {
    const { message } = expectRefused(await exchange(post("/v1//chat/completions")), 400);
    expect(message).toMatch(/doubled slash.*base URL/i);
  });

  for (const target of [
    `${CHAT}/`,
    "/V1/CHAT/COMPLETIONS",
    "/",
    "/v1",
    "/admin/keys",
    "/metrics",
    "/%61dmin",
  ]) {
    test(`no route is guessed: ${target}`, async () => {
      expectRefused(await exchange(post(target)), 404);
    });
  }
});

// Bun.serve resolves dot segments and backslashes before a handler sees the target (http-raw probe),
// so they cannot be refused. What is decided must then be decided on the resolved path alone.
describe("a path the runtime resolves before us is judged as what it resolves to", () => {
  const resolved: readonly (readonly [string, number])[] = [
    ["/v1/./chat/completions", 200],
    ["/livez/../v1/chat/completions", 200],
    ["/v1/%2e%2e/v1/chat/completions", 200],
    ["/v1\\chat/completions", 200],
    ["/v1/chat/completions/../../models/../nowhere", 404],
    ["/v1/chat/completions/..", 404],
    ["/..//v1/chat/completions", 400],
  ];
  for (const [target, status] of resolved) {
    test(`${target} is ${status}`, async () => {
      const answer = await exchange(post(target));
      expect(answer?.status).toBe(status);
      if (status !== 200) return expect(reachedUpstream()).toBe(0);
      expect(bench.upstream.exchanges.at(-1)?.request.target).toBe(CHAT);
    });
  }
});

describe("a Host that is not exactly one name or address is refused", () => {
  const hosts = [
    "a/admin?x=",
    "a@b",
    "a#",
    "a b",
    "a\\admin",
    "",
    "a:port",
    "a, b",
    "a:80:80",
    "[::1",
  ];
  for (const host of hosts) {
    test(JSON.stringify(host), async () => {
      expectRefused(
        await exchange(withHead(`POST ${CHAT} HTTP/1.1\r\nHost: ${host}\r\n${JSON_TYPE}`)),
        400,
      );
    });
  }

  test("two of them", async () => {
    const answer = await exchange(
      withHead(`POST ${CHAT} HTTP/1.1\r\n${HOST}Host: b\r\n${JSON_TYPE}`),
    );
    expectRefused(answer, 400);
  });

  test("none at all, by the runtime itself", async () => {
    const answer = await exchange(withHead(`POST ${CHAT} HTTP/1.1\r\n${JSON_TYPE}`));
    expect(answer?.status).toBe(400);
    expect(reachedUpstream()).toBe(0);
  });
});

describe("a method that is not the route's is refused", () => {
  for (const method of ["GET", "PUT", "DELETE", "PATCH", "TRACE", "PURGE"]) {
    test(method, async () => {
      const answer = await exchange(withHead(`${method} ${CHAT} HTTP/1.1\r\n${HOST}${JSON_TYPE}`));
      expectRefused(answer, 405);
      expect(answer?.headers.get("allow")).toContain("POST");
    });
  }

  test("CONNECT reaches nobody", async () => {
    const answer = await exchange("CONNECT evil:443 HTTP/1.1\r\nHost: evil:443\r\n\r\n");
    expect(answer?.status).toBeWithin(400, 500);
    expect(reachedUpstream()).toBe(0);
  });

  test("OPTIONS and HEAD never reach an upstream", async () => {
    const answer = await exchange(`OPTIONS ${CHAT} HTTP/1.1\r\n${HOST}\r\n`);
    expect(answer?.status).toBeWithin(200, 500);
    expect(reachedUpstream()).toBe(0);
  });
});

describe("a header that may be said once is refused when said twice", () => {
  for (const name of ["Authorization", "X-Api-Key", "X-Goog-Api-Key", "Content-Type"]) {
    test(name, async () => {
      const value = name === "Content-Type" ? "application/json" : "Bearer one";
      expectRefused(await exchange(post(CHAT, [`${name}: ${value}`, `${name}: ${value}`])), 400);
    });
  }

  test("Content-Length, even with equal values", async () => {
    const length = `Content-Length: ${bytesOf(chatBody()).length}`;
    const answer = await exchange(post(CHAT, [length]));
    expect(answer?.status).toBe(400);
    expect(reachedUpstream()).toBe(0);
  });
});

describe("a body that is not JSON by its own account is refused", () => {
  for (const type of [
    "text/plain",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "application/jsonx",
    "nonsense",
  ]) {
    test(type, async () => {
      const answer = await exchange(
        withHead(`POST ${CHAT} HTTP/1.1\r\n${HOST}Content-Type: ${type}\r\n`),
      );
      expectRefused(answer, 415);
    });
  }

  test("a compressed one too", async () => {
    expectRefused(await exchange(post(CHAT, ["Content-Encoding: gzip"])), 415);
  });

  for (const type of [
    "application/json",
    "Application/JSON ; charset=UTF-8",
    "application/vnd.x+json",
  ]) {
    test(`${type} passes`, async () => {
      const answer = await exchange(
        withHead(`POST ${CHAT} HTTP/1.1\r\n${HOST}Content-Type: ${type}\r\n`),
      );
      expect(answer?.status).toBe(200);
    });
  }
});

describe("the cap on a body", () => {
  const ofSize = (size: number) => {
    const empty = chatBody({ user: "" }).length;
    return chatBody({ user: "x".repeat(size - empty) });
  };
  const chunked = (body: string) => {
    const head = `POST ${CHAT} HTTP/1.1\r\n${HOST}${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n`;
    const chunks = body
      .match(/[^]{1,500}/g)
      ?.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`);
    return `${head}${chunks?.join("") ?? ""}0\r\n\r\n`;
  };

  for (const [how, send] of [
    ["declared", (body: string) => postBytes(CHAT, body)],
    ["chunked", chunked],
  ] as const) {
    test(`lets its very size pass, ${how}`, async () => {
      const answer = await exchange(send(ofSize(BODY_MAX)));
      expect(answer?.status).toBe(200);
      expect(bench.upstream.exchanges.at(-1)?.request.body).toHaveLength(BODY_MAX);
    });
    test(`refuses one byte more, ${how}, and sends none of it on`, async () => {
      const { message } = expectRefused(await exchange(send(ofSize(BODY_MAX + 1))), 413);
      expect(message).toContain("4096");
    });
  }

  test("refuses a declared length before the body comes", async () => {
    const head = `POST ${CHAT} HTTP/1.1\r\n${HOST}${JSON_TYPE}Content-Length: ${BODY_MAX + 1}\r\n\r\n`;
    expectRefused(await exchange(head), 413);
  });

  test("refuses an endless chunked body at the cap, not at its end", async () => {
    const head = `POST ${CHAT} HTTP/1.1\r\n${HOST}${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n`;
    const chunk = `1000\r\n${" ".repeat(4096)}\r\n`;
    expectRefused(await exchange(head + chunk.repeat(3)), 413);
  });
});

describe("a body that is not the one announced never reaches an upstream", () => {
  test("shorter than its length, then gone", async () => {
    asked = bench.upstream.exchanges.length;
    using client = await rawConnect(bench.binary.port);
    await client.send(post(CHAT).slice(0, -1));
    client.leave("fin");
    await client.ended;
    expect((await exchange(post(CHAT)))?.status).toBe(200); // And by then nothing came of it.
    expect(reachedUpstream()).toBe(1);
  });

  test("longer than its length", async () => {
    const answer = await exchange(
      post(CHAT).replace(/Content-Length: (\d+)/, (_, n) => `Content-Length: ${n - 1}`),
    );
    expect(answer?.status).toBe(400);
    expect(reachedUpstream()).toBe(0);
  });

  const size = bytesOf(chatBody()).length.toString(16);
  const malformed: readonly (readonly [string, string])[] = [
    ["a bad last chunk", `${size}\r\n${chatBody()}\r\n0\r\nXX`],
    ["no CRLF behind a chunk", `${size}\r\n${chatBody()}XX0\r\n\r\n`],
    ["a chunk size that is no number", `zz\r\n${chatBody()}\r\n0\r\n\r\n`],
    ["a chunk size in C's spelling", `0x${size}\r\n${chatBody()}\r\n0\r\n\r\n`],
    ["a negative chunk size", `-${size}\r\n${chatBody()}\r\n0\r\n\r\n`],
    ["a chunk size that overflows", `1000000000000000${size}\r\n${chatBody()}\r\n0\r\n\r\n`],
    ["a bare LF behind a chunk size", `${size}\n${chatBody()}\r\n0\r\n\r\n`],
  ];
  for (const [what, body] of malformed) {
    test(`chunked with ${what}`, async () => {
      const head = `POST ${CHAT} HTTP/1.1\r\n${HOST}${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n`;
      // Whether a request is begun before it is refused is a race: once proves nothing.
      for (let times = 0; times < 40; times++) {
        const answer = await exchange(head + body);
        expect(answer?.status).toBe(400);
        expect(reachedUpstream()).toBe(0);
      }
    });
  }

  test("both framings at once", async () => {
    const answer = await exchange(post(CHAT, ["Transfer-Encoding: chunked"]));
    expect(answer?.status).toBe(400);
    expect(reachedUpstream()).toBe(0);
  });
});

describe("a request that names no model is refused, and the answer says which part is wrong", () => {
  const bodies: readonly (readonly [string, string, string | null])[] = [
    ["no model", '{"messages":[]}', "model"],
    ["a model that is no string", '{"model":1,"messages":[]}', "model"],
    ["a null model", '{"model":null,"messages":[]}', "model"],
    ["an empty model", '{"model":"","messages":[]}', "model"],
    ["two models", '{"model":"m","messages":[],"model":"other"}', "model"],
    [
      "two models, one spelled with an escape",
      '{"model":"m","messages":[],"mod\\u0065l":"other"}',
      "model",
    ],
    ["a stream flag that is no boolean", '{"model":"m","messages":[],"stream":"yes"}', "stream"],
    ["two stream flags", '{"model":"m","stream":true,"messages":[],"stream":false}', "stream"],
    ["an array", '[{"model":"m"}]', null],
    ["a string", '"m"', null],
    ["nothing", "", null],
    ["white space", "  ", null],
    ["bytes that are not UTF-8", '{"model":"m","x":"\xff"}', null],
  ];
  for (const [what, body, param] of bodies) {
    test(what, async () => {
      const bytes = Buffer.from(body, "latin1");
      const head = `POST ${CHAT} HTTP/1.1\r\n${HOST}${JSON_TYPE}Content-Length: ${bytes.length}\r\n\r\n`;
      const error = expectRefused(await exchange(Buffer.concat([Buffer.from(head), bytes])), 400);
      if (param !== null) expect(error).toMatchObject({ param });
    });
  }

  test("an unknown model is 404 with OpenAI's code", async () => {
    const body = chatBody({ model: "nobody-configured-this" });
    const error = expectRefused(await exchange(postBytes(CHAT, body)), 404);
    expect(error).toMatchObject({ code: "model_not_found", param: "model" });
  });
});

describe("nesting", () => {
  const nested = (depth: number, [open, close]: readonly [string, string]) =>
    `{"model":"m","messages":[],"x":${open.repeat(depth - 1)}1${close.repeat(depth - 1)}}`;
  for (const kind of [
    ["[", "]"],
    ['{"a":', "}"],
  ] as const) {
    test(`of 64 levels of ${kind[0]} passes, of 65 is refused`, async () => {
      expect((await exchange(postBytes(CHAT, nested(64, kind))))?.status).toBe(200);
      expectRefused(await exchange(postBytes(CHAT, nested(65, kind))), 400);
    });
  }
});

describe("every answer", () => {
  afterEach(() =>
    expect(bench.upstream.connections.every(({ malformed }) => malformed === undefined)).toBeTrue(),
  );
  const asks: readonly (readonly [string, string])[] = [
    ["a whole one", post(CHAT)],
    ["the models", `GET /v1/models HTTP/1.1\r\n${HOST}\r\n`],
    ["one model", `GET /v1/models/m HTTP/1.1\r\n${HOST}\r\n`],
    ["a refusal", post("/nowhere")],
  ];
  for (const [what, bytes] of asks) {
    test(`carries an x-request-id of its own: ${what}`, async () => {
      const ids = [await exchange(bytes), await exchange(bytes)].map((one) =>
        one?.headers.get("x-request-id"),
      );
      expect(ids[0]).toMatch(/^[\w-]{8,64}$/);
      expect(ids[0]).not.toBe(ids[1]);
    });
  }

  test("carries none of the upstream's own headers but those on the list", async () => {
    const leaked = [
      ["set-cookie", "s=1"],
      ["server", "x"],
      ["openai-organization", "org"],
      ["alt-svc", "h3"],
      ["x-request-id", "theirs"],
      ["access-control-allow-origin", "*"],
      ["connection", "x-hop"],
      ["x-hop", "1"],
    ] as const;
    const headers = [["content-type", "text/event-stream"], ...leaked] as const;
    bench.play(eventStream(STREAM, { headers }));
    using client = await bench.ask();
    const answer = rawAnswer(await client.until(isWhole));
    for (const [name, value] of leaked) expect(answer?.headers.get(name)).not.toBe(value);
    expect(answer?.status).toBe(200);
  });

  test("follows a request that carries none of the client's private headers upstream", async () => {
    const headers = [
      "Authorization: Bearer client-key",
      "Cookie: c=1",
      "X-Forwarded-For: 9.9.9.9",
      "X-Privacy: shareable",
      "X-Interlock-Route: x",
      "Metadata-Flavor: Google",
      "X-Api-Key-2: k",
      "Proxy-Authorization: Basic eA==",
      "OpenAI-Organization: org",
      "TE: trailers",
      "Forwarded: for=1",
      "Connection: x-named",
      "X-Named: 1",
      "X_Under: 1",
    ];
    expect((await exchange(post(CHAT, headers)))?.status).toBe(200);
    const sent = bench.upstream.exchanges.at(-1)?.request;
    const names = sent?.headers.map(([name]) => name.toLowerCase()) ?? [];
    const allowed = [
      "accept",
      "accept-encoding",
      "authorization",
      "connection",
      "content-length",
      "content-type",
      "host",
      "user-agent",
    ];
    expect(names.filter((name) => !allowed.includes(name))).toEqual([]);
    expect(sent?.rawHead).not.toContain("client-key");
    expect(sent?.header("authorization")).toBe(`Bearer ${UPSTREAM_KEY}`);
    expect(sent?.header("connection") ?? "keep-alive").toBe("keep-alive");
  });
});

// Last in this file: it ends the binary all of the above was sent to.
test("all of that left one line of JSON each in the log, and no bug", async () => {
  const model = 'x\r\n{"level":"ERROR"}\u2028\u0000\u001b[2J';
  expectRefused(await exchange(postBytes(CHAT, chatBody({ model }))), 400);
  expect(await bench.binary.stop()).toBe(0);
  const lines = bench.binary.stdout().trimEnd().split("\n");
  const levels = new Set(lines.map((line) => (JSON.parse(line) as { level: string }).level));
  expect(levels.has("ERROR")).toBeFalse();
  expect(bench.binary.stdout()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u2028]/);
});
