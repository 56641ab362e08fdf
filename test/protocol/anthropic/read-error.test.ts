import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { errorOfEvent, readError } from "../../../src/protocol/anthropic/read-error.ts";
import { writeError } from "../../../src/protocol/anthropic/rejection.ts";
import type { ErrorClass } from "../../../src/protocol/wire-error.ts";
import { utf8 } from "./pieces.ts";

const NONE = new Headers();
const error = (type: string, message = "m", details?: object) => ({
  type: "error",
  error: { type, message, details },
});
const read = (status: number, body: unknown) => readError(status, NONE, utf8(JSON.stringify(body)));

test.each<[ErrorClass, string | undefined, number, object]>([
  ["invalid_request", undefined, 400, error("invalid_request_error", "messages.0: bad")],
  [
    "context_length",
    "context_length_exceeded",
    400,
    error("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"),
  ],
  ["request_too_large", "request_too_large", 413, error("request_too_large")],
  ["model_not_found", "model_not_found", 404, error("not_found_error", "model: claude-x")],
  ["not_found", undefined, 404, error("not_found_error", "Not found")],
  ["auth", "invalid_api_key", 401, error("authentication_error")],
  ["permission", undefined, 403, error("permission_error")],
  ["quota", "insufficient_quota", 402, error("billing_error")],
  [
    "quota",
    "insufficient_quota",
    400,
    error("invalid_request_error", "Your credit balance is too low to…"),
  ],
  [
    "quota",
    "enforced_spend_limit_reached",
    429,
    error("rate_limit_error", "m", { error_code: "enforced_spend_limit_reached" }),
  ],
  ["rate_limit", "rate_limit_exceeded", 429, error("rate_limit_error")],
  [
    "invalid_request",
    "tool_name_conflict",
    400,
    error("invalid_request_error", "m", { error_code: "tool_name_conflict" }),
  ],
  ["server", undefined, 500, error("api_error")],
  ["bad_upstream", undefined, 502, error("api_error")],
  ["timeout", "timeout", 504, error("timeout_error")],
  ["overloaded", "overloaded", 529, error("overloaded_error")],
  ["conflict", undefined, 409, error("invalid_request_error")],
])("%s (%s) is read out of %i %j", (kind, code, status, body) => {
  expect(read(status, body)).toMatchObject({ class: kind, status });
  expect(read(status, body).code).toBe(code!);
});

test.each<[ErrorClass, string]>([
  ["overloaded", "overloaded_error"],
  ["rate_limit", "rate_limit_error"],
  ["server", "api_error"],
  ["auth", "authentication_error"],
  ["permission", "permission_error"],
  ["quota", "billing_error"],
  ["invalid_request", "invalid_request_error"],
  ["timeout", "timeout_error"],
])("%s is read out of an event of type %s", (kind, type) => {
  expect(errorOfEvent(error(type)).class).toBe(kind);
});

test("the numbers of a prompt that is too long are read out of both sentences", () => {
  const alone = "prompt is too long: 200251 tokens > 200000 maximum";
  const both =
    "input length and `max_tokens` exceed context limit: 143653 + 64000 > 200000, decrease …";
  expect(read(400, error("invalid_request_error", alone)).tokens).toEqual({
    requested: 200_251,
    max: 200_000,
  });
  expect(read(400, error("invalid_request_error", both)).tokens).toEqual({
    requested: 207_653,
    max: 200_000,
  });
  expect(read(400, error("invalid_request_error", "prompt is too long")).tokens).toBeUndefined();
});
test("which rate is used up is read out of the message", () => {
  const message = "This request would exceed the rate limit of 20,000 input tokens per minute.";
  expect(read(429, error("rate_limit_error", message)).limit).toBe("tokens");
  expect(read(429, error("rate_limit_error", "Number of requests …")).limit).toBe("requests");
});
test("nothing that names an account or a key is handed on", () => {
  const message =
    "the rate limit for your organization (00000000-0000-4000-8000-000000000000), key sk-ant-api03-abc_DEF-9, " +
    "project projects/my-company-1 and account 123456789012 is 20,000 tokens";
  expect(read(429, error("rate_limit_error", message)).message).toBe(
    "the rate limit for your organization ([redacted]), key [redacted], " +
      "project [redacted] and account [redacted] is 20,000 tokens",
  );
});
test("a wait is handed on where one may be asked for", () => {
  const headers = new Headers({ "retry-after": "7" });
  const of = (status: number) => readError(status, headers, utf8("{}")).retryAfterMs;
  expect([of(429), of(529), of(400)]).toEqual([7000, 7000, undefined]);
});

describe("any body", () => {
  test("has an error that can be written again", () => {
    const body = fc.oneof(fc.json(), fc.string(), fc.constant("<html>"));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999 }), body, (status, text) => {
        const said = readError(status, NONE, utf8(text));
        expect(said.message).not.toBe("");
        const { status: written, body: again } = writeError(said, "req_1");
        expect(written).toBeGreaterThanOrEqual(400);
        expect(JSON.parse(again)).toMatchObject({
          type: "error",
          error: { message: expect.any(String) },
        });
      }),
    );
  });
  test("is read in linear time", () => {
    const long = error("invalid_request_error", `prompt is too long: ${"1".repeat(1e6)} tokens`);
    expect(read(400, long).class).toBe("context_length");
    expect(read(400, error("invalid_request_error", "-".repeat(1e6))).message.length).toBeLessThan(
      5000,
    );
  });
});
