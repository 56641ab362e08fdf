import { describe, expect, test } from "bun:test";
import { Cohere, CohereError } from "cohere-ai";
import fc from "fast-check";
import { writeError } from "../../../src/protocol/cohere/rejection.ts";
import { readError } from "../../../src/protocol/cohere/read-error.ts";
import type { ErrorClass, WireError } from "../../../src/protocol/wire-error.ts";
import { thrown } from "./sdk.ts";

const error = (kind: ErrorClass, change: Partial<WireError> = {}): WireError => ({
  class: kind,
  status: 418,
  message: "Something is wrong.",
  ...change,
});
const bodyOf = (one: WireError) => JSON.parse(writeError(one, "req_1").body);

/** The SDK names its classes by status; those it has no class for are plain. */
const CLASSES: readonly (readonly [ErrorClass, number, new (...args: never[]) => unknown])[] = [
  ["context_length", 400, Cohere.BadRequestError],
  ["content_filter", 400, Cohere.BadRequestError],
  ["auth", 401, Cohere.UnauthorizedError],
  ["quota", 402, CohereError],
  ["permission", 403, Cohere.ForbiddenError],
  ["not_found", 404, Cohere.NotFoundError],
  ["model_not_found", 404, Cohere.NotFoundError],
  ["conflict", 409, CohereError],
  ["request_too_large", 413, CohereError],
  ["rate_limit", 429, Cohere.TooManyRequestsError],
  ["cancelled", 499, Cohere.ClientClosedRequestError],
  ["server", 500, Cohere.InternalServerError],
  ["bad_upstream", 502, CohereError],
  ["overloaded", 503, Cohere.ServiceUnavailableError],
  ["timeout", 504, Cohere.GatewayTimeoutError],
];

describe("the official SDK throws its own class", () => {
  test.each(CLASSES)("%s: %i", async (kind, status, expected) => {
    const caught = await thrown(writeError(error(kind), "req_1"));
    expect(caught).toBeInstanceOf(expected);
    expect(caught).toMatchObject({ statusCode: status, body: { id: "req_1" } });
  });
  test.each([
    ["invalid_request", 400, Cohere.BadRequestError],
    ["invalid_request", 422, Cohere.UnprocessableEntityError],
    ["unsupported", 501, Cohere.NotImplementedError],
    ["unsupported", 400, Cohere.BadRequestError],
  ] as const)("%s of status %i", async (kind, status, expected) => {
    const caught = await thrown(writeError(error(kind, { status }), "req_1"));
    expect(caught).toBeInstanceOf(expected);
    expect(caught).toMatchObject({ body: { message: "Something is wrong." } });
  });
});

test("what is a caller's mistake never has the status of anything else", () => {
  expect(writeError(error("invalid_request", { status: 200 }), "r").status).toBe(400);
  expect(writeError(error("invalid_request", { status: 503 }), "r").status).toBe(400);
});

describe("a prompt that is too long is told in Cohere's own sentence", () => {
  test.each([
    [
      { requested: 9000, max: 8192 },
      "too many tokens: size limit exceeded by 808 tokens. Try using shorter or fewer inputs. The limit for this model is 8192 tokens.",
    ],
    [
      { max: 8192 },
      "too many tokens: size limit exceeded. Try using shorter or fewer inputs. The limit for this model is 8192 tokens.",
    ],
    [undefined, "too many tokens: size limit exceeded. Try using shorter or fewer inputs."],
  ])("with the numbers %o", (tokens, message) => {
    const one = error("context_length", { tokens });
    expect(bodyOf(one)).toEqual({ id: "req_1", message, error_type: "TOO_MANY_TOKENS" });
  });
  test("which is read back with its numbers", () => {
    const one = error("context_length", { tokens: { requested: 9000, max: 8192 } });
    const { status, headers, body } = writeError(one, "r");
    const read = readError(status, new Headers(headers), new TextEncoder().encode(body));
    expect(read).toMatchObject({ class: "context_length", tokens: { requested: 9000, max: 8192 } });
  });
});

test("how long to wait stands in the headers", () => {
  const { headers } = writeError(
    error("rate_limit", { retryAfterMs: 1500, shouldRetry: true }),
    "r",
  );
  expect(headers).toEqual({
    "content-type": "application/json",
    "retry-after": "2",
    "retry-after-ms": "1500",
    "x-should-retry": "true",
  });
});

test("whatever a message says, the body is one line of JSON that says it", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (message) => {
      const { body } = writeError(error("invalid_request", { message }), "r");
      expect(body).not.toMatch(/[\n\r]/);
      expect(JSON.parse(body).message).toBe(message);
    }),
  );
});
