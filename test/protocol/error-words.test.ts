import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { errorWords, eventWords } from "../../src/protocol/error-words.ts";

const utf8 = new TextEncoder();
const read = (body: unknown, headers: Record<string, string> = {}) =>
  errorWords(400, new Headers(headers), utf8.encode(JSON.stringify(body)));

/** Each vendor's envelope around one code: protocols.md 6.1. */
const ENVELOPES: readonly (readonly [string, (code: string) => unknown])[] = [
  ["OpenAI", (code) => ({ error: { message: "m", type: "t", code } })],
  ["vLLM", (code) => ({ object: "error", message: "m", type: "t", code })],
  ["Anthropic", (code) => ({ type: "error", error: { type: code, message: "m" } })],
  ["Gemini", (code) => [{ error: { code: 400, status: code, message: "m" } }]],
  [
    "a detail of Gemini's",
    (code) => ({ error: { code: 400, details: [{ "@type": "x", reason: code }] } }),
  ],
  ["AWS", (code) => ({ __type: `com.amazon#${code}`, message: "m" })],
  ["Cloudflare", (code) => ({ success: false, errors: [{ code, message: "m" }] })],
  ["MiniMax", (code) => ({ base_resp: { status_code: code, status_msg: "m" } })],
  ["FastAPI", (code) => ({ detail: { code, message: "m" } })],
  ["Azure", (code) => ({ error: { code: "x", innererror: { code } } })],
  ["a failed response", (code) => ({ type: "response.failed", response: { error: { code } } })],
  [
    "OpenRouter, around its host's",
    (code) => ({
      error: { code: 400, message: "m", metadata: { raw: JSON.stringify({ error: { code } }) } },
    }),
  ],
];

describe("an error's code is found in the envelope of", () => {
  for (const [vendor, around] of ENVELOPES) {
    test(vendor, () => {
      for (const words of [read(around("Some_Code")), eventWords(around("Some_Code"))]) {
        expect([...words.codes, ...words.types]).toContain("some_code");
      }
    });
  }
});

test("AWS names an error in a header", () => {
  const headers = { "x-amzn-errortype": "ThrottlingException:http://x.example/" };
  expect(read({}, headers).codes).toContain("throttlingexception");
});

test("a number is a code, and in an event a status", () => {
  expect(read({ error: { code: 1113 } }).codes).toContain("1113");
  expect(read({ error: { code: 503 } }).status).toBe(400);
  expect(eventWords({ error: { code: 503 } }).status).toBe(503);
  expect(eventWords({ error: { code: 1113 } }).status).toBe(0);
});

test("whatever the body is, there are words or none, in lower case, and no end without one", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const { codes, types, messages } = errorWords(400, new Headers(), utf8.encode(text));
      for (const one of [...codes, ...types, ...messages]) expect(one).toBe(one.toLowerCase());
    }),
  );
  let deep: object = { code: "x" };
  for (let depth = 0; depth < 200; depth++) deep = { error: deep };
  expect(read(deep).codes).toEqual([]);
});
