import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import OpenAI, { APIError } from "openai";
import type { Fault } from "../../../src/core/fault.ts";
import { type Reason, Rejection, statusOf } from "../../../src/core/rejection.ts";
import { writeError } from "../../../src/protocol/openai/rejection.ts";
import { refusalOf } from "../../../src/protocol/refusal.ts";

interface Body {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
}
function written(reason: Reason) {
  const { status, headers, body } = writeError(refusalOf(new Rejection(reason)));
  return { status, headers, error: (JSON.parse(body) as Body).error };
}
const failed = (fault: Fault): Reason => ({ kind: "upstream_failed", fault, attempts: 3 });

const FAULTS: readonly Fault[] = [
  { kind: "rate_limited", retryAfterMs: 1500 },
  { kind: "overloaded", retryAfterMs: undefined },
  { kind: "server_error" },
  { kind: "timeout", phase: "connect" },
  { kind: "network", sent: true },
  { kind: "protocol", what: "html-canary" },
  { kind: "redirect" },
  { kind: "address_refused" },
  { kind: "tls" },
  { kind: "not_now" },
  { kind: "auth" },
  { kind: "billing" },
  { kind: "context_length" },
  { kind: "client_error" },
];
const REASONS: readonly Reason[] = [
  { kind: "malformed", param: "stream", detail: "'stream' must be true or false, not a number" },
  { kind: "bad_path", detail: "the path has a doubled slash" },
  { kind: "not_found", path: "/v1/nothing" },
  { kind: "method_not_allowed", allow: "POST" },
  { kind: "unsupported_media_type", detail: "send application/json" },
  { kind: "too_large", limit: 1024 },
  { kind: "unauthenticated", detail: "no API key" },
  { kind: "forbidden_model", model: "m" },
  { kind: "model_not_found", model: "m" },
  { kind: "no_eligible_backend", model: "m" },
  { kind: "cannot_translate", model: "m", dialect: "anthropic" },
  { kind: "rate_limited", limit: "rpm", retryAfterMs: 250 },
  { kind: "rate_limited", limit: "tpm", retryAfterMs: 2001 },
  { kind: "budget_exhausted", retryAfterMs: 86_400_000, status: 429 },
  { kind: "budget_exhausted", retryAfterMs: undefined, status: 429 },
  { kind: "overloaded", retryAfterMs: 2000 },
  { kind: "draining" },
  ...FAULTS.map(failed),
  { kind: "client_gone" },
  { kind: "bug" },
];

describe("every refusal", () => {
  for (const reason of REASONS) {
    const name = "fault" in reason ? `${reason.kind}, ${reason.fault.kind}` : reason.kind;
    test(`${name} has core's status and OpenAI's shape`, () => {
      const { status, headers, error } = written(reason);
      expect(status).toBe(statusOf(reason));
      expect(headers["content-type"]).toBe("application/json");
      expect(error).toEqual({
        message: expect.stringMatching(/\S/),
        type: expect.stringMatching(/^[a-z_]+$/),
        param: error.param === null ? null : expect.any(String),
        code: error.code === null ? null : expect.stringMatching(/^[a-z_]+$/),
      });
    });
  }
  test("has words of its own", () => {
    const messages = new Set(REASONS.map((reason) => written(reason).error.message));
    // Two for overloads, two for budgets, two for a model that cannot be reached or failed.
    expect(messages.size).toBeGreaterThanOrEqual(REASONS.length - 6);
  });
  test("says in a line of JSON what a hostile name says, and no more of it than a line", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 2000 }), (model) => {
        const { error } = written({ kind: "model_not_found", model });
        expect(error.message.length).toBeLessThan(400);
        expect(error.message).toContain(model.slice(0, 200));
      }),
    );
  });
});

describe("the table of protocols.md §6.2", () => {
  test.each<[Reason, number, string, string | null, string | null]>([
    [
      { kind: "malformed", param: "model", detail: "x" },
      400,
      "invalid_request_error",
      null,
      "model",
    ],
    [
      failed({ kind: "context_length" }),
      400,
      "invalid_request_error",
      "context_length_exceeded",
      "messages",
    ],
    [{ kind: "too_large", limit: 9 }, 413, "invalid_request_error", "request_too_large", null],
    [
      { kind: "unauthenticated", detail: "x" },
      401,
      "invalid_request_error",
      "invalid_api_key",
      null,
    ],
    [
      { kind: "model_not_found", model: "m" },
      404,
      "invalid_request_error",
      "model_not_found",
      "model",
    ],
    [
      { kind: "rate_limited", limit: "rpm", retryAfterMs: 1 },
      429,
      "requests",
      "rate_limit_exceeded",
      null,
    ],
    [
      { kind: "rate_limited", limit: "tpm", retryAfterMs: 1 },
      429,
      "tokens",
      "rate_limit_exceeded",
      null,
    ],
    [
      { kind: "budget_exhausted", retryAfterMs: 1, status: 429 },
      429,
      "insufficient_quota",
      "insufficient_quota",
      null,
    ],
    [{ kind: "overloaded", retryAfterMs: 1 }, 503, "server_error", "overloaded", null],
    [failed({ kind: "timeout", phase: "stall" }), 504, "server_error", "timeout", null],
    [failed({ kind: "network", sent: false }), 502, "server_error", "upstream_unreachable", null],
    [failed({ kind: "auth" }), 502, "server_error", "upstream_auth", null],
    [failed({ kind: "redirect" }), 502, "server_error", "upstream_redirect", null],
    [failed({ kind: "protocol", what: "x" }), 502, "server_error", "upstream_protocol", null],
    [failed({ kind: "billing" }), 502, "server_error", "upstream_error", null],
    [
      { kind: "no_eligible_backend", model: "m" },
      503,
      "server_error",
      "no_eligible_backend",
      "model",
    ],
    [{ kind: "bug" }, 500, "server_error", "internal_error", null],
  ])("%j is %i %s, code %p, param %p", (reason, status, type, code, param) => {
    expect(written(reason)).toMatchObject({ status, error: { type, code, param } });
  });
  test.each([
    [
      written({ kind: "model_not_found", model: "m" }),
      "The model `m` does not exist or you do not have access to it.",
    ],
    [
      written({ kind: "budget_exhausted", retryAfterMs: 1, status: 429 }),
      "You exceeded your current quota",
    ],
    [written(failed({ kind: "context_length" })), "maximum context length"],
  ])("keeps the sentence programs look for", ({ error }, sentence) => {
    expect(error.message).toContain(sentence);
  });
});

describe("what a client must not learn", () => {
  test("is nowhere in a refusal of a model, whoever could serve it", () => {
    for (const kind of ["no_eligible_backend", "model_not_found", "forbidden_model"] as const) {
      const { error } = written({ kind, model: "m" });
      expect(error.message).not.toMatch(/extern|private|privacy|provider|openai|anthropic|there/i);
    }
  });
  test("is nowhere in a failure: not its cause, its place, nor how often we tried", () => {
    for (const fault of FAULTS) {
      const { error } = written(failed(fault));
      expect(error.message).not.toMatch(/canary|billing|quota|address|dns|tls|attempt|3|url|html/i);
      expect(error.message).not.toMatch(/upstream|proxy|gateway|backend|lane|translat/i);
    }
  });
});

describe("headers", () => {
  test.each<[Reason, Record<string, string | undefined>]>([
    [
      { kind: "rate_limited", limit: "rpm", retryAfterMs: 250 },
      { "retry-after": "1", "retry-after-ms": "250", "x-should-retry": "true" },
    ],
    [
      { kind: "rate_limited", limit: "tpm", retryAfterMs: 2000.4 },
      { "retry-after": "3", "retry-after-ms": "2001", "x-should-retry": "true" },
    ],
    [
      { kind: "rate_limited", limit: "tpm", retryAfterMs: 0 },
      { "retry-after": "1", "retry-after-ms": "1" },
    ],
    [
      { kind: "overloaded", retryAfterMs: 2000 },
      { "retry-after": "2", "retry-after-ms": "2000", "x-should-retry": "true" },
    ],
    [{ kind: "draining" }, { "retry-after": "1", "x-should-retry": "true" }],
    [
      { kind: "budget_exhausted", retryAfterMs: undefined, status: 429 },
      { "retry-after": undefined, "retry-after-ms": undefined, "x-should-retry": "false" },
    ],
    [
      { kind: "budget_exhausted", retryAfterMs: 60_000, status: 429 },
      { "retry-after": "60", "x-should-retry": "false" },
    ],
    [
      { kind: "no_eligible_backend", model: "m" },
      { "retry-after": undefined, "x-should-retry": "false" },
    ],
    [
      failed({ kind: "rate_limited", retryAfterMs: 1500 }),
      { "retry-after": "2", "retry-after-ms": "1500", "x-should-retry": "false" },
    ],
    [
      failed({ kind: "rate_limited", retryAfterMs: 86_400_000 }),
      { "retry-after": undefined, "x-should-retry": "false" },
    ],
    [failed({ kind: "server_error" }), { "retry-after": undefined, "x-should-retry": "false" }],
    [failed({ kind: "client_error" }), { "x-should-retry": undefined }],
    [{ kind: "method_not_allowed", allow: "GET, HEAD" }, { allow: "GET, HEAD" }],
    [{ kind: "unauthenticated", detail: "x" }, { "www-authenticate": "Bearer" }],
    [{ kind: "malformed", param: undefined, detail: "x" }, { "x-should-retry": undefined }],
  ])("of %j hold %j", (reason, expected) => {
    const { headers } = written(reason);
    for (const [name, value] of Object.entries(expected)) expect(headers[name]).toBe(value!);
  });
});

describe("the official SDK", () => {
  /** Sends one request with one retry allowed to a server that always answers `reason`. */
  async function asked(reason: Reason) {
    let requests = 0;
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch() {
        requests++;
        const { status, headers, body } = writeError(refusalOf(new Rejection(reason)));
        return new Response(body, { status, headers: { ...headers, "x-request-id": "req_1" } });
      },
    });
    const client = new OpenAI({ apiKey: "k", baseURL: server.url.href, maxRetries: 1 });
    const call = client.chat.completions.create({ model: "m", messages: [] });
    const error = await call.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof APIError)) throw new Error("the SDK threw no APIError");
    return { error, requests };
  }

  test.each<[Reason, string, number]>([
    [{ kind: "malformed", param: "model", detail: "x" }, "BadRequestError", 1],
    [{ kind: "unauthenticated", detail: "x" }, "AuthenticationError", 1],
    [{ kind: "forbidden_model", model: "m" }, "PermissionDeniedError", 1],
    [{ kind: "model_not_found", model: "m" }, "NotFoundError", 1],
    [{ kind: "rate_limited", limit: "rpm", retryAfterMs: 5 }, "RateLimitError", 2],
    [{ kind: "overloaded", retryAfterMs: 5 }, "InternalServerError", 2],
    [{ kind: "budget_exhausted", retryAfterMs: undefined, status: 429 }, "RateLimitError", 1],
    [{ kind: "no_eligible_backend", model: "m" }, "InternalServerError", 1],
    [failed({ kind: "rate_limited", retryAfterMs: 5 }), "RateLimitError", 1],
    [failed({ kind: "server_error" }), "InternalServerError", 1],
  ])("takes %j for %s, in %i requests", async (reason, name, requests) => {
    const seen = await asked(reason);
    const { error } = written(reason);
    expect(seen.error.constructor.name).toBe(name);
    expect(seen.error).toMatchObject({
      status: statusOf(reason),
      code: error.code,
      type: error.type,
    });
    expect(seen.error.requestID).toBe("req_1");
    expect(seen.requests).toBe(requests);
  });
});
