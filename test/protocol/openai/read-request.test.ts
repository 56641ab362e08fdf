import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { Rejection } from "../../../src/core/rejection.ts";
import type { Json, JsonObject } from "../../../src/protocol/ir/json.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import { readRequest } from "../../../src/protocol/openai/read-request.ts";
import { writeRequest } from "../../../src/protocol/openai/write-request.ts";
import { parseJson, printJson } from "../../../src/wire/exact-json.ts";
import { fixture, haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";
import { bytesOf, plain, requestContext, requestOf } from "./kit.ts";

/** What comes back of a request: the same, or the reader or the writer is wrong. */
function again(body: JsonObject, losses: Loss[] = []): JsonObject {
  const request = requestOf(body);
  return plain(writeRequest(request, requestContext(request.model, losses)));
}
const user = (content: Json): JsonObject => ({ model: "m", messages: [{ role: "user", content }] });
const said = (...messages: readonly JsonObject[]): JsonObject => ({ model: "m", messages });

describe.skipIf(!haveRecordings)(`recorded requests ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  const requests = recordingsOf("openai-chat").flatMap(({ name, request }) =>
    request === undefined ? [] : [{ name, request }],
  );
  test("there are a hundred and fifty-nine", () => expect(requests).toHaveLength(159));
  for (const { name, request } of requests) {
    test(`${name}: comes out as it went in, and nothing is lost`, () => {
      const body = parseJson(request) as JsonObject;
      const losses: Loss[] = [];
      expect(again(body, losses)).toEqual(plain(body));
      expect(losses).toEqual([]);
    });
  }
  const captured = haveRecordings
    ? readdirSync(fixture("sdk-requests")).filter((name) => /openai-chat|groq|mistral/.test(name))
    : [];
  test("there are six captured ones", () => expect(captured).toHaveLength(6));
  for (const name of captured) {
    test(`${name}: an SDK's request comes out as it went in`, () => {
      const { body } = JSON.parse(readFileSync(fixture(`sdk-requests/${name}`), "utf8"));
      expect(again(body)).toEqual(body);
      expect(requestOf(body).ext).toBeUndefined();
    });
  }
});

describe("what the wire says in several ways comes out as it went in", () => {
  const call = (more: JsonObject = {}): JsonObject => ({
    id: "c1",
    type: "function",
    function: { name: "f", arguments: '{"a": 1.0}' },
    ...more,
  });
  const assistant = (more: JsonObject): JsonObject => said({ role: "assistant", ...more });
  const png = "data:image/png;base64,AAAA";
  test.each<[string, JsonObject]>([
    ["the older cap", { ...user("a"), max_tokens: 5 }],
    ["the newer cap", { ...user("a"), max_completion_tokens: 5 }],
    ["both caps", { ...user("a"), max_tokens: 5, max_completion_tokens: 6 }],
    ["nulls", { ...user("a"), temperature: null, stop: null, stream: null, tools: null }],
    ["stream off", { ...user("a"), stream: false }],
    ["stream options", { ...user("a"), stream: true, stream_options: { include_usage: false } }],
    ["empty stream options", { ...user("a"), stream_options: {} }],
    ["more stream options", { ...user("a"), stream_options: { include_obfuscation: true } }],
    ["one stop string", { ...user("a"), stop: "x" }],
    ["a list of one", { ...user("a"), stop: ["x"] }],
    ["a safety identifier", { ...user("a"), safety_identifier: "x" }],
    ["two names of a user", { ...user("a"), safety_identifier: "x", user: "y" }],
    ["metadata", { ...user("a"), metadata: { a: "b" } }],
    ["odd metadata", { ...user("a"), metadata: { a: 1 } }],
    ["no tools", { ...user("a"), tools: [] }],
    ["web search", { ...user("a"), web_search_options: { search_context_size: "low" } }],
    ["web search beside tools", { ...user("a"), tools: [{ type: "x" }], web_search_options: {} }],
    ["a word for effort", { ...user("a"), reasoning_effort: "xhigh" }],
    ["an unknown word", { ...user("a"), reasoning_effort: "ultra" }],
    ["OpenRouter's object", { ...user("a"), reasoning: { max_tokens: 9, exclude: true } }],
    ["Z.ai's switch", { ...user("a"), thinking: { type: "disabled", x: 1 } }],
    ["a format", { ...user("a"), response_format: { type: "json_object" } }],
    ["a grammar", { ...user("a"), response_format: { type: "grammar", grammar: "x" } }],
    [
      "a schema",
      {
        ...user("a"),
        response_format: {
          type: "json_schema",
          json_schema: { name: "n", schema: { type: "object" }, strict: null },
        },
      },
    ],
    ["a list of one text", user([{ type: "text", text: "a" }])],
    ["an empty list", user([])],
    ["a list with a text in it", user(["a"])],
    ["an empty text", user("")],
    ["no content", said({ role: "user" })],
    ["a name", said({ role: "user", name: "n", content: "a" })],
    ["an image", user([{ type: "image_url", image_url: { url: png, detail: "low" } }])],
    ["a bare image", user([{ type: "image_url", image_url: png }])],
    ["an image's URL", user([{ type: "image_url", image_url: { url: "https://a/b" } }])],
    [
      "odd data",
      user([{ type: "image_url", image_url: { url: "data:image/svg+xml,%3Csvg%2F%3E" } }]),
    ],
    [
      "data with parameters",
      user([{ type: "image_url", image_url: { url: "DATA:image/png;x=y;base64,AAAA" } }]),
    ],
    ["broken data", user([{ type: "image_url", image_url: { url: "data:,%" } }])],
    [
      "a file",
      user([
        { type: "file", file: { file_data: "data:application/pdf;base64,AA", filename: "f" } },
      ]),
    ],
    ["a bare file", user([{ type: "file", file: { file_data: "AAAA" } }])],
    ["a file id", user([{ type: "file", file: { file_id: "file-1" } }])],
    ["audio", user([{ type: "input_audio", input_audio: { data: "AA", format: "mp3" } }])],
    ["unknown audio", user([{ type: "input_audio", input_audio: { data: "AA", format: "x" } }])],
    ["a part nobody knows", user([{ type: "video_url", video_url: { url: "x" } }])],
    ["a part without a type", user([{ text: "a" }])],
    [
      "OpenAI's mark",
      user([
        { type: "text", text: "a", prompt_cache_breakpoint: { mode: "explicit", ttl: "12h" } },
      ]),
    ],
    [
      "the common mark",
      user([{ type: "text", text: "a", cache_control: { type: "ephemeral", ttl: "1h" } }]),
    ],
    [
      "both marks",
      user([
        {
          type: "text",
          text: "a",
          cache_control: { type: "ephemeral" },
          prompt_cache_breakpoint: { mode: "explicit" },
        },
      ]),
    ],
    [
      "a mark on a message",
      said({ role: "user", content: "a", cache_control: { type: "ephemeral" } }),
    ],
    [
      "a mark on a message and its part",
      said({
        role: "user",
        content: [{ type: "text", text: "a", cache_control: { type: "ephemeral" } }],
        cache_control: { type: "ephemeral" },
      }),
    ],
    [
      "a mark on a call",
      assistant({ tool_calls: [call({ cache_control: { type: "ephemeral" } })] }),
    ],
    [
      "a mark on a result",
      said({ role: "tool", tool_call_id: "c", content: "r", cache_control: { type: "ephemeral" } }),
    ],
    ["calls and no content", assistant({ content: null, tool_calls: [call()] })],
    ["calls and nothing", assistant({ tool_calls: [call()] })],
    ["an empty list of calls", assistant({ content: "a", tool_calls: [] })],
    ["a numbered call", assistant({ tool_calls: [call({ index: 0 })] })],
    [
      "a call without a type",
      assistant({ tool_calls: [{ id: "c", function: { name: "f", arguments: "" } }] }),
    ],
    ["a call without an id", assistant({ tool_calls: [call({ id: "" })] })],
    [
      "a call without arguments",
      assistant({ tool_calls: [{ id: "c", type: "function", function: { name: "f" } }] }),
    ],
    [
      "an object of arguments",
      assistant({ tool_calls: [call({ function: { name: "f", arguments: { a: 1 } } })] }),
    ],
    [
      "a custom call",
      assistant({ tool_calls: [{ id: "c", type: "custom", custom: { name: "f", input: "x" } }] }),
    ],
    ["a call nobody knows", assistant({ tool_calls: [{ id: "c", type: "mcp", mcp: {} }] })],
    [
      "Gemini's proof",
      assistant({ tool_calls: [call({ extra_content: { google: { thought_signature: "s" } } })] }),
    ],
    [
      "more than a proof",
      assistant({
        tool_calls: [call({ extra_content: { google: { thought_signature: "s", x: 1 } } })],
      }),
    ],
    [
      "the first tools",
      { ...user("a"), functions: [{ name: "f", parameters: {} }], function_call: { name: "f" } },
    ],
    ["a first call", assistant({ content: null, function_call: { name: "f", arguments: "{}" } })],
    ["a first result", said({ role: "function", name: "f", content: "r" })],
    [
      "a result in parts",
      said({ role: "tool", tool_call_id: "c", content: [{ type: "text", text: "r" }] }),
    ],
    [
      "a result with a refusal",
      said({ role: "tool", tool_call_id: "c", content: [{ type: "refusal", refusal: "r" }] }),
    ],
    ["a refusal", assistant({ refusal: "no" })],
    ["a refusal in parts", assistant({ content: [{ type: "refusal", refusal: "no" }] })],
    ["audio said before", assistant({ audio: { id: "audio_1" } })],
    ["reasoning", assistant({ content: "a", reasoning_content: "r" })],
    ["reasoning twice", assistant({ content: "a", reasoning: "r", reasoning_content: "r" })],
    ["two sorts of it", assistant({ content: "a", reasoning: "r", reasoning_content: "s" })],
    ["empty reasoning", assistant({ content: "a", reasoning: "" })],
    [
      "details",
      assistant({
        content: "a",
        reasoning: "r",
        reasoning_details: [
          {
            type: "reasoning.text",
            text: "r",
            signature: "s",
            format: "anthropic-claude-v1",
            index: 0,
          },
          { type: "reasoning.encrypted", data: "d", format: "anthropic-claude-v1", index: 1 },
          { type: "reasoning.new", x: 1 },
        ],
      }),
    ],
    [
      "Mistral's parts",
      assistant({
        content: [
          {
            type: "thinking",
            thinking: [{ type: "text", text: "a" }, { type: "x" }],
            closed: true,
          },
          { type: "text", text: "b" },
        ],
      }),
    ],
    [
      "annotations",
      assistant({
        content: "a",
        annotations: [
          {
            type: "url_citation",
            url_citation: { url: "u", title: "t", start_index: 0, end_index: 1 },
          },
        ],
      }),
    ],
    ["other annotations", assistant({ content: "a", annotations: [{ type: "file", file: {} }] })],
    ["a prefix", assistant({ content: "a", prefix: true })],
    ["a word of choice", { ...user("a"), tool_choice: "any" }],
    ["one tool", { ...user("a"), tool_choice: { type: "function", function: { name: "f" } } }],
    ["one custom tool", { ...user("a"), tool_choice: { type: "custom", custom: { name: "f" } } }],
    [
      "some tools",
      {
        ...user("a"),
        tool_choice: {
          type: "allowed_tools",
          allowed_tools: { mode: "auto", tools: [{ type: "function", function: { name: "f" } }] },
        },
      },
    ],
    ["a choice nobody knows", { ...user("a"), tool_choice: { type: "x" } }],
    [
      "a strict tool",
      { ...user("a"), tools: [{ type: "function", function: { name: "f", strict: null } }] },
    ],
    [
      "a grammar's tool",
      {
        ...user("a"),
        tools: [
          {
            type: "custom",
            custom: {
              name: "f",
              format: { type: "grammar", grammar: { syntax: "lark", definition: "x" } },
            },
          },
        ],
      },
    ],
    ["a number no double holds", { ...user("a"), seed: JSON.parse("1") as number }],
  ])("%s", (_, body) => {
    const losses: Loss[] = [];
    expect(again(body, losses)).toEqual(plain(body));
    expect(losses).toEqual([]);
  });

  test("numbers too exact for a double, in schemas and beside them", () => {
    const text =
      '{"model":"m","messages":[],"tools":[{"type":"function","function":{"name":"f",' +
      '"parameters":{"const":12345678901234567890}}}],"x":0.12345678901234567890}';
    const request = requestOf(parseJson(bytesOf(text)) as JsonObject);
    const written = printJson(writeRequest(request, requestContext("m")));
    for (const exact of ["12345678901234567890", "0.12345678901234567890"]) {
      expect(written).toContain(exact);
    }
  });
});

describe("what a request means", () => {
  const blocks = (...messages: readonly JsonObject[]) =>
    requestOf(said(...messages)).messages.flatMap((message) => message.blocks);

  test("paths name where a thing stood", () => {
    const request = requestOf({
      ...said(
        { role: "user", content: [{ type: "text", text: "a" }] },
        {
          role: "assistant",
          reasoning: "r",
          tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "" } }],
        },
      ),
      tools: [{ type: "function", function: { name: "f" } }],
    });
    expect(
      request.messages.flatMap((message) => [message.at, ...message.blocks.map(({ at }) => at)]),
    ).toEqual([
      "messages[0]",
      "messages[0].content[0]",
      "messages[1]",
      "messages[1].reasoning",
      "messages[1].tool_calls[0]",
    ]);
    expect(request.tools?.map(({ at }) => at)).toEqual(["tools[0]"]);
  });
  test("a data URL is its bytes, however it is spelled", () => {
    const image = (url: string) =>
      blocks({ role: "user", content: [{ type: "image_url", image_url: { url } }] })[0];
    const source = { kind: "base64", data: "PHN2Zy8+" };
    expect(image("data:image/svg+xml;base64,PHN2Zy8+")).toMatchObject({
      mime: "image/svg+xml",
      source,
    });
    expect(image("data:image/svg+xml,%3Csvg%2F%3E")).toMatchObject({
      mime: "image/svg+xml",
      source,
    });
    expect(image("data:image/svg+xml;charset=utf-8;base64,PHN2Zy8+")).toMatchObject({ source });
    expect(image("https://a/b.png")).toMatchObject({
      source: { kind: "url", url: "https://a/b.png" },
    });
  });
  test("a mark on a message is one on its last block", () => {
    const cache_control = { type: "ephemeral", ttl: "1h" };
    const content = [
      { type: "text", text: "a" },
      { type: "text", text: "b" },
    ];
    const [first, last] = blocks({ role: "user", content, cache_control });
    expect([first, last]).toMatchObject([{ cache: undefined }, { cache: { ttl: "1h" } }]);
  });
  test("a proof belongs to whom its format names, or to whoever writes none", () => {
    const detail = (more: JsonObject) =>
      blocks({
        role: "assistant",
        reasoning_details: [{ type: "reasoning.text", text: "t", signature: "s", ...more }],
      });
    const family = (format?: string) =>
      detail(format === undefined ? {} : { format }).map(
        (block) => "signature" in block && block.signature?.family,
      );
    expect(family()).toEqual(["anthropic"]);
    expect(family("google-gemini-v1")).toEqual(["google"]);
    expect(family("openai-responses-v1")).toEqual(["openai"]);
    expect(family("azure-openai-responses-v1")).toEqual(["openai"]);
    expect(family("xai-responses-v1")).toEqual(["other"]);
  });
  test("a seal with a call's id is that call's proof", () => {
    const read = blocks({
      role: "assistant",
      reasoning_details: [{ type: "reasoning.encrypted", id: "c1", data: "p" }],
      tool_calls: [{ id: "c1", type: "function", function: { name: "f", arguments: "{}" } }],
    });
    const signature = { value: "p", encoding: "plain", family: "google" };
    expect(read[0]).toMatchObject({ signature, carries: { proofOf: "call", callId: "c1" } });
  });
  test("extensions that mean what OpenAI's words mean are read as those", () => {
    const asks = [
      { reasoning: { effort: "high" } },
      { thinking: { type: "disabled" } },
      { top_k: 5 },
    ];
    const [effort, off, topK] = asks.map((ask) => requestOf({ ...user("a"), ...ask }));
    expect(effort!.reasoning).toMatchObject({ mode: "on", effort: "high" });
    expect(off!.reasoning).toMatchObject({ mode: "off" });
    expect(topK!.sampling.topK).toBe(5);
  });
});

describe("what cannot be read at all is refused, by name", () => {
  test.each<[JsonObject, string]>([
    [{ model: "m" }, "messages"],
    [{ model: "m", messages: "a" }, "messages"],
    [{ model: "m", messages: ["a"] }, "messages[0]"],
    [
      { model: "m", messages: [{ role: "user", content: "a" }, { content: "b" }] },
      "messages[1].role",
    ],
    [{ model: "m", messages: [{ role: "constructor", content: "b" }] }, "messages[0].role"],
  ])("%j: %s", (body, param) => {
    const read = readRequest(body, { model: "m", stream: false });
    expect(read).toBeInstanceOf(Rejection);
    expect((read as Rejection).reason).toMatchObject({ kind: "malformed", param });
  });
});

describe("whatever a request holds", () => {
  const part = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        type: fc.constantFrom(
          "text",
          "image_url",
          "input_audio",
          "file",
          "refusal",
          "thinking",
          "x",
        ),
        text: fc.jsonValue(),
        image_url: fc.oneof(
          fc.jsonValue(),
          fc.record({
            url: fc.oneof(
              fc.webUrl(),
              fc.string().map((text) => `data:${text}`),
            ),
          }),
        ),
        input_audio: fc.jsonValue(),
        file: fc.oneof(fc.jsonValue(), fc.record({ file_data: fc.string() })),
        thinking: fc.jsonValue(),
        cache_control: fc.jsonValue(),
      },
      { requiredKeys: ["type"] },
    ),
  );
  const call = fc.record(
    {
      id: fc.jsonValue(),
      type: fc.constantFrom("function", "custom", "x"),
      function: fc.jsonValue(),
      custom: fc.jsonValue(),
      extra_content: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const message = fc.record(
    {
      role: fc.constantFrom("system", "developer", "user", "assistant", "tool", "function"),
      content: fc.oneof(fc.jsonValue(), fc.array(part, { maxLength: 3 })),
      name: fc.jsonValue(),
      tool_calls: fc.oneof(fc.jsonValue(), fc.array(call, { maxLength: 2 })),
      tool_call_id: fc.jsonValue(),
      function_call: fc.jsonValue(),
      refusal: fc.jsonValue(),
      reasoning: fc.jsonValue(),
      reasoning_content: fc.jsonValue(),
      reasoning_details: fc.oneof(
        fc.jsonValue(),
        fc.array(
          fc.record({
            type: fc.constantFrom("reasoning.text", "reasoning.encrypted"),
            id: fc.jsonValue(),
            text: fc.jsonValue(),
            data: fc.jsonValue(),
          }),
        ),
      ),
      audio: fc.jsonValue(),
      annotations: fc.jsonValue(),
      cache_control: fc.jsonValue(),
    },
    { requiredKeys: ["role"] },
  );
  const NAMES = [
    ...["tools", "functions", "tool_choice", "function_call", "stop", "stream_options", "metadata"],
    ...["reasoning", "reasoning_effort", "thinking", "response_format", "web_search_options", "n"],
    ...["logprobs", "top_logprobs", "modalities", "max_tokens", "max_completion_tokens", "user"],
    ...["stream", "temperature", "logit_bias", "__proto__", "constructor", "toString"],
  ];
  const body = fc.record({
    messages: fc.array(message, { maxLength: 4 }),
    rest: fc.dictionary(fc.constantFrom(...NAMES), fc.jsonValue(), { noNullPrototype: false }),
  });

  test("it is read, and comes out as it went in", () => {
    fc.assert(
      fc.property(body, ({ messages, rest }) => {
        // By way of text, so that `__proto__` is a member like any other.
        const text = JSON.stringify({ model: "m", messages }).slice(0, -1);
        const more = Object.entries(rest).map(
          ([name, value]) => `,${JSON.stringify(name)}:${JSON.stringify(value)}`,
        );
        const given = `${text}${more.join("")}}`;
        const parsed = JSON.parse(given) as JsonObject;
        const request = requestOf(parsed);
        const written = printJson(writeRequest(request, requestContext("m")));
        expect(JSON.parse(written)).toEqual(JSON.parse(given));
      }),
      { numRuns: 500 },
    );
  });
});
