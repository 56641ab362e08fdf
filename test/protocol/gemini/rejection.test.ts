import { describe, expect, test } from "bun:test";
import { ApiError } from "@google/genai";
import { Rejection } from "../../../src/core/rejection.ts";
import { readError } from "../../../src/protocol/gemini/read-error.ts";
import { writeError } from "../../../src/protocol/gemini/rejection.ts";
import { refusalOf } from "../../../src/protocol/refusal.ts";
import type { ErrorClass, WireError } from "../../../src/protocol/wire-error.ts";
import { answerOf, CALL, sdkOn, utf8 } from "./harness.ts";

const errorOf = (kind: ErrorClass, rest: Partial<WireError> = {}): WireError => ({
  class: kind,
  status: 400,
  message: "m",
  ...rest,
});
const written = (error: WireError) => {
  const { status, headers, body } = writeError(error, "req_1");
  return { status, headers, body: JSON.parse(body) };
};

describe("an error is Google's own, and its SDK throws it with its status", () => {
  test.each([
    ["invalid_request", 400, "INVALID_ARGUMENT"],
    ["context_length", 400, "INVALID_ARGUMENT"],
    ["request_too_large", 413, "INVALID_ARGUMENT"],
    ["unsupported", 400, "INVALID_ARGUMENT"],
    ["not_found", 404, "NOT_FOUND"],
    ["model_not_found", 404, "NOT_FOUND"],
    ["auth", 401, "UNAUTHENTICATED"],
    ["permission", 403, "PERMISSION_DENIED"],
    ["rate_limit", 429, "RESOURCE_EXHAUSTED"],
    ["quota", 429, "RESOURCE_EXHAUSTED"],
    ["overloaded", 503, "UNAVAILABLE"],
    ["server", 500, "INTERNAL"],
    ["bad_upstream", 502, "UNAVAILABLE"],
    ["timeout", 504, "DEADLINE_EXCEEDED"],
    ["conflict", 409, "ABORTED"],
    ["cancelled", 499, "CANCELLED"],
  ] as const)("%s is %d %s", async (kind, status, word) => {
    const { body, headers, status: sent } = writeError(errorOf(kind), "req_1");
    expect(sent).toBe(status);
    expect(headers["content-type"]).toBe("application/json");
    expect(JSON.parse(body).error).toMatchObject({ code: status, status: word, message: "m" });
    for (const stream of [false, true]) {
      const { models } = sdkOn(() => answerOf(body, sent));
      const called = stream ? models.generateContentStream(CALL) : models.generateContent(CALL);
      const error = await (called as Promise<unknown>).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(ApiError);
      expect((error as ApiError).status).toBe(status);
      expect(JSON.parse((error as ApiError).message)).toEqual(JSON.parse(body));
    }
  });

  test("every refusal of ours has a status of 400 to 599", () => {
    const reason = { kind: "method_not_allowed", allow: "POST" } as const;
    expect(written(refusalOf(new Rejection(reason)))).toMatchObject({
      status: 405,
      headers: { allow: "POST" },
      body: { error: { code: 405, status: "INVALID_ARGUMENT" } },
    });
  });
});

describe("a refused prompt", () => {
  const refused = errorOf("content_filter", { message: "no" });
  test("is an answer without candidates", async () => {
    const { status, body } = writeError(refused, "req_1");
    const read = await sdkOn(() => answerOf(body, status)).models.generateContent(CALL);
    expect(read.promptFeedback?.blockReason as string).toBe("PROHIBITED_CONTENT");
    expect(read.candidates).toBeUndefined();
  });
  test("is an error to who asked for a stream", async () => {
    const { status, body } = writeError(refused, "req_1");
    const stream = await sdkOn(() => answerOf(body, status)).models.generateContentStream(CALL);
    const error = await stream.next().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).status).toBe(400);
  });
});

describe("details", () => {
  const detailsOf = (error: WireError) => written(error).body.error.details as object[];
  test("tell how long to wait, in the body and in the headers", () => {
    const error = errorOf("rate_limit", { retryAfterMs: 34_400, shouldRetry: true });
    const retry = "type.googleapis.com/google.rpc.RetryInfo";
    expect(detailsOf(error)).toContainEqual({ "@type": retry, retryDelay: "34.4s" });
    expect(written(error).headers).toMatchObject({
      "retry-after": "35",
      "retry-after-ms": "34400",
      "x-should-retry": "true",
    });
    expect(JSON.stringify(detailsOf(errorOf("quota", { retryAfterMs: 1 })))).not.toContain(retry);
  });
  test("name the field, the bad key, and the request", () => {
    expect(detailsOf(errorOf("invalid_request", { param: "contents" }))).toEqual([
      {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        fieldViolations: [{ field: "contents", description: "m" }],
      },
      { "@type": "type.googleapis.com/google.rpc.RequestInfo", requestId: "req_1" },
    ]);
    expect(JSON.stringify(detailsOf(errorOf("auth")))).toContain('"API_KEY_INVALID"');
  });
  test("a prompt that is too long is Google's own sentence, with its numbers", () => {
    const tokens = { requested: 7, max: 5 };
    const sentence = "The input token count (7) exceeds the maximum number of tokens allowed (5).";
    const { error } = written(errorOf("context_length", { tokens })).body;
    expect(error.message).toBe(sentence);
    const body = utf8(JSON.stringify({ error }));
    expect(readError(400, new Headers(), body)).toMatchObject({ class: "context_length", tokens });
    const unknown = written(errorOf("context_length", { tokens: { max: 5 } })).body.error.message;
    expect(unknown).toBe("The input token count exceeds the maximum number of tokens allowed (5).");
  });
});
