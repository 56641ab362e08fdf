import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import type { Fault } from "../../../src/core/fault.ts";
import { dispositionOf } from "../../../src/core/fault.ts";
import type { Chunk } from "../../../src/core/units.ts";
import { faultOfEvent, readFault } from "../../../src/protocol/openai/fault.ts";
import { streamTap } from "../../../src/protocol/openai/tap.ts";
import { fixture, haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";

type Kind = Fault["kind"];
const utf8 = (text: string): Chunk => new TextEncoder().encode(text);

function faultOf(status: number, body: unknown, headers: Record<string, string> = {}): Fault {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return readFault(status, new Headers(headers), utf8(text));
}
const kindOf = (status: number, body: unknown): Kind => faultOf(status, body).kind;
const saying = (message: string, rest: object = {}) => ({ error: { message, ...rest } });

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  const failed = recordingsOf("openai-chat").filter(
    ({ status, response }) => status >= 400 || /^\s*\{\s*"error"/.test(utf8Text(response)),
  );
  const expected: Readonly<Record<string, Kind>> = {
    "elastic-otel--test_chat_with_model_not_found": "client_error",
    "envoy-ai-gateway--chat-bad-request": "client_error",
    "envoy-ai-gateway--chat-no-messages": "client_error",
    "langchaingo--TestOpenRouterStreaming.1": "rate_limited",
    "mirascope--handles-optional-properties-in-strict-mode": "client_error",
    "mirascope--openai_gpt_5_mini_completions": "client_error",
    "mirascope--test_authentication_error.openai_gpt_4o_completions": "auth",
    "mirascope--test_model_not_found.openai_gpt_4o_completions": "client_error",
    "openinference--TestInputValueImageHiding.test_input_value_hides_regular_url_images":
      "client_error",
    "openinference--TestLM.test_exception_event_recorded_on_lm_error": "auth",
    "openinference--test_error_status_code_and_exception_events_with_invalid_api_key": "auth",
    "openllmetry--test_agents.test_agents_and_tools.2": "client_error",
    "openllmetry--test_prompt_content_filtering": "client_error",
    "openllmetry--test_vision.test_vision_base64.3": "client_error",
    "pydantic-ai--test_groq.test_tool_regular_error": "client_error",
    "pydantic-ai--test_groq.test_tool_use_failed_error": "client_error",
    "pydantic-ai--test_model_name_suggestion-openai-chat": "client_error",
    "pydantic-ai--test_openai_web_search_tool_model_not_supported": "client_error",
    "pydantic-ai--test_openrouter_errors_raised": "rate_limited",
    "pydantic-ai--test_tool_use_failed_error_with_text": "client_error",
    "ruby-llm--chat_error_handling_with_azure_grok-4-1-fast-non-reasoning_raises_appropriate_auth_error":
      "auth",
    "ruby-llm--chat_error_handling_with_deepseek_deepseek-chat_raises_appropriate_auth_error":
      "auth",
    "ruby-llm--chat_error_handling_with_mistral_mistral-small-latest_raises_appropriate_auth_error":
      "auth",
    "ruby-llm--chat_error_handling_with_ollama_cloud_gpt-oss_120b_raises_appropriate_auth_error":
      "auth",
    "ruby-llm--chat_error_handling_with_openrouter_claude-haiku-4-5_raises_appropriate_auth_error":
      "auth",
    "ruby-llm--chat_error_handling_with_perplexity_sonar_raises_appropriate_auth_error": "auth",
    "ruby-llm--chat_real_error_scenarios_azure_grok-4-1-fast-non-reasoning_handles_context_length_exceeded_errors":
      "rate_limited",
    "ruby-llm--chat_real_error_scenarios_deepseek_deepseek-chat_handles_context_length_exceeded_errors":
      "context_length",
    "ruby-llm--chat_real_error_scenarios_perplexity_sonar_handles_context_length_exceeded_errors":
      "context_length",
    "ruby-openai--gpt-3_5-turbo_streamed_chat_with_json_error_response": "client_error",
  };

  test("each error answer is blamed on whoever caused it", () => {
    const found = failed.map(({ name, status, response, responseHeaders }) => {
      const headers = new Headers(responseHeaders.map(([key, value]) => [key, value]));
      return [name, readFault(status, headers, response.slice()).kind];
    });
    expect(Object.fromEntries(found)).toEqual(expected);
  });

  test("Azure's zero milliseconds beside a second is a second", () => {
    const azure = failed.find(({ status, provider }) => status === 429 && provider === "azure")!;
    const headers = new Headers(azure.responseHeaders.map(([key, value]) => [key, value]));
    expect(readFault(429, headers, azure.response.slice())).toEqual({
      kind: "rate_limited",
      retryAfterMs: 1000,
    });
  });
});

interface Documented {
  readonly protocol: string;
  readonly status: number;
  readonly where: "buffered" | "stream";
  readonly kind: string;
  readonly headers: Record<string, string>;
  readonly body: unknown;
}
const KIND_OF_DOCUMENTED: Readonly<Record<string, Kind>> = {
  quota: "billing",
  billing: "billing",
  rate_limit: "rate_limited",
  request_too_large_for_tpm: "client_error",
  context_length: "context_length",
  server_error: "server_error",
  content_filter: "client_error",
  capacity: "overloaded",
};

describe.skipIf(!haveRecordings)(`documented errors ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  const all: Documented[] = haveRecordings
    ? JSON.parse(readFileSync(fixture("errors-documented/errors.json"), "utf8"))
    : [];
  const ours = all.filter(({ protocol }) => protocol === "openai-chat");
  test("there are thirteen of them", () => expect(ours).toHaveLength(13));

  for (const [at, { status, where, kind, headers, body }] of ours.entries()) {
    test(`${at}: ${kind} with ${status}, ${where}`, () => {
      const expected = KIND_OF_DOCUMENTED[kind]!;
      if (where === "buffered") return expect(faultOf(status, body, headers).kind).toBe(expected);
      const tap = streamTap({ terminal: "done" });
      tap.feed(utf8(String(body)));
      expect(tap.fault?.kind).toBe(expected);
    });
  }
  test("OpenAI's own milliseconds are read", () => {
    const [limited] = ours.filter(({ kind }) => kind === "rate_limit");
    expect(faultOf(429, limited!.body, limited!.headers)).toMatchObject({ retryAfterMs: 494 });
  });
});

describe("envelopes no recording holds", () => {
  const context =
    "This model's maximum context length is 8192 tokens. However, you requested 9000.";
  test.each<[string, number, unknown, Kind]>([
    [
      "xAI: flat, 400 for a bad key",
      400,
      { code: "invalid-argument", error: "Incorrect API key provided. x" },
      "auth",
    ],
    [
      "Gemini's OpenAI surface: in a list",
      400,
      [saying("API key not valid. Please pass a valid API key.", { code: 400 })],
      "auth",
    ],
    [
      "Moonshot: quota by type",
      429,
      saying("x", { type: "exceeded_current_quota_error" }),
      "billing",
    ],
    [
      "Moonshot: overload by type",
      429,
      saying("x", { type: "engine_overloaded_error" }),
      "overloaded",
    ],
    [
      "Z.ai: no balance is a 429",
      429,
      saying("Insufficient balance or no resource package.", { code: "1113" }),
      "billing",
    ],
    [
      "Groq: too large for the window is a 413",
      413,
      saying("Request too large for model `x` on TPM", { code: "rate_limit_exceeded" }),
      "client_error",
    ],
    ["Groq: flex capacity", 498, saying("capacity_exceeded"), "overloaded"],
    [
      "OpenRouter: flagged by moderation, not a bad key",
      403,
      saying("flagged", { code: 403, metadata: { reasons: ["violence"], flagged_input: "x" } }),
      "client_error",
    ],
    [
      "OpenAI: a model this key may not use",
      403,
      saying("Project `p` does not have access to model `x`", { code: "model_not_found" }),
      "client_error",
    ],
    [
      "OpenRouter: the provider's text, not JSON",
      400,
      saying("Provider returned error", {
        metadata: { raw: "prompt is too long: 9 tokens > 8 maximum" },
      }),
      "context_length",
    ],
    [
      "vLLM, nested",
      400,
      saying(context, { type: "BadRequestError", code: 400 }),
      "context_length",
    ],
    [
      "Mistral: a list of details",
      422,
      { detail: [{ loc: ["body"], msg: "field required" }] },
      "client_error",
    ],
    ["Ollama: a bare text", 404, { error: "model 'x' not found" }, "client_error"],
    [
      "Cerebras",
      400,
      saying("Please reduce the length. Current length is 9 while limit is 8"),
      "context_length",
    ],
    [
      "xAI",
      400,
      saying("This model's maximum prompt length is 8 but the request contains 9"),
      "context_length",
    ],
    [
      "SGLang",
      400,
      {
        object: "error",
        message: "The input (9 tokens) is longer than the model's context length (8 tokens).",
      },
      "context_length",
    ],
    [
      "too many output tokens is the caller's",
      400,
      saying("max_tokens is too large: 9. This model supports at most 8"),
      "client_error",
    ],
    [
      "413 with a context code",
      413,
      saying("x", { code: "context_length_exceeded" }),
      "context_length",
    ],
  ])("%s", (_, status, body, kind) => expect(kindOf(status, body)).toBe(kind));
});

describe("the status alone", () => {
  const table: Readonly<Record<number, Kind>> = {
    200: "protocol",
    204: "protocol",
    302: "redirect",
    400: "client_error",
    401: "auth",
    402: "billing",
    403: "auth",
    404: "client_error",
    405: "client_error",
    408: "client_error",
    409: "client_error",
    413: "client_error",
    415: "client_error",
    422: "client_error",
    424: "server_error",
    425: "client_error",
    429: "rate_limited",
    498: "overloaded",
    500: "server_error",
    501: "server_error",
    502: "server_error",
    503: "overloaded",
    504: "timeout",
    520: "server_error",
    524: "server_error",
    526: "server_error",
    529: "overloaded",
    599: "server_error",
    600: "protocol",
    999: "protocol",
  };
  for (const [status, kind] of Object.entries(table)) {
    test(`${status} is ${kind}, with an empty body or a strange one`, () => {
      const nothing = ["", "no", "{", "null", "[]", "7", '"x"', "{}", '{"error":null}'];
      expect(nothing.map((body) => kindOf(Number(status), body))).toEqual(nothing.map(() => kind));
    });
  }
  test.each([
    [400, "server_error"],
    [403, "server_error"],
    [404, "server_error"],
    [408, "server_error"],
    [401, "auth"],
    [413, "client_error"],
    [429, "rate_limited"],
    [503, "overloaded"],
    [500, "server_error"],
    [522, "server_error"],
    [529, "overloaded"],
  ] as [number, Kind][])("%i as a web page is %s", (status, kind) => {
    expect(kindOf(status, "<!DOCTYPE html><html>context length exceeded</html>")).toBe(kind);
    expect(kindOf(status, "\ufeff\n <html>")).toBe(kind);
  });
});

describe("retry-after", () => {
  const headers = { "retry-after": "7" };
  test.each([429, 503, 529])("is read on %i", (status) => {
    expect(faultOf(status, "", headers)).toMatchObject({ retryAfterMs: 7000 });
    expect(faultOf(status, "", {})).toMatchObject({ retryAfterMs: undefined });
  });
  test("is not read where it means nothing", () => {
    const limited = saying("x", { code: "rate_limit_exceeded" });
    for (const status of [200, 400, 500, 502]) {
      expect(faultOf(status, limited, headers)).not.toMatchObject({ retryAfterMs: 7000 });
    }
  });
});

const message = fc.oneof(
  fc.string(),
  fc.constantFrom(
    "This model's maximum context length is 5 tokens",
    "prompt is too long",
    "You exceeded your current quota",
    "Incorrect API key provided",
    "overloaded",
    "Request too large for gpt-4o",
  ),
);
const code = fc.oneof(
  fc.string(),
  fc.nat(600),
  fc.constantFrom(
    "context_length_exceeded",
    "content_filter",
    "rate_limit_exceeded",
    "model_not_found",
  ),
);
const anyBody = fc.oneof(
  fc.string(),
  fc.json(),
  fc
    .record({ error: fc.record({ message, code, type: code }, { requiredKeys: [] }) })
    .map((body) => JSON.stringify(body)),
  fc
    .record({ message, code, type: code, object: fc.constant("error") })
    .map((b) => JSON.stringify(b)),
  fc.uint8Array().map((bytes) => new TextDecoder().decode(bytes)),
);

test("a broken upstream never passes for a caller's mistake: features.md b-R30", () => {
  fc.assert(
    fc.property(fc.integer({ min: 500, max: 599 }), anyBody, (status, body) => {
      expect(dispositionOf(faultOf(status, body)).next).not.toBe("relay_to_client");
      expect(kindOf(status, body)).not.toBe("context_length");
    }),
    { numRuns: 2000 },
  );
});

test("a context length is only ever found on 400 and 413", () => {
  fc.assert(
    fc.property(fc.integer({ min: 400, max: 599 }), anyBody, (status, body) => {
      if (kindOf(status, body) === "context_length") expect([400, 413]).toContain(status);
    }),
    { numRuns: 2000 },
  );
});

test("what a validation message quotes costs nobody a credential", () => {
  const quotes = [
    "Insufficient Balance",
    "Your credit balance is too low to access the API",
    "Incorrect API key provided: sk-x",
    "You exceeded your current quota",
    "invalid_api_key",
    '{"error":{"code":"insufficient_quota"}}',
    "429 rate limit overloaded",
  ];
  for (const quote of quotes) {
    const body = saying(`Invalid value: '${quote}'. Supported values are: 'system'`, {
      type: "invalid_request_error",
      param: "messages[0].role",
      code: "invalid_value",
    });
    expect(kindOf(400, body)).toBe("client_error");
    expect(kindOf(422, { detail: [{ msg: quote, input: quote }] })).toBe("client_error");
  }
});

test("nothing outside the error's own words is searched", () => {
  const words = "maximum context length insufficient_quota Incorrect API key provided overloaded";
  for (const place of ["param", "failed_generation", "details"]) {
    expect(kindOf(400, saying("Bad", { [place]: words }))).toBe("client_error");
  }
  expect(kindOf(400, { ...saying("Bad"), prompt: words, user_id: words })).toBe("client_error");
  expect(kindOf(400, words)).toBe("client_error");
});

describe("an error in a stream", () => {
  test.each<[object, Kind | undefined]>([
    [saying("x", { code: "content_filter" }), "client_error"],
    [saying("x", { type: "insufficient_quota" }), "billing"],
    [saying("x", { code: "502" }), "server_error"],
    [saying("x", { code: 999 }), "server_error"],
    [saying("Rate limit", { type: "tokens", code: "rate_limit_exceeded" }), "rate_limited"],
    [saying("x", { type: "permission_error" }), "auth"],
    [{ choices: [{ finish_reason: "error", error: { code: 429, message: "x" } }] }, "rate_limited"],
    [{ choices: [{ finish_reason: "stop" }] }, undefined],
    [{ error: false }, undefined],
  ])("%j is %p", (event, kind) => expect(faultOfEvent({ ...event })?.kind).toBe(kind!));
});

function utf8Text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
