import { describe, expect, test } from "bun:test";
import OpenAI, { APIError } from "openai";
import type { BrokenStream } from "../../../src/protocol/dialect.ts";
import { heartbeat, writeStreamError } from "../../../src/protocol/openai/broken.ts";
import { streamTap } from "../../../src/protocol/openai/tap.ts";
import { parseSse } from "../../../src/wire/sse.ts";

const BROKEN: BrokenStream = {
  mode: "surface",
  why: "truncated",
  requestId: "req_1",
  atBoundary: true,
  id: "chatcmpl-7",
  model: "m-1",
};
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const written = (change: Partial<BrokenStream> = {}) =>
  textOf(writeStreamError({ ...BROKEN, ...change }));
const chunk = (content: string) =>
  `data: ${JSON.stringify({ id: "chatcmpl-7", model: "m-1", choices: [{ index: 0, delta: { content } }] })}\n\n`;

describe("surface", () => {
  test.each([
    ["truncated", "stream_truncated"],
    ["timeout", "stream_timeout"],
    ["shutdown", "stream_shutdown"],
    ["bug", "stream_error"],
  ] as const)("is one error frame without [DONE]: %s", (why, code) => {
    const error = {
      message: "The response stream was interrupted.",
      type: "upstream_error",
      param: null,
      code,
      request_id: "req_1",
    };
    expect(written({ why })).toBe(`data: ${JSON.stringify({ error })}\n\n`);
  });
  test("closes a partial event first", () => {
    expect(written({ atBoundary: false })).toBe(`\n\n${written()}`);
  });
});

describe("graceful", () => {
  const graceful = { mode: "graceful" } as const;
  test("is one chunk of the stream's own identity, then [DONE]", () => {
    const [last, done, ...more] = parseSse(writeStreamError({ ...BROKEN, ...graceful }));
    expect(JSON.parse(last!.data)).toEqual({
      id: "chatcmpl-7",
      object: "chat.completion.chunk",
      created: 0,
      model: "m-1",
      choices: [
        {
          index: 0,
          delta: {},
          finish_reason: "error",
          error: expect.objectContaining({ code: "stream_truncated", request_id: "req_1" }),
        },
      ],
    });
    expect(done!.data).toBe("[DONE]");
    expect(more).toEqual([]);
  });
  test("has an identity even where the stream had none", () => {
    const [last] = parseSse(
      writeStreamError({ ...BROKEN, ...graceful, id: undefined, model: undefined }),
    );
    expect(JSON.parse(last!.data)).toMatchObject({ id: "chatcmpl-req_1", model: "" });
  });
});

test("no form says anything of what stands behind us: features.md b-R44", () => {
  const words = /url|connect|upstream|proxy|gateway|backend|lane|translate/i;
  for (const mode of ["surface", "graceful"] as const) {
    for (const why of ["truncated", "timeout", "shutdown", "bug"] as const) {
      const said = written({ mode, why });
      const [, message] = /"message":"([^"]*)"/.exec(said)!;
      expect(message).not.toMatch(words);
    }
  }
});

test("another gateway of this kind behind us finds the fault in either form", () => {
  for (const mode of ["surface", "graceful"] as const) {
    const tap = streamTap({ terminal: "done" });
    tap.feed(new TextEncoder().encode(chunk("a")));
    tap.feed(writeStreamError({ ...BROKEN, mode }));
    expect(tap.fault?.kind).toBe("server_error");
  }
});

test("a heartbeat is no event", () => {
  expect(textOf(heartbeat)).toBe(": keep-alive\n\n");
  expect(parseSse(heartbeat)).toEqual([]);
});

describe("the official SDK", () => {
  /** What its stream iterator makes of a body. */
  async function read(body: string) {
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => new Response(body, { headers: { "content-type": "text/event-stream" } }),
    });
    const client = new OpenAI({
      apiKey: "k",
      baseURL: server.url.href,
      maxRetries: 0,
      logLevel: "off",
    });
    const stream = await client.chat.completions.create({ model: "m", messages: [], stream: true });
    const chunks: object[] = [];
    try {
      for await (const one of stream) chunks.push(one);
      return { chunks, error: undefined };
    } catch (error) {
      return { chunks, error };
    }
  }

  test("throws an APIError at a boundary", async () => {
    const { chunks, error } = await read(chunk("a") + written());
    expect(chunks).toHaveLength(1);
    expect(error).toBeInstanceOf(APIError);
    expect(error).toMatchObject({
      code: "stream_truncated",
      type: "upstream_error",
      message: expect.stringContaining("The response stream was interrupted."),
    });
  });

  const second = chunk("bcd");
  for (let at = 1; at < second.length; at++) {
    test(`throws when the event before was cut at byte ${at}`, async () => {
      const body = chunk("a") + second.slice(0, at) + written({ atBoundary: false });
      const { chunks, error } = await read(body);
      expect(error).toBeDefined();
      // A whole event that lacked its blank line only is delivered; nothing else is.
      expect(chunks).toHaveLength(at >= second.length - 2 ? 2 : 1);
    });
  }

  test("finishes quietly when told to end gracefully, and shows the reason", async () => {
    const { chunks, error } = await read(chunk("a") + written({ mode: "graceful" }));
    expect(error).toBeUndefined();
    expect(chunks).toHaveLength(2);
    expect(chunks[1]).toMatchObject({
      id: "chatcmpl-7",
      choices: [{ finish_reason: "error", error: { code: "stream_truncated" } }],
    });
  });

  test("would throw on an error beside the choices, so it cannot stand there", async () => {
    const beside = {
      choices: [{ index: 0, delta: {}, finish_reason: "error" }],
      error: { code: "x" },
    };
    const { error } = await read(
      `${chunk("a")}data: ${JSON.stringify(beside)}\n\ndata: [DONE]\n\n`,
    );
    expect(error).toBeInstanceOf(APIError);
  });

  test("sees nothing of heartbeats between events", async () => {
    const beat = textOf(heartbeat);
    const { chunks, error } = await read(
      `${beat}${chunk("a")}${beat}${chunk("b")}data: [DONE]\n\n${beat}`,
    );
    expect(error).toBeUndefined();
    expect(chunks).toHaveLength(2);
  });
});
