import { describe, expect, test } from "bun:test";
import { refusalOf } from "../../../src/protocol/refusal.ts";
import { writeError } from "../../../src/protocol/anthropic/rejection.ts";
import { Rejection } from "../../../src/core/rejection.ts";
import type { ErrorClass, WireError } from "../../../src/protocol/wire-error.ts";
import { CLIENTS } from "./clients.ts";

/** Class of the error, its status and type here, and its name in the two SDKs. */
const TABLE: readonly (readonly [ErrorClass, number, string, string, string])[] = [
  ["invalid_request", 400, "invalid_request_error", "BadRequestError", "BadRequestError"],
  ["context_length", 400, "invalid_request_error", "BadRequestError", "BadRequestError"],
  ["request_too_large", 413, "request_too_large", "APIError", "ContentTooLargeError"],
  ["unsupported", 400, "invalid_request_error", "BadRequestError", "BadRequestError"],
  ["not_found", 404, "not_found_error", "NotFoundError", "NotFoundError"],
  ["model_not_found", 404, "not_found_error", "NotFoundError", "NotFoundError"],
  ["auth", 401, "authentication_error", "AuthenticationError", "AuthenticationError"],
  ["permission", 403, "permission_error", "PermissionDeniedError", "PermissionDeniedError"],
  ["rate_limit", 429, "rate_limit_error", "RateLimitError", "RateLimitError"],
  ["quota", 402, "billing_error", "APIError", "PaymentRequiredError"],
  ["overloaded", 529, "overloaded_error", "InternalServerError", "OverloadedError"],
  ["server", 500, "api_error", "InternalServerError", "InternalServerError"],
  ["bad_upstream", 502, "api_error", "InternalServerError", "InternalServerError"],
  ["timeout", 504, "timeout_error", "InternalServerError", "GatewayTimeoutError"],
  ["content_filter", 400, "invalid_request_error", "BadRequestError", "BadRequestError"],
  ["conflict", 409, "invalid_request_error", "ConflictError", "ConflictError"],
  ["cancelled", 499, "invalid_request_error", "APIError", "ClientClosedRequestError"],
];
const errorOf = (kind: ErrorClass, rest: Partial<WireError> = {}): WireError => ({
  class: kind,
  status: 500,
  message: "What is wrong.",
  code: "a_code",
  ...rest,
});

function responseOf(error: WireError): Response {
  const { status, headers, body } = writeError(error, "req_42");
  return new Response(body, { status, headers });
}

describe.each(TABLE)("%s", (kind, status, type, older, newer) => {
  for (const [at, client] of CLIENTS.entries()) {
    test(`throws its own class in ${client.name}`, async () => {
      const { error } = await client.create(responseOf(errorOf(kind)));
      const wanted = client.errors[at === 0 ? older : newer] as new () => Error;
      expect(error).toBeInstanceOf(wanted);
      expect((error as Error).constructor).toBe(wanted);
      expect(error).toMatchObject({ status, type, requestID: "req_42" });
      if (at === 1) expect(error).toMatchObject({ errorCode: "a_code" });
    });
  }
});

test("the newest SDK knows a vendor's own code by its class", async () => {
  const { error } = await CLIENTS[1]!.create(
    responseOf(errorOf("rate_limit", { code: "ramp_limit_exceeded" })),
  );
  expect((error as Error).constructor.name).toBe("RampLimitExceededError");
});
test("the request id stands in the header and in the body", () => {
  const { headers, body } = writeError(errorOf("server"), "req_42");
  expect(headers["request-id"]).toBe("req_42");
  expect(JSON.parse(body).request_id).toBe("req_42");
});
test("an SDK is told whether and when to try again", () => {
  const { headers } = writeError(
    errorOf("overloaded", { retryAfterMs: 1500, shouldRetry: false }),
    "r",
  );
  expect(headers).toMatchObject({
    "retry-after": "2",
    "retry-after-ms": "1500",
    "x-should-retry": "false",
  });
});

describe("a prompt that is too long", () => {
  const said = (rest: Partial<WireError>) =>
    JSON.parse(writeError(errorOf("context_length", rest), "r").body).error.message;
  test("is told in the native sentence with its numbers", () => {
    const tokens = { requested: 200_251, max: 200_000 };
    expect(said({ tokens })).toBe("prompt is too long: 200251 tokens > 200000 maximum");
  });
  test("is told so that a client that looks for the sentence finds it, numbers or not", () => {
    expect(said({ tokens: { max: 5 } })).toBe("prompt is too long: What is wrong.");
    expect(said({ message: "Prompt is too long" })).toBe("Prompt is too long");
    const native = "input length and `max_tokens` exceed context limit: 1 + 2 > 2";
    expect(said({ message: native })).toBe(native);
  });
});

test.each([
  [405, { kind: "method_not_allowed", allow: "POST" }],
  [415, { kind: "unsupported_media_type", detail: "d" }],
  [400, { kind: "malformed", param: "a", detail: "d" }],
  [529, { kind: "draining" }],
] as const)("a refusal of ours has the status %i: %j", (status, reason) => {
  expect(writeError(refusalOf(new Rejection(reason)), "r").status).toBe(status);
});
