import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import type { Fault } from "../../../src/core/fault.ts";
import type { ErrorClass } from "../../../src/protocol/wire-error.ts";
import { readFault } from "../../../src/protocol/responses/fault.ts";
import { readError } from "../../../src/protocol/responses/read-error.ts";
import { fixture, haveRecordings, NO_RECORDINGS } from "../../faultd/recordings.ts";
import { errors, objectOf, utf8 } from "./recorded.ts";

const none = new Headers();
const both = (status: number, body: unknown, headers = none) => {
  const bytes = utf8(typeof body === "string" ? body : JSON.stringify(body));
  const error = readError(status, headers, bytes);
  return { class: error.class, fault: readFault(status, headers, bytes).kind, error };
};

describe("an error answer", () => {
  const error = (code: unknown, message = "no", type = "invalid_request_error") => ({
    error: { code, message, type, param: null },
  });
  test.each<[string, number, unknown, ErrorClass, Fault["kind"]]>([
    ["wrong key", 401, error("invalid_api_key"), "auth", "auth"],
    [
      "xAI's wrong key",
      400,
      { code: "invalid-argument", error: "Incorrect API key provided. See x.ai." },
      "auth",
      "auth",
    ],
    ["no access", 403, error(null), "permission", "auth"],
    ["no model", 400, error("model_not_found"), "model_not_found", "client_error"],
    ["no deployment", 404, error("DeploymentNotFound"), "model_not_found", "client_error"],
    ["no such response", 404, error(null), "not_found", "client_error"],
    ["a bad value", 400, error("invalid_value"), "invalid_request", "client_error"],
    ["too long", 400, error("context_length_exceeded"), "context_length", "context_length"],
    [
      "too long, in words",
      400,
      error(null, "Your input exceeds the context window of this model."),
      "context_length",
      "context_length",
    ],
    ["too large", 413, "", "request_too_large", "client_error"],
    ["a rate", 429, error("rate_limit_exceeded"), "rate_limit", "rate_limited"],
    [
      "a rate no waiting helps",
      429,
      error("rate_limit_exceeded", "Request too large for gpt-4o in organization org-redacted on"),
      "request_too_large",
      "client_error",
    ],
    ["no money", 429, error("insufficient_quota"), "quota", "billing"],
    ["no balance", 402, error("invalid_request_error", "Insufficient Balance"), "quota", "billing"],
    ["a filter", 400, error("content_filter"), "content_filter", "client_error"],
    ["overloaded", 503, error(null), "overloaded", "overloaded"],
    [
      "overloaded, in words",
      500,
      error("server_error", "currently overloaded"),
      "overloaded",
      "overloaded",
    ],
    ["broken", 500, error("server_error"), "server", "server_error"],
    [
      "broken with a caller's code",
      500,
      error("context_length_exceeded"),
      "server",
      "server_error",
    ],
    ["a page of a proxy", 400, "<html>no</html>", "bad_upstream", "server_error"],
    ["a bad gateway", 502, "", "bad_upstream", "server_error"],
    ["late", 504, "", "timeout", "timeout"],
    ["a conflict", 409, error(null), "conflict", "client_error"],
    [
      "a failed response",
      200,
      { status: "failed", error: { code: "server_error" } },
      "server",
      "server_error",
    ],
    [
      "a caller's error inside a 200",
      200,
      { error: { type: "invalid_request_error" } },
      "invalid_request",
      "client_error",
    ],
    [
      "OpenRouter's, with the host's own inside",
      400,
      {
        error: {
          message: "Provider returned error",
          code: 400,
          metadata: { raw: '{"error":{"message":"maximum context length is 10 tokens"}}' },
        },
      },
      "context_length",
      "context_length",
    ],
    [
      "OpenRouter's moderation",
      403,
      {
        error: { message: "flagged", code: 403, metadata: { reasons: ["x"], flagged_input: "y" } },
      },
      "content_filter",
      "client_error",
    ],
    ["a list", 400, [{ error: { code: "content_filter" } }], "content_filter", "client_error"],
  ])("%s", (_, status, body, kind, fault) => {
    expect(both(status, body)).toMatchObject({ class: kind, fault });
  });
  test.each([
    [
      "in a caller's words",
      400,
      error("invalid_value", "Invalid 'input': 'rate_limit_exceeded 429'"),
      "invalid_request",
    ],
    [
      "beside the error",
      400,
      { prompt: "insufficient_quota", ...error("invalid_value") },
      "invalid_request",
    ],
    [
      "behind the beginning",
      400,
      error(null, "Unknown 'x': incorrect api key provided"),
      "invalid_request",
    ],
  ])("a word %s is none", (_, status, body, kind) => {
    expect(both(status, body).class).toBe(kind as ErrorClass);
  });
  test("a rate that no waiting helps has a status no SDK tries again", () => {
    const found = both(429, error("rate_limit_exceeded", "Request too large for gpt-4o")).error;
    expect([found.status, found.shouldRetry]).toEqual([413, false]);
  });
  test("a wait is heard where it means something", () => {
    const headers = new Headers({ "retry-after": "2" });
    expect(both(429, error("rate_limit_exceeded"), headers).error.retryAfterMs).toBe(2000);
    expect(both(400, error(null), headers).error.retryAfterMs).toBeUndefined();
    expect(readFault(503, headers, utf8(""))).toEqual({ kind: "overloaded", retryAfterMs: 2000 });
  });
  test.each([
    [
      "maximum context length is 4097 tokens. However, your messages resulted in 4294 tokens.",
      4294,
      4097,
    ],
    [
      "maximum context length is 8192 tokens. However, you requested 8203 tokens (7691 in",
      8203,
      8192,
    ],
    ["request (13392 tokens) exceeds the available context size (8192 tokens)", 13392, 8192],
    ["prompt is too long: 12 tokens > 10 maximum", 12, 10],
  ])("%s: its numbers", (message, requested, max) => {
    const { error: found } = both(400, error("context_length_exceeded", message));
    expect(found.tokens).toEqual({ requested, max });
  });
  test("what is the operator's own is not told", () => {
    const message =
      "Rate limit reached for gpt-4 in organization org-abcdef123456 project proj_abcdef1234 " +
      "key sk-proj-abc123 account 123456789012. Incorrect API key provided: abc****def. Go on.";
    const { error: found } = both(429, error("rate_limit_exceeded", message, "tokens"));
    expect(found.message).not.toMatch(/abc|1234/);
    expect(found.message).toContain("Rate limit reached for gpt-4");
    expect(found.limit).toBe("tokens");
  });
});

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  test.each(errors)("$name is the caller's or the key's", ({ status, response }) => {
    const body = objectOf(response);
    const { class: kind, fault, error } = both(status, new TextDecoder().decode(response));
    expect(["auth", "client_error", "context_length"]).toContain(fault);
    expect(error.status).toBe(status);
    const inner = (body["error"] ?? {}) as { code?: unknown };
    if (inner.code === "model_not_found") expect(kind).toBe("model_not_found");
    if (inner.code === "context_length_exceeded") expect(kind).toBe("context_length");
    if (inner.code === "invalid_api_key") expect(kind).toBe("auth");
  });
  const documented: {
    protocol: string;
    status: number;
    where: string;
    kind: string;
    headers: Record<string, string>;
    body: unknown;
  }[] = haveRecordings
    ? JSON.parse(readFileSync(fixture("errors-documented/errors.json"), "utf8"))
    : [];
  const KINDS: Readonly<Record<string, ErrorClass>> = {
    quota: "quota",
    billing: "quota",
    rate_limit: "rate_limit",
    request_too_large_for_tpm: "request_too_large",
    context_length: "context_length",
    content_filter: "content_filter",
    capacity: "overloaded",
    overloaded: "overloaded",
  };
  const buffered = documented.filter(
    ({ protocol, where, kind }) =>
      /^openai/.test(protocol) && where === "buffered" && kind in KINDS,
  );
  test.each(buffered)("documented: $kind of status $status", ({ status, headers, body, kind }) => {
    expect(both(status, body, new Headers(headers)).class).toBe(KINDS[kind]!);
  });
});

test("whatever stands in it, it is read without a throw and in linear time", () => {
  const property = fc.property(
    fc.integer({ min: 100, max: 700 }),
    fc.oneof(fc.json(), fc.string()),
    (status, body) => {
      expect(both(status, body).error.message.length).toBeGreaterThan(0);
    },
  );
  fc.assert(property, { numRuns: 300 });
  const long = `maximum context length is ${"1".repeat(100_000)} in organization ${"sk-".repeat(50_000)}`;
  expect(both(400, { error: { message: long } }).error.message.length).toBeLessThan(5000);
});
