import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readEndError, readError } from "../../../src/protocol/cohere/read-error.ts";

const read = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  readError(status, new Headers(headers), new TextEncoder().encode(JSON.stringify(body)));

describe("what an error answer says", () => {
  test.each([
    [401, "auth"],
    [402, "quota"],
    [403, "permission"],
    [404, "model_not_found"],
    [422, "invalid_request"],
    [498, "content_filter"],
    [501, "server"],
    [503, "overloaded"],
  ])("with %i is %s", (status, kind) => {
    expect(read(status, { message: "x", id: "1" })).toMatchObject({
      class: kind as "auth",
      status,
      message: "x",
    });
  });
  test.each([
    [
      "too many tokens: size limit exceeded by 11326 tokens. The limit for this model is 8192 tokens.",
      { requested: 19518, max: 8192 },
    ],
    [
      "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 4292.",
      { requested: 4292, max: 4081 },
    ],
    ["too many tokens", undefined],
  ])("has the numbers of %s", (message, tokens) => {
    const error = read(400, { message });
    expect(error.class).toBe("context_length");
    expect(error.tokens).toEqual(tokens);
  });
  test("names no key and no account", () => {
    const key = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcd";
    const message = `key ${key} of org-a1b2c3d4 (sk-proj-****abcd) at 1f774166-0ca9-4885-8622-b7f549a38978, 123456789012`;
    expect(read(400, { message }).message).toBe(
      "key [redacted] of [redacted] ([redacted]) at [redacted], [redacted]",
    );
    const plain = "Co-operation of key-value pairs is org-wide: see https://docs.cohere.com";
    expect(read(400, { message: plain }).message).toBe(plain);
  });
  test("is something even where there is nothing", () =>
    expect(read(500, null).message).toBe("The model failed to answer."));
  test("tells how long to wait where it means something", () => {
    expect(read(429, { message: "x" }, { "retry-after": "3" }).retryAfterMs).toBe(3000);
    expect(read(400, { message: "x" }, { "retry-after": "3" }).retryAfterMs).toBeUndefined();
  });
  test("is survived whatever it is", () => {
    fc.assert(fc.property(fc.jsonValue(), (body) => expect(read(400, body).message).not.toBe("")));
  });
});

describe("how an answer ended", () => {
  test.each([
    [
      { finish_reason: "ERROR", error: "x", error_type: "INVALID_TOOL_GENERATION" },
      "bad_upstream",
      502,
    ],
    [{ finish_reason: "ERROR" }, "server", 500],
    [{ finish_reason: "TIMEOUT" }, "timeout", 504],
  ])("%o is an error", (delta, kind, status) =>
    expect(readEndError(delta)).toMatchObject({ class: kind as "server", status }),
  );
  test.each(["COMPLETE", "ERROR_TOXIC", "ERROR_LIMIT", "constructor"])("%s is none", (word) =>
    expect(readEndError({ finish_reason: word })).toBeUndefined(),
  );
});
