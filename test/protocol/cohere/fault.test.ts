import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import type { Fault } from "../../../src/core/fault.ts";
import type { Chunk } from "../../../src/core/units.ts";
import { readFault } from "../../../src/protocol/cohere/fault.ts";
import { fixture, haveRecordings, NO_RECORDINGS } from "../../faultd/recordings.ts";

type Kind = Fault["kind"];
const utf8 = (text: string): Chunk => new TextEncoder().encode(text);
function faultOf(status: number, body: unknown, headers: Record<string, string> = {}): Fault {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return readFault(status, new Headers(headers), utf8(text));
}

interface Documented {
  readonly protocol: string;
  readonly status: number;
  readonly kind: string;
  readonly body: { readonly message: string };
}
const KIND_OF_DOCUMENTED: Readonly<Record<string, Kind>> = {
  rate_limit: "rate_limited",
  billing: "billing",
  max_tokens_too_large: "client_error",
  cancelled: "client_error",
};

describe.skipIf(!haveRecordings)(`documented errors ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  const all: Documented[] = haveRecordings
    ? JSON.parse(readFileSync(fixture("errors-documented/errors.json"), "utf8"))
    : [];
  const ours = all.filter(({ protocol }) => protocol === "cohere");
  test("there are six of them", () => expect(ours).toHaveLength(6));
  for (const { status, kind, body } of ours) {
    test(`${kind} with ${status}: ${body.message.slice(0, 40)}`, () =>
      expect(faultOf(status, body).kind).toBe(KIND_OF_DOCUMENTED[kind]!));
  }
});

const saying = (message: string, rest: object = {}) => ({ id: "1", message, ...rest });
describe("an error answer is blamed on whoever caused it", () => {
  test.each<[string, number, unknown, Kind]>([
    ["a wrong key", 401, saying("invalid api token"), "auth"],
    ["a wrong key of an odd status", 400, saying("invalid api token"), "auth"],
    ["no access", 403, saying("x"), "auth"],
    [
      "a trial used up for the month",
      429,
      saying("You are using a Trial key, which is limited to 1000 API calls / month."),
      "billing",
    ],
    [
      "too long",
      400,
      saying(
        "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 4292.",
      ),
      "context_length",
    ],
    [
      "too long, by its type",
      400,
      saying("x", { error_type: "TOO_MANY_TOKENS" }),
      "context_length",
    ],
    [
      "too much asked for",
      400,
      saying("too many tokens: max tokens must be less than or equal to 4096"),
      "client_error",
    ],
    [
      "a prompt that is too long",
      400,
      saying("prompt is too long: 9 tokens > 8"),
      "context_length",
    ],
    ["a name that is too long", 400, saying("tool name is too long"), "client_error"],
    [
      "a model that is gone",
      404,
      saying("model 'x' was removed on September 15, 2025."),
      "client_error",
    ],
    ["a denied word", 498, saying("x"), "client_error"],
    [
      "a bad tool of the model's own",
      422,
      saying("x", { error_type: "INVALID_TOOL_GENERATION" }),
      "client_error",
    ],
    ["a caller that went", 499, saying("request cancelled"), "client_error"],
    ["a window", 429, saying("x"), "rate_limited"],
    ["a broken host", 500, saying("internal server error"), "server_error"],
    ["a broken host that speaks of tokens", 500, saying("too many tokens"), "server_error"],
    ["an overloaded host", 503, saying("x"), "overloaded"],
    ["a slow host", 504, saying("x"), "timeout"],
    ["a slow host by another number", 408, saying("x"), "timeout"],
    ["a proxy's page", 400, "<html>bad</html>", "server_error"],
    ["a proxy's page for a window", 429, "<html>slow down</html>", "rate_limited"],
    ["nothing", 400, "", "client_error"],
    ["a redirect", 302, "", "redirect"],
    ["no status at all", 700, "", "protocol"],
    ["an answer that ended badly", 200, { finish_reason: "ERROR", message: {} }, "server_error"],
    ["an answer that did not", 200, { finish_reason: "COMPLETE" }, "protocol"],
    ["a nested error", 400, { error: saying("too many tokens") }, "context_length"],
    ["a bare text", 401, { detail: "x" }, "auth"],
  ])("%s: %i", (_, status, body, kind) => expect(faultOf(status, body).kind).toBe(kind));
});

test("what a caller wrote is not read as the host's words", () => {
  const echo =
    "invalid request: 'content' was 'too many tokens, invalid api token, rate limit, 429'";
  expect(faultOf(400, saying(echo)).kind).toBe("client_error");
});

test("how long to wait is read where it means something only", () => {
  const headers = { "retry-after": "7" };
  expect(faultOf(429, saying("x"), headers)).toEqual({ kind: "rate_limited", retryAfterMs: 7000 });
  expect(faultOf(503, saying("x"), headers)).toEqual({ kind: "overloaded", retryAfterMs: 7000 });
  expect(faultOf(500, saying("x"), headers)).toEqual({ kind: "server_error" });
});

test("no body of any status is anything but a fault", () => {
  fc.assert(
    fc.property(fc.integer({ min: 200, max: 599 }), fc.jsonValue(), (status, body) => {
      expect(faultOf(status, body).kind).toBeString();
    }),
  );
});
