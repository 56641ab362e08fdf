import { describe, expect, test } from "bun:test";
import { Rejection, type Reason } from "../../../src/core/rejection.ts";
import { readError } from "../../../src/protocol/bedrock/read-error.ts";
import { writeError } from "../../../src/protocol/bedrock/rejection.ts";
import { refusalOf } from "../../../src/protocol/refusal.ts";
import type { ErrorClass, WireError } from "../../../src/protocol/wire-error.ts";
import { converse, converseStream, thrownBy } from "./sdk.ts";
import { utf8 } from "./pieces.ts";

const error = (kind: ErrorClass, rest: Partial<WireError> = {}): WireError => ({
  class: kind,
  status: 418,
  message: "What is wrong.",
  ...rest,
});

/** protocols.md §6.2, and the classes of the SDK's `models/errors`. */
const TABLE: readonly (readonly [ErrorClass, number, string, string])[] = [
  ["invalid_request", 400, "ValidationException", "ValidationException"],
  ["context_length", 400, "ValidationException", "ValidationException"],
  ["request_too_large", 413, "ValidationException", "ValidationException"],
  ["unsupported", 400, "ValidationException", "ValidationException"],
  ["not_found", 404, "ResourceNotFoundException", "ResourceNotFoundException"],
  ["model_not_found", 400, "ValidationException", "ValidationException"],
  ["auth", 403, "UnrecognizedClientException", "BedrockRuntimeServiceException"],
  ["permission", 403, "AccessDeniedException", "AccessDeniedException"],
  ["rate_limit", 429, "ThrottlingException", "ThrottlingException"],
  ["quota", 400, "ServiceQuotaExceededException", "ServiceQuotaExceededException"],
  ["overloaded", 503, "ServiceUnavailableException", "ServiceUnavailableException"],
  ["server", 500, "InternalServerException", "InternalServerException"],
  ["bad_upstream", 424, "ModelErrorException", "ModelErrorException"],
  ["timeout", 408, "ModelTimeoutException", "ModelTimeoutException"],
  ["content_filter", 400, "ValidationException", "ValidationException"],
  ["conflict", 400, "ConflictException", "ConflictException"],
  ["cancelled", 418, "ValidationException", "ValidationException"],
];

describe("every class of error", () => {
  for (const [kind, status, name, thrown] of TABLE) {
    test(`${kind} is thrown by the SDK as ${thrown}, with status, message and id`, async () => {
      const answer = writeError(error(kind), "req-7");
      for (const call of [converse, converseStream]) {
        const seen = await thrownBy(call(answer));
        expect(seen).toMatchObject({ name, class: thrown, status, requestId: "req-7" });
        expect(seen?.message).toBe(JSON.parse(answer.body).message);
      }
    });

    test(`${kind} is read again as it was written`, () => {
      const { headers, body, status: written } = writeError(error(kind), "req-7");
      const read = readError(written, new Headers(headers), utf8(body));
      const same: Partial<Record<ErrorClass, ErrorClass>> = {
        unsupported: "invalid_request",
        content_filter: "invalid_request",
        cancelled: "invalid_request",
        not_found: "model_not_found",
      };
      expect(read.class).toBe(same[kind] ?? kind);
    });
  }
});

describe("the body of an error", () => {
  const messageOf = (wire: WireError): string => JSON.parse(writeError(wire, "r").body).message;

  test("holds a message and nothing else", () => {
    const answer = writeError(error("invalid_request", { code: "x", param: "y" }), "r");
    expect(JSON.parse(answer.body)).toEqual({ message: "What is wrong." });
  });

  test("of a prompt that is too long opens with Bedrock's own sentence, its numbers behind it", () => {
    expect(messageOf(error("context_length"))).toBe("Input is too long for requested model.");
    const tokens = { requested: 210_000, max: 200_000 };
    expect(messageOf(error("context_length", { tokens }))).toBe(
      "Input is too long for requested model. prompt is too long: 210000 tokens > 200000 maximum",
    );
  });

  test("of an unknown model opens with Bedrock's own sentence", () => {
    expect(messageOf(error("model_not_found"))).toBe(
      "The provided model identifier is invalid. What is wrong.",
    );
  });
});

describe("the headers of an error", () => {
  test("say when to try again", () => {
    const { headers } = writeError(error("rate_limit", { retryAfterMs: 1500 }), "r");
    expect(headers).toMatchObject({ "retry-after": "2", "retry-after-ms": "1500" });
  });

  test("carry what the error brings along", () => {
    const { headers } = writeError(error("auth", { headers: { allow: "POST" } }), "r");
    expect(headers["allow"]).toBe("POST");
  });
});

test("a refusal of ours is thrown with its own words", async () => {
  const reasons: readonly Reason[] = [
    { kind: "malformed", param: "messages[0]", detail: "'messages[0]' must be an object" },
    { kind: "rate_limited", limit: "rpm", retryAfterMs: 900 },
    { kind: "bug" },
  ];
  const names = [];
  for (const reason of reasons) {
    const answer = writeError(refusalOf(new Rejection(reason)), "r");
    names.push((await thrownBy(converse(answer)))?.name);
  }
  expect(names).toEqual(["ValidationException", "ThrottlingException", "InternalServerException"]);
});
