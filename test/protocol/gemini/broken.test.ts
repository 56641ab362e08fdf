import { describe, expect, test } from "bun:test";
import { ApiError } from "@google/genai";
import type { BrokenStream } from "../../../src/protocol/dialect.ts";
import { heartbeat, writeStreamError } from "../../../src/protocol/gemini/broken.ts";
import { streamTap } from "../../../src/protocol/gemini/tap.ts";
import { array, CALL, sdkOn, sse, streamOf, textOf, utf8 } from "./harness.ts";

const BROKEN: BrokenStream = {
  mode: "surface",
  why: "truncated",
  requestId: "req_1",
  atBoundary: true,
  id: "r-7",
  model: "m-1",
};
const written = (change: Partial<BrokenStream> = {}) =>
  textOf(writeStreamError({ ...BROKEN, ...change }));
const CHUNK = { candidates: [{ content: { parts: [{ text: "Hi" }], role: "model" }, index: 0 }] };

async function seen(stream: string) {
  const client = sdkOn(() => streamOf(stream));
  const texts: (string | undefined)[] = [];
  try {
    for await (const { text } of await client.models.generateContentStream(CALL)) texts.push(text);
  } catch (error) {
    return { texts, error };
  }
  return { texts, error: undefined };
}

describe("surface", () => {
  test.each([
    ["truncated", 502, "UNAVAILABLE"],
    ["timeout", 504, "DEADLINE_EXCEEDED"],
    ["shutdown", 503, "UNAVAILABLE"],
    ["bug", 500, "INTERNAL"],
  ] as const)("is one error that the SDK throws: %s", async (why, status, word) => {
    const { texts, error } = await seen(sse(CHUNK) + written({ why }));
    expect(texts).toEqual(["Hi"]);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status, message: expect.stringContaining(word) });
  });
  test("throws wherever the stream was cut", async () => {
    const body = utf8(sse(CHUNK, CHUNK));
    for (let end = 1; end < body.length; end++) {
      const tap = streamTap();
      tap.feed(body.slice(0, end));
      const { atBoundary } = tap;
      const { error } = await seen(textOf(body.slice(0, end)) + written({ atBoundary }));
      expect(error).toBeDefined();
    }
  });
  test("says nothing of what stands behind us", () => {
    const words = /url|connect|upstream|proxy|gateway|backend|lane|translat/i;
    expect(written()).not.toMatch(words);
  });
});

test("graceful is one more chunk of the stream's own identity, on which no SDK throws", async () => {
  const { texts, error } = await seen(sse(CHUNK) + written({ mode: "graceful" }));
  expect(error).toBeUndefined();
  expect(texts).toEqual(["Hi", ""]);
  const tap = streamTap();
  tap.feed(utf8(sse(CHUNK) + written({ mode: "graceful" })));
  expect([tap.complete, tap.id, tap.model]).toEqual([true, "r-7", "m-1"]);
});

describe("in an array", () => {
  const framing = "json-array";
  test("the error is its last element, between two of them", () => {
    const open = array(CHUNK).replace(/\]\n$/, "");
    const [first, last, ...more] = JSON.parse(open + written({ framing, atBoundary: false }));
    expect(first).toEqual(CHUNK);
    expect(last).toMatchObject({ error: { code: 502 } });
    expect(more).toEqual([]);
  });
  test("one cut in an element does not parse", () => {
    const body = array(CHUNK, CHUNK);
    const open = body.indexOf("{");
    for (let end = open + 1; end < body.lastIndexOf("}"); end++) {
      const cut = body.slice(0, end);
      if (cut.trimEnd().endsWith("\n}")) continue; // Between the two.
      expect(() => JSON.parse(cut + written({ framing, atBoundary: false }))).toThrow();
    }
  });
});

test("a heartbeat between two chunks is nothing to the SDK", async () => {
  const { texts, error } = await seen(sse(CHUNK) + textOf(heartbeat) + sse(CHUNK));
  expect(error).toBeUndefined();
  expect(texts).toEqual(["Hi", "Hi"]);
});
