import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import OpenAI, { APIError } from "openai";
import { readError, readStreamError } from "../../../src/protocol/openai/read-error.ts";
import { writeError } from "../../../src/protocol/openai/rejection.ts";
import type { ErrorClass, WireError } from "../../../src/protocol/wire-error.ts";
import { fixture, haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";
import { bytesOf, textOf } from "./kit.ts";

function read(status: number, body: unknown, headers: Record<string, string> = {}): WireError {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return readError(status, new Headers(headers), bytesOf(text));
}

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  const expected: Readonly<Record<string, ErrorClass>> = {
    "openinference--TestLM.test_exception_event_recorded_on_lm_error": "auth",
    "openinference--test_error_status_code_and_exception_events_with_invalid_api_key": "auth",
    "openinference--TestInputValueImageHiding.test_input_value_hides_regular_url_images":
      "invalid_request",
    "mirascope--test_authentication_error.openai_gpt_4o_completions": "auth",
    "mirascope--openai_gpt_5_mini_completions": "unsupported",
    "mirascope--test_model_not_found.openai_gpt_4o_completions": "model_not_found",
    "mirascope--handles-optional-properties-in-strict-mode": "invalid_request",
    "ruby-openai--gpt-3_5-turbo_streamed_chat_with_json_error_response": "invalid_request",
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
      "rate_limit",
    "ruby-llm--chat_real_error_scenarios_deepseek_deepseek-chat_handles_context_length_exceeded_errors":
      "context_length",
    "ruby-llm--chat_real_error_scenarios_perplexity_sonar_handles_context_length_exceeded_errors":
      "context_length",
    "elastic-otel--test_chat_with_model_not_found": "model_not_found",
    "envoy-ai-gateway--chat-bad-request": "unsupported",
    "envoy-ai-gateway--chat-no-messages": "invalid_request",
    "pydantic-ai--test_model_name_suggestion-openai-chat": "model_not_found",
    "pydantic-ai--test_groq.test_tool_regular_error": "model_not_found",
    "pydantic-ai--test_groq.test_tool_use_failed_error": "bad_upstream",
    "pydantic-ai--test_tool_use_failed_error_with_text": "bad_upstream",
    "pydantic-ai--test_openai_web_search_tool_model_not_supported": "invalid_request",
    "pydantic-ai--test_openrouter_errors_raised": "rate_limit",
    "langchaingo--TestOpenRouterStreaming.1": "rate_limit",
    "openllmetry--test_agents.test_agents_and_tools.2": "model_not_found",
    "openllmetry--test_prompt_content_filtering": "content_filter",
    "openllmetry--test_vision.test_vision_base64.3": "invalid_request",
  };
  const failed = recordingsOf("openai-chat").filter(
    ({ status, response }) => status >= 400 || /^\s*\{\s*"error"/.test(textOf(response)),
  );

  test("each error answer has the class its host meant", () => {
    const found = failed.map(({ name, status, response, responseHeaders }) => {
      const headers = Object.fromEntries(responseHeaders);
      return [name, read(status, textOf(response), headers).class];
    });
    expect(Object.fromEntries(found)).toEqual(expected);
  });
  test("no message tells whose key, organization or project it was", () => {
    for (const { status, response } of failed) {
      const { message } = read(status, textOf(response));
      expect(message).not.toMatch(/\bsk-\w|org-\w|proj_\w|\*{3}/);
    }
  });
  test("each comes to the official SDK as the class of its status", async () => {
    let next: WireError | undefined;
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch() {
        const { status, headers, body } = writeError(next!);
        return new Response(body, { status, headers });
      },
    });
    const client = new OpenAI({ apiKey: "k", baseURL: server.url.href, maxRetries: 0 });
    for (const { status, response } of failed) {
      next = read(status, textOf(response));
      const call = client.chat.completions.create({ model: "m", messages: [] });
      const thrown: unknown = await call.then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(thrown).toBeInstanceOf(APIError);
      expect(thrown).toMatchObject({ status: next.status });
      if (next.code !== undefined) expect(thrown).toHaveProperty("code");
    }
  });
});

interface Documented {
  readonly protocol: string;
  readonly status: number;
  readonly where: string;
  readonly kind: string;
  readonly headers: Record<string, string>;
  readonly body: unknown;
}
describe.skipIf(!haveRecordings)(`documented errors ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  const all: Documented[] = haveRecordings
    ? JSON.parse(readFileSync(fixture("errors-documented/errors.json"), "utf8"))
    : [];
  const ours = all.filter(({ protocol }) => protocol === "openai-chat");
  const classes: Readonly<Record<string, ErrorClass>> = {
    quota: "quota",
    billing: "quota",
    rate_limit: "rate_limit",
    request_too_large_for_tpm: "request_too_large",
    context_length: "context_length",
    server_error: "server",
    content_filter: "content_filter",
    capacity: "overloaded",
  };
  for (const [at, { status, where, kind, headers, body }] of ours.entries()) {
    test(`${at}: ${kind} with ${status}, ${where}`, () => {
      if (where === "buffered") {
        return expect(read(status, body, headers).class).toBe(classes[kind]!);
      }
      const event: unknown = JSON.parse(/^data: (.*)$/m.exec(String(body))![1]!);
      expect(readStreamError(event).class).toBe(classes[kind]!);
    });
  }
  test("the context-length ones keep their numbers", () => {
    const sizes = ours
      .filter(({ kind }) => kind === "context_length")
      .map(({ status, body }) => read(status, body).tokens);
    expect(sizes).toEqual([
      { max: 4097, requested: 4294 },
      { max: 262144, requested: 262897 },
      { max: 8192, requested: 13392 },
      { max: 8192, requested: 8203 },
    ]);
  });
  test("how long to wait, and for which limit, goes on", () => {
    const limited = ours.find(
      ({ kind, headers }) => kind === "rate_limit" && headers["retry-after-ms"],
    );
    const { status, body, headers } = limited!;
    expect(read(status, body, headers)).toMatchObject({ retryAfterMs: 494, limit: "tokens" });
  });
});

describe("numbers of a prompt that is too long", () => {
  test.each<[string, object]>([
    [
      "maximum context length is 8192 tokens. However, you requested 9000",
      { max: 8192, requested: 9000 },
    ],
    [
      "This model's maximum prompt length is 131072 but the request contains 150000 tokens.",
      { max: 131072, requested: 150000 },
    ],
    [
      "The input (9000 tokens) is longer than the model's context length (8192 tokens).",
      { max: 8192, requested: 9000 },
    ],
    [
      "Please reduce the length. Current length is 9000 while limit is 8192",
      { max: 8192, requested: 9000 },
    ],
    ["prompt is too long: 210000 tokens > 200000 maximum", { max: 200000, requested: 210000 }],
    [
      "The input token count (9000) exceeds the maximum number of tokens allowed (8192).",
      { max: 8192, requested: 9000 },
    ],
    ["exceeded model token limit: 8192 (requested: 9000)", { max: 8192, requested: 9000 }],
  ])("%s", (message, tokens) => {
    expect(read(400, { error: { message, code: "context_length_exceeded" } }).tokens).toEqual(
      tokens,
    );
  });
  test("become OpenAI's own sentence", () => {
    const error = { class: "context_length", status: 400, message: "prompt is too long" } as const;
    const { body } = writeError({ ...error, tokens: { max: 8192, requested: 9000 } });
    expect(JSON.parse(body)).toEqual({
      error: {
        message:
          "This model's maximum context length is 8192 tokens. However, your messages resulted " +
          "in 9000 tokens. Please reduce the length of the messages.",
        type: "invalid_request_error",
        param: null,
        code: "context_length_exceeded",
      },
    });
  });
});

describe("what an upstream says is put into OpenAI's words", () => {
  test.each<[ErrorClass, number, number, string, string | null]>([
    ["overloaded", 529, 503, "server_error", "overloaded"],
    ["quota", 402, 429, "insufficient_quota", "insufficient_quota"],
    ["auth", 403, 401, "invalid_request_error", "invalid_api_key"],
    ["rate_limit", 429, 429, "requests", "rate_limit_exceeded"],
    ["timeout", 408, 504, "server_error", "timeout"],
    ["bad_upstream", 424, 502, "server_error", null],
    ["model_not_found", 400, 404, "invalid_request_error", "model_not_found"],
    ["invalid_request", 422, 422, "invalid_request_error", null],
    ["unsupported", 400, 400, "invalid_request_error", "unsupported_parameter"],
  ])("%s with %i is %i %s %p", (kind, given, status, type, code) => {
    const answer = writeError({ class: kind, status: given, message: "x" });
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({ error: { type, code } });
  });
});

describe("envelopes no recording holds", () => {
  test.each<[string, number, unknown, Partial<WireError>]>([
    [
      "FastAPI's list",
      422,
      { detail: [{ loc: ["body"], msg: "a" }, { msg: "b" }] },
      { class: "invalid_request", message: "a; b", status: 422 },
    ],
    ["an error that is a text", 400, { error: "no such thing" }, { message: "no such thing" }],
    [
      "xAI's flat one",
      400,
      { code: "invalid-argument", error: "Incorrect API key provided. x" },
      { class: "auth" },
    ],
    [
      "a list",
      404,
      [{ error: { message: "models/x is not found", code: 404 } }],
      { class: "model_not_found" },
    ],
    [
      "HTML",
      502,
      "<html>bad gateway</html>",
      { class: "bad_upstream", message: "The model could not answer the request." },
    ],
    ["nothing", 500, "", { class: "server" }],
    ["a gateway's timeout", 504, {}, { class: "timeout" }],
    ["a conflict", 409, { error: { message: "x" } }, { class: "conflict", status: 409 }],
    ["too many bytes", 413, { error: { message: "x" } }, { class: "request_too_large" }],
    ["a wrong path", 404, { error: { message: "Invalid URL" } }, { class: "not_found" }],
    ["no permission", 403, { error: { message: "x" } }, { class: "permission" }],
  ])("%s", (_, status, body, expected) => {
    expect(read(status, body)).toMatchObject(expected);
  });
  test("a message that echoes the prompt does not decide the class", () => {
    const message = "Invalid value: 'please explain insufficient_quota and 429 rate limit'";
    expect(read(400, { error: { message } }).class).toBe("invalid_request");
    expect(read(500, { error: { message: "maximum context length is 5 tokens" } }).class).toBe(
      "server",
    );
  });
});

describe("secrets", () => {
  test.each([
    ["Incorrect API key provided: sk-proj-abc***def.", "sk-proj"],
    ["in organization org-AbC123 on tokens", "org-AbC123"],
    ["Project `proj_abc123` does not have access", "proj_abc123"],
    ["Bearer abcdef0123 is wrong", "abcdef0123"],
    ["key AIzaSyAbcdef is bad", "AIzaSy"],
    ["arn:aws:bedrock:us-east-1:123456789012:model", "123456789012"],
    ["projects/my-company-1/locations/x", "my-company-1"],
    ["Your api key: ****CODE is invalid", "CODE"],
    ["ask admin@example.com", "admin@"],
  ])("%s", (message, secret) => {
    expect(read(400, { error: { message } }).message).not.toContain(secret);
  });
  test("plain words stay", () => {
    const message = "The task-specific user_message of org chart sk is 12345 tokens: model-x.";
    expect(read(400, { error: { message } }).message).toBe(message);
  });
  test("take linear time, whatever stands in the message", () => {
    for (const text of [
      "*".repeat(4096),
      "a".repeat(1e6),
      "sk-".repeat(1e5),
      "user_".repeat(1e5),
    ]) {
      expect(read(400, { error: { message: text } }).message.length).toBeLessThan(6000);
    }
  });
});

test("whatever an error body holds, it is read without a throw", () => {
  const body = fc.oneof(
    fc.jsonValue(),
    fc.string(),
    fc.record({ error: fc.jsonValue(), message: fc.jsonValue(), detail: fc.jsonValue() }),
    fc.record({
      error: fc.record({
        code: fc.jsonValue(),
        message: fc.jsonValue(),
        metadata: fc.record({ raw: fc.jsonValue() }),
      }),
    }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 200, max: 599 }), body, (status, value) => {
      const error = read(status, value);
      expect(error.message).toMatch(/\S|^$/);
      expect(error.status).toBeGreaterThanOrEqual(400);
      expect(() => writeError(error)).not.toThrow();
      expect(() => readStreamError(value)).not.toThrow();
    }),
    { examples: [[200, { error: false, message: " ", detail: [{ msg: " " }] }]] },
  );
});
