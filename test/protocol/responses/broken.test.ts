import { describe, expect, test } from "bun:test";
import OpenAI, { APIError } from "openai";
import type { BrokenStream } from "../../../src/protocol/dialect.ts";
import { heartbeat, writeStreamError } from "../../../src/protocol/responses/broken.ts";
import { streamTap } from "../../../src/protocol/responses/tap.ts";
import { sse, textOf, utf8, wireEvents } from "./recorded.ts";

const BROKEN: BrokenStream = {
  mode: "surface",
  why: "truncated",
  requestId: "req_1",
  atBoundary: true,
  id: "resp_7",
  model: "m-1",
};
const written = (change: Partial<BrokenStream> = {}) =>
  textOf(writeStreamError({ ...BROKEN, ...change }));
const begun = sse({ type: "response.created", response: { id: "resp_7", output: [] } });

async function sdkReads(body: string, accumulate: boolean): Promise<unknown> {
  const client = new OpenAI({
    apiKey: "k",
    baseURL: "http://gateway.test/v1",
    maxRetries: 0,
    fetch: () =>
      Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } })),
  });
  if (accumulate) return client.responses.stream({ model: "m", input: "x" }).finalResponse();
  const seen: unknown[] = [];
  for await (const event of await client.responses.create({
    model: "m",
    input: "x",
    stream: true,
  })) {
    seen.push(event.type);
  }
  return seen;
}

describe("surface", () => {
  test.each([
    ["truncated", "stream_truncated"],
    ["timeout", "stream_timeout"],
    ["shutdown", "stream_shutdown"],
    ["bug", "stream_error"],
  ] as const)("is an error, flat and nested, and a failed response: %s", (why, code) => {
    expect(wireEvents(written({ why }))).toMatchObject([
      {
        type: "error",
        code,
        param: null,
        error: { code, type: "upstream_error", request_id: "req_1" },
      },
      {
        type: "response.failed",
        response: { id: "resp_7", model: "m-1", status: "failed", error: { code: "server_error" } },
      },
    ]);
  });
  test("closes a partial event first", () => {
    expect(written({ atBoundary: false })).toBe(`\n\n${written()}`);
  });
  test("makes both of the SDK's readers throw", async () => {
    for (const accumulate of [true, false]) {
      const thrown = await sdkReads(begun + written(), accumulate).catch((one: unknown) => one);
      expect(thrown).toBeInstanceOf(APIError);
      expect(thrown).toMatchObject({ code: "stream_truncated", type: "upstream_error" });
    }
  });
});

describe("graceful", () => {
  test("is one incomplete response of the stream's own identity, and nobody throws", async () => {
    const last = written({ mode: "graceful" });
    expect(wireEvents(last)).toMatchObject([
      {
        type: "response.incomplete",
        response: { id: "resp_7", model: "m-1", status: "incomplete" },
      },
    ]);
    expect(await sdkReads(begun + last, false)).toEqual([
      "response.created",
      "response.incomplete",
    ]);
    expect(await sdkReads(begun + last, true)).toMatchObject({ status: "incomplete" });
  });
  test("has an identity even where the stream had none", () => {
    const [last] = wireEvents(written({ mode: "graceful", id: undefined, model: undefined }));
    expect(last).toMatchObject({ response: { id: expect.stringMatching(/^resp_/), model: "" } });
  });
});

test("a heartbeat is no event", () => {
  const tap = streamTap();
  tap.feed(utf8(textOf(heartbeat)));
  expect([tap.eventCount, tap.atBoundary]).toEqual([0, true]);
});
