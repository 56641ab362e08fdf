import { describe, expect, test } from "bun:test";
import OpenAI, {
  APIError,
  AuthenticationError,
  BadRequestError,
  ConflictError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from "openai";
import { writeError } from "../../../src/protocol/responses/rejection.ts";
import type { ErrorClass, WireError } from "../../../src/protocol/wire-error.ts";

/** One of the SDK's classes. */
type Thrown = abstract new (...given: never[]) => Error;

async function thrownBy(error: WireError): Promise<unknown> {
  const { status, headers, body } = writeError(error);
  const client = new OpenAI({
    apiKey: "k",
    baseURL: "http://gateway.test/v1",
    maxRetries: 0,
    fetch: () => Promise.resolve(new Response(body, { status, headers })),
  });
  return client.responses.create({ model: "m", input: "x" }).catch((one: unknown) => one);
}

describe("protocols.md 6.2, column Resp", () => {
  const INVALID = "invalid_request_error";
  test.each<[ErrorClass, number, number, string, string | null, Thrown]>([
    ["invalid_request", 400, 400, INVALID, "given", BadRequestError],
    ["context_length", 413, 400, INVALID, "context_length_exceeded", BadRequestError],
    ["request_too_large", 413, 413, INVALID, "given", APIError],
    ["unsupported", 400, 400, INVALID, "given", BadRequestError],
    ["not_found", 404, 404, INVALID, "given", NotFoundError],
    ["model_not_found", 404, 400, INVALID, "model_not_found", BadRequestError],
    ["auth", 403, 401, INVALID, "given", AuthenticationError],
    ["permission", 403, 403, INVALID, "given", PermissionDeniedError],
    ["rate_limit", 429, 429, "requests", "rate_limit_exceeded", RateLimitError],
    ["quota", 402, 429, "insufficient_quota", "insufficient_quota", RateLimitError],
    ["overloaded", 529, 503, "server_error", "given", InternalServerError],
    ["server", 520, 500, "server_error", "given", InternalServerError],
    ["bad_upstream", 502, 502, "server_error", "given", InternalServerError],
    ["timeout", 408, 504, "server_error", "given", InternalServerError],
    ["content_filter", 400, 400, INVALID, "given", BadRequestError],
    ["conflict", 409, 409, INVALID, "given", ConflictError],
    ["cancelled", 499, 499, INVALID, "given", APIError],
  ])(
    "%s of status %i: the SDK throws %i, %s, %s",
    async (kind, given, status, type, code, thrown) => {
      const error = await thrownBy({ class: kind, status: given, message: "no", code: "given" });
      expect(error).toBeInstanceOf(thrown);
      expect(error).toMatchObject({ status, type, code });
    },
  );
});

test("a context that is too long has the vendor's own sentence and field", async () => {
  const error = await thrownBy({
    class: "context_length",
    status: 400,
    message: "prompt is too long: 5 tokens > 4 maximum",
    param: "messages",
    tokens: { requested: 5, max: 4 },
  });
  expect(error).toMatchObject({ param: "input" });
  expect(String(error)).toContain(
    "Your input exceeds the context window of this model. Please adjust your input and try again.",
  );
});

test("a code that nobody gave is the vendor's own", () => {
  const codeOf = (kind: ErrorClass) =>
    (
      JSON.parse(writeError({ class: kind, status: 400, message: "no" }).body) as {
        error: { code: unknown };
      }
    ).error.code;
  expect([
    codeOf("auth"),
    codeOf("timeout"),
    codeOf("overloaded"),
    codeOf("invalid_request"),
  ]).toEqual(["invalid_api_key", "timeout", "overloaded", null]);
});

test("a rate tells which, how long, and whether to come again", () => {
  const { headers, body } = writeError({
    class: "rate_limit",
    status: 429,
    message: "no",
    limit: "tokens",
    retryAfterMs: 1500,
    shouldRetry: false,
  });
  expect(headers).toMatchObject({
    "retry-after": "2",
    "retry-after-ms": "1500",
    "x-should-retry": "false",
  });
  expect(JSON.parse(body)).toMatchObject({ error: { type: "tokens" } });
});
