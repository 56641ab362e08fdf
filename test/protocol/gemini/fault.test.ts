import { describe, expect, test } from "bun:test";
import type { Fault } from "../../../src/core/fault.ts";
import { readFault } from "../../../src/protocol/gemini/fault.ts";
import { readError } from "../../../src/protocol/gemini/read-error.ts";
import type { ErrorClass } from "../../../src/protocol/wire-error.ts";
import { haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";
import { utf8 } from "./harness.ts";

const NO_HEADERS = new Headers();
interface Said {
  readonly message?: string;
  readonly status?: string;
  readonly details?: readonly object[];
}
const bodyOf = (code: number, error: Said) => utf8(JSON.stringify({ error: { code, ...error } }));
const faultOf = (code: number, error: Said = {}) =>
  readFault(code, NO_HEADERS, bodyOf(code, error));
const classOf = (code: number, error: Said = {}) =>
  readError(code, NO_HEADERS, bodyOf(code, error)).class;
const quota = (quotaId: string) => ({ violations: [{ quotaId }] });
const retry = (retryDelay: string) => ({ retryDelay });
const reason = (word: string) => ({ reason: word });
const QUOTA = "You exceeded your current quota, please check your plan and billing details.";

const TABLE: readonly (readonly [string, number, Said, Fault["kind"], ErrorClass])[] = [
  ["malformed", 400, { status: "INVALID_ARGUMENT" }, "client_error", "invalid_request"],
  ["a bad key", 400, { details: [reason("API_KEY_INVALID")] }, "auth", "auth"],
  ["a bad key, in words", 400, { message: "API key not valid. Please pass…" }, "auth", "auth"],
  ["an expired key", 400, { message: "API key expired. Please renew…" }, "auth", "auth"],
  [
    "no key",
    403,
    { message: "Method doesn't allow unregistered callers (…)" },
    "auth",
    "permission",
  ],
  ["a bad token", 401, { status: "UNAUTHENTICATED" }, "auth", "auth"],
  ["a disabled API", 403, { details: [reason("SERVICE_DISABLED")] }, "auth", "permission"],
  ["a resource of others", 403, { status: "PERMISSION_DENIED" }, "client_error", "permission"],
  ["a proxy's refusal", 403, {}, "auth", "permission"],
  [
    "the word invalid near a key",
    400,
    { message: "Field 'api_key' is invalid" },
    "client_error",
    "invalid_request",
  ],
  ["no billing", 403, { details: [reason("BILLING_DISABLED")] }, "billing", "quota"],
  [
    "used up credits",
    429,
    { message: "Your prepayment credits are depleted." },
    "billing",
    "quota",
  ],
  [
    "a minute's limit",
    429,
    { message: QUOTA, details: [quota("GenerateRequestsPerMinutePerProject"), retry("34.4s")] },
    "rate_limited",
    "rate_limit",
  ],
  [
    "a day's quota",
    429,
    { message: QUOTA, details: [quota("GenerateRequestsPerDayPerProject"), retry("5s")] },
    "billing",
    "quota",
  ],
  [
    "a prompt that is too long",
    400,
    { message: "The input token count (7) exceeds the maximum number of tokens allowed (5)." },
    "context_length",
    "context_length",
  ],
  [
    "such words on a server's failure",
    500,
    { message: "The input token count (7) exceeds the maximum number of tokens allowed (5)." },
    "server_error",
    "server",
  ],
  [
    "too many bytes",
    400,
    { message: "Request payload size exceeds the limit: 20971520 bytes." },
    "client_error",
    "request_too_large",
  ],
  [
    "no such model",
    404,
    { message: "models/x is not found for API version v1" },
    "client_error",
    "model_not_found",
  ],
  [
    "no such cache",
    404,
    { message: "Not found: cache content metadata 8." },
    "client_error",
    "not_found",
  ],
  [
    "from the wrong country",
    400,
    { status: "FAILED_PRECONDITION", message: "User location is not supported for the API use." },
    "server_error",
    "permission",
  ],
  ["overloaded", 503, { status: "UNAVAILABLE" }, "overloaded", "overloaded"],
  ["too slow", 504, { status: "DEADLINE_EXCEEDED" }, "timeout", "timeout"],
  ["cancelled, though not by us", 499, { status: "CANCELLED" }, "server_error", "cancelled"],
  ["an error of its own", 500, { status: "INTERNAL" }, "server_error", "server"],
  ["a bad gateway", 502, {}, "server_error", "bad_upstream"],
  ["out of payment", 402, {}, "billing", "quota"],
];

describe("whose fault an error is, and what it is", () => {
  test.each(TABLE)("%s (%d)", (_, code, said, kind, errorClass) => {
    expect(faultOf(code, said).kind).toBe(kind);
    expect(classOf(code, said)).toBe(errorClass);
    const inList = utf8(JSON.stringify([{ error: { code, ...said } }]));
    expect(readFault(code, NO_HEADERS, inList).kind).toBe(kind);
  });

  test("a caller's text in a message blames nobody", () => {
    const echo = (text: string) => ({ message: `Invalid value at 'contents': "${text}"` });
    for (const text of ["429", "API key not valid.", "PerDay", "prepayment credits are depleted"]) {
      expect(faultOf(400, echo(text))).toEqual({ kind: "client_error" });
    }
  });

  test("how long to wait is in the details, else in the header", () => {
    const said = { details: [retry("34.4s")] };
    expect(faultOf(429, said)).toEqual({ kind: "rate_limited", retryAfterMs: 34_400 });
    const headers = new Headers({ "retry-after": "2" });
    const header = { kind: "rate_limited", retryAfterMs: 2000 } as const;
    expect(readFault(429, headers, bodyOf(429, {}))).toEqual(header);
    expect(readFault(429, headers, utf8(""))).toEqual(header);
    expect(readError(429, headers, utf8(""))).toMatchObject({ retryAfterMs: 2000 });
    expect(readError(400, headers, utf8("")).retryAfterMs).toBeUndefined();
  });

  test("a body that is none, or another's", () => {
    expect(readFault(500, NO_HEADERS, utf8("")).kind).toBe("server_error");
    expect(readFault(404, NO_HEADERS, utf8("<html>")).kind).toBe("server_error");
    expect(readFault(429, NO_HEADERS, utf8("<html>")).kind).toBe("rate_limited");
    expect(readFault(302, NO_HEADERS, utf8("")).kind).toBe("redirect");
    expect(readFault(200, NO_HEADERS, bodyOf(429, {})).kind).toBe("rate_limited");
    expect(readFault(400, NO_HEADERS, utf8('{"error":"nope"}')).kind).toBe("client_error");
    expect(readError(400, NO_HEADERS, utf8('{"error":"nope"}')).message).toBe("nope");
  });
});

test("what an error says is handed on without what names an account", () => {
  const said = {
    message:
      "API has not been used in project 12345678 before. Enable it at " +
      "https://console.developers.google.com/apis?project=my-project-1 for projects/998877 with key " +
      "AIzaSyA-1234567890abcdef (robot@my-project-1.iam.gserviceaccount.com)",
  };
  const { message } = readError(403, NO_HEADERS, bodyOf(403, said));
  expect(message).not.toMatch(/\d{4,}|AIza|my-project|robot/);
  expect(message).toStartWith("API has not been used in project …");
});

test("the field that is wrong is named", () => {
  const details = [{ fieldViolations: [{ field: "contents[0].parts" }] }];
  expect(readError(400, NO_HEADERS, bodyOf(400, { details })).param).toBe("contents[0].parts");
  const message = `Invalid JSON payload received. Unknown name "x" at 'generation_config': no field`;
  expect(readError(400, NO_HEADERS, bodyOf(400, { message })).param).toBe("generation_config");
});

const errors = recordingsOf("gemini").filter(({ status }) => status >= 400);
(haveRecordings ? describe : describe.skip)(
  haveRecordings ? "a recorded error" : `a recorded error ${NO_RECORDINGS}`,
  () => {
    test.each(errors.map(({ name, status, response }) => [name, status, response] as const))(
      "%s (%d)",
      (name, status, response) => {
        const { kind } = readFault(status, NO_HEADERS, response.slice());
        const { class: said, message } = readError(status, NO_HEADERS, response.slice());
        const isKey = /api-key|auth_error|not-enabled/.test(name);
        const isRegion = /location|http-error/.test(name);
        const known = isKey ? "auth" : isRegion ? ["server_error", "client_error"] : "client_error";
        expect([known].flat()).toContain(kind);
        expect(message).not.toMatch(/(?<!\d)\d{8,12}(?!\d)|AIz/);
        if (/model-not-found|unknown-model|missing_model|model_not_found/.test(name)) {
          expect(said).toBe("model_not_found");
        }
      },
    );
  },
);
