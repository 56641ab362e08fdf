import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import type { Fault } from "../../../src/core/fault.ts";
import { faultOfEvent, readFault } from "../../../src/protocol/anthropic/fault.ts";
import { streamTap } from "../../../src/protocol/anthropic/tap.ts";
import { fixture, haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";
import { utf8 } from "./pieces.ts";

type Kind = Fault["kind"];

function faultOf(status: number, body: unknown, headers: Record<string, string> = {}): Fault {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return readFault(status, new Headers(headers), utf8(text));
}
const kindOf = (status: number, body: unknown): Kind => faultOf(status, body).kind;
const error = (type: string, message = "m", details?: object) => ({
  type: "error",
  error: { type, message, details },
});

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  const failed = recordingsOf("anthropic").filter(({ status }) => status >= 400);
  test("there are seven errors, and each is the caller's", () => {
    expect(failed).toHaveLength(7);
    for (const { status, response } of failed) {
      const { kind } = readFault(status, new Headers(), response.slice());
      expect(kind).toBe("client_error");
    }
  });

  interface Documented {
    readonly protocol: string;
    readonly status: number;
    readonly where: string;
    readonly kind: string;
    readonly headers: Record<string, string>;
    readonly body: unknown;
  }
  const documented: Documented[] = JSON.parse(
    haveRecordings ? readFileSync(fixture("errors-documented/errors.json"), "utf8") : "[]",
  );
  const KINDS: Readonly<Record<string, Kind>> = {
    overloaded: "overloaded",
    rate_limit: "rate_limited",
    billing: "billing",
    context_length: "context_length",
  };
  const own = documented.filter(({ protocol }) => protocol === "anthropic");
  test("there are six documented errors", () => expect(own).toHaveLength(6));
  for (const [at, { status, where, kind, headers, body }] of own.entries()) {
    test(`documented error ${at}: ${status} ${kind}, ${where}`, () => {
      if (where === "buffered") {
        expect(faultOf(status, body, headers).kind).toBe(KINDS[kind]!);
      } else {
        const tap = streamTap();
        tap.feed(utf8(String(body)));
        tap.end();
        expect(tap.fault?.kind).toBe(KINDS[kind]!);
      }
    });
  }
});

test.each<[Kind, number, object]>([
  ["rate_limited", 429, error("rate_limit_error")],
  ["billing", 429, error("rate_limit_error", "m", { error_code: "contract_spend_limit_reached" })],
  ["billing", 429, error("rate_limit_error", "m", { error_code: "enforced_spend_limit_reached" })],
  ["rate_limited", 429, error("rate_limit_error", "m", { error_code: "ramp_limit_exceeded" })],
  ["auth", 400, error("invalid_request_error", "m", { error_code: "organization_on_hold" })],
  ["billing", 402, error("billing_error")],
  ["billing", 400, error("invalid_request_error", "Your credit balance is too low to access …")],
  ["auth", 401, error("authentication_error", "invalid x-api-key")],
  ["auth", 403, error("permission_error")],
  ["client_error", 404, error("not_found_error", "model: x")],
  ["client_error", 413, error("request_too_large", "Request exceeds the maximum size")],
  [
    "context_length",
    400,
    error("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"),
  ],
  ["context_length", 413, error("request_too_large", "Prompt is too long")],
  ["client_error", 400, error("invalid_request_error", "max_tokens: 9 > 8, which is the maximum")],
  ["server_error", 500, error("api_error", "Internal server error")],
  ["timeout", 504, error("timeout_error")],
  ["overloaded", 529, error("overloaded_error", "Overloaded")],
  ["overloaded", 500, error("api_error", "Overloaded")],
  ["overloaded", 503, {}],
  ["redirect", 302, {}],
  ["protocol", 200, {}],
])("%s: %i %j", (kind, status, body) => {
  expect(kindOf(status, body)).toBe(kind);
});

describe("inside a 200", () => {
  test.each<[Kind, string]>([
    ["overloaded", "overloaded_error"],
    ["rate_limited", "rate_limit_error"],
    ["server_error", "api_error"],
    ["client_error", "invalid_request_error"],
    ["timeout", "timeout_error"],
    ["auth", "authentication_error"],
    ["server_error", "an_error_to_come"],
  ])("%s is said by %s", (kind, type) => {
    expect(kindOf(200, error(type))).toBe(kind);
    expect(faultOfEvent(error(type))?.kind).toBe(kind);
  });
  test("an event that is no error is none", () => {
    expect(faultOfEvent({ type: "message_stop" })).toBeUndefined();
    expect(faultOfEvent({ type: "ping", error: null })).toBeUndefined();
  });
});

test("a caller's own words change nothing but where the vendor speaks", () => {
  const echo =
    "messages.0: 'Your credit balance is too low' is not valid; rate limit, overloaded, 429";
  expect(kindOf(400, error("invalid_request_error", echo))).toBe("client_error");
  expect(kindOf(400, { ...error("invalid_request_error"), prompt: "prompt is too long" })).toBe(
    "client_error",
  );
  expect(kindOf(500, error("api_error", "prompt is too long: 9 tokens > 8 maximum"))).toBe(
    "server_error",
  );
});
test("a wait is read where one may be asked for, and not elsewhere", () => {
  const wait = { "retry-after": "7" };
  expect(faultOf(429, error("rate_limit_error"), wait)).toEqual({
    kind: "rate_limited",
    retryAfterMs: 7000,
  });
  expect(faultOf(529, error("overloaded_error"), wait)).toEqual({
    kind: "overloaded",
    retryAfterMs: 7000,
  });
  expect(faultOf(200, error("overloaded_error"), wait)).toEqual({
    kind: "overloaded",
    retryAfterMs: undefined,
  });
});
test.each<[Kind, number, string]>([
  ["server_error", 400, "<html>bad gateway</html>"],
  ["server_error", 404, "\ufeff <!doctype html>"],
  ["auth", 401, "<html>"],
  ["overloaded", 529, "<html>"],
  ["client_error", 400, ""],
  ["client_error", 400, '{"error": "text"}'],
  ["client_error", 422, '{"detail": [{"msg": "x"}]}'],
  [
    "rate_limited",
    429,
    '[{"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED"}}]',
  ],
])("%s: what stands before a host says %i %s", (kind, status, body) => {
  expect(kindOf(status, body)).toBe(kind);
});
test("any bytes with any status have a fault", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 999 }),
      fc.oneof(fc.json(), fc.string()),
      (status, body) => {
        expect(typeof kindOf(status, body)).toBe("string");
      },
    ),
  );
});
