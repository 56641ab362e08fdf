import { describe, expect, test } from "bun:test";
import type { Block } from "../../../src/protocol/ir/block.ts";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import type { IrRequest, Message } from "../../../src/protocol/ir/request.ts";
import { capabilities } from "../../../src/protocol/responses/capabilities.ts";
import { writeRequest } from "../../../src/protocol/responses/write-request.ts";
import { plain } from "./recorded.ts";

const PLAIN: IrRequest = {
  origin: "anthropic",
  model: "claude",
  system: [],
  messages: [],
  tools: undefined,
  sampling: {},
  stream: false,
};
function written(change: Partial<IrRequest>) {
  const losses: Loss[] = [];
  const report = (loss: Loss) => void losses.push(loss);
  const body = writeRequest({ ...PLAIN, ...change }, { model: "gpt-5", capabilities, report });
  return { body: plain(body) as JsonObject, codes: losses.map(({ code }) => code) };
}
const inputOf = (...messages: Message[]) => {
  const { body, codes } = written({ messages });
  return { input: body["input"], codes };
};
const user = (...blocks: Block[]): Message => ({ role: "user", blocks });
const assistant = (...blocks: Block[]): Message => ({ role: "assistant", blocks });

describe("another protocol's request", () => {
  test("says that nothing is to be stored", () => {
    expect(written({}).body).toEqual({ model: "gpt-5", input: [], store: false });
  });
  test("its knobs have this wire's names", () => {
    const { body } = written({
      system: [{ type: "text", text: "be" }],
      maxOutputTokens: 9,
      sampling: { temperature: 0.5, topP: 0.25 },
      parallelToolCalls: false,
      stream: true,
      cacheKey: "k",
      endUser: "u",
      metadata: { a: "b" },
      tier: "flex",
      verbosity: "low",
      output: {
        kind: "schema",
        schema: { type: "object" },
        schemaDialect: "json-schema",
        strict: true,
      },
      logprobs: { enabled: true, top: 3 },
      reasoning: { mode: "on", effort: "low", show: "full", wantSealed: true },
    });
    expect(body).toEqual({
      model: "gpt-5",
      instructions: "be",
      input: [],
      max_output_tokens: 9,
      temperature: 0.5,
      top_p: 0.25,
      parallel_tool_calls: false,
      stream: true,
      store: false,
      prompt_cache_key: "k",
      user: "u",
      metadata: { a: "b" },
      service_tier: "flex",
      text: {
        format: { type: "json_schema", name: "response", schema: { type: "object" }, strict: true },
        verbosity: "low",
      },
      include: ["reasoning.encrypted_content", "message.output_text.logprobs"],
      top_logprobs: 3,
      reasoning: { effort: "low", summary: "auto" },
    });
  });
  test("sealed reasoning alone asks for no effort", () => {
    const { body } = written({ reasoning: { mode: "on", wantSealed: true } });
    expect(body).toMatchObject({ include: ["reasoning.encrypted_content"] });
    expect(body["reasoning"]).toBeUndefined();
  });
  test("its tools are not strict unless they say so, and have parameters", () => {
    const { body } = written({
      tools: [
        { kind: "function", name: "f", schemaDialect: "json-schema" },
        { kind: "function", name: "g", schemaDialect: "json-schema", strict: true, parameters: {} },
        { kind: "freeform", name: "h" },
      ],
    });
    expect(body["tools"]).toEqual([
      { type: "function", name: "f", parameters: null, strict: false },
      { type: "function", name: "g", parameters: {}, strict: true },
      { type: "custom", name: "h" },
    ]);
  });
  test.each<[IrRequest["toolChoice"], unknown]>([
    [{ kind: "required" }, "required"],
    [{ kind: "validated" }, "auto"],
    [
      { kind: "tool", name: "f" },
      { type: "function", name: "f" },
    ],
    [
      { kind: "tool", name: "f", toolType: "custom" },
      { type: "custom", name: "f" },
    ],
    [
      { kind: "allowed", mode: "auto", names: ["f"] },
      { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "f" }] },
    ],
  ])("its choice %j", (toolChoice, expected) => {
    expect(written({ toolChoice }).body["tool_choice"]).toEqual(expected as never);
  });
});

describe("another protocol's history", () => {
  test("is a list of items, calls and results apart from what is said", () => {
    const { input, codes } = inputOf(
      user({ type: "text", text: "a" }, { type: "text", text: "b", cache: { ttl: "30m" } }),
      assistant(
        { type: "text", text: "c" },
        { type: "tool_call", callId: "1", name: "f", argsValue: { x: [1, 2] } },
        { type: "tool_call", callId: "2", name: "g", args: "" },
        { type: "text", text: "d" },
      ),
      {
        role: "tool",
        blocks: [
          {
            type: "tool_result",
            callId: "1",
            content: [{ type: "text", text: "r" }],
            bareString: true,
          },
        ],
      },
      user(
        {
          type: "tool_result",
          callId: "2",
          content: [
            { type: "json", value: { a: 1 } },
            {
              type: "media",
              kind: "image",
              mime: "image/png",
              source: { kind: "base64", data: "AA" },
            },
          ],
        },
        { type: "text", text: "e" },
      ),
    );
    expect(codes).toEqual([]);
    expect(input).toEqual([
      {
        role: "user",
        content: [
          { type: "input_text", text: "a" },
          {
            type: "input_text",
            text: "b",
            prompt_cache_breakpoint: { mode: "explicit", ttl: "30m" },
          },
        ],
      },
      { role: "assistant", content: "c" },
      { type: "function_call", call_id: "1", name: "f", arguments: '{"x":[1,2]}' },
      { type: "function_call", call_id: "2", name: "g", arguments: "{}" },
      { role: "assistant", content: "d" },
      { type: "function_call_output", call_id: "1", output: "r" },
      {
        type: "function_call_output",
        call_id: "2",
        output: [
          { type: "input_text", text: '{"a":1}' },
          { type: "input_image", image_url: "data:image/png;base64,AA", detail: "auto" },
        ],
      },
      { role: "user", content: [{ type: "input_text", text: "e" }] },
    ]);
  });
  test("sealed reasoning goes back before the call it belongs to", () => {
    const sealed = { value: "e", encoding: "plain", family: "openai" } as const;
    const { input } = inputOf(
      assistant(
        { type: "reasoning", summary: ["hm"], sealed },
        { type: "tool_call", callId: "1", name: "f", args: "{}" },
      ),
    );
    expect(input).toEqual([
      {
        type: "reasoning",
        summary: [{ type: "summary_text", text: "hm" }],
        encrypted_content: "e",
      },
      { type: "function_call", call_id: "1", name: "f", arguments: "{}" },
    ]);
  });
  test.each<[string, Block, unknown]>([
    [
      "a PDF",
      {
        type: "media",
        kind: "document",
        mime: "application/pdf",
        title: "t",
        source: { kind: "base64", data: "AA" },
      },
      { type: "input_file", file_data: "data:application/pdf;base64,AA", filename: "t" },
    ],
    [
      "a PDF by URL",
      { type: "media", kind: "document", source: { kind: "url", url: "https://x.test/a.pdf" } },
      { type: "input_file", file_url: "https://x.test/a.pdf" },
    ],
    [
      "a text",
      { type: "media", kind: "document", mime: "text/plain", source: { kind: "text", text: "hä" } },
      { type: "input_file", file_data: "data:text/plain;base64,aMOk", filename: "file.txt" },
    ],
    [
      "a picture by URL",
      {
        type: "media",
        kind: "image",
        detail: "low",
        source: { kind: "url", url: "https://x.test/a.png" },
      },
      { type: "input_image", image_url: "https://x.test/a.png", detail: "low" },
    ],
  ])("%s is a part of a user's message", (_, block, part) => {
    expect(inputOf(user(block))).toEqual({
      input: [{ role: "user", content: [part] }] as never,
      codes: [],
    });
  });
  test.each<[string, Message, string]>([
    [
      "a foreign file id",
      user({
        type: "media",
        kind: "image",
        source: { kind: "reference", vendor: "anthropic", raw: {} },
      }),
      "L-FILEID",
    ],
    [
      "a sound",
      user({ type: "media", kind: "audio", source: { kind: "base64", data: "AA" } }),
      "L-UNKNOWN-BLOCK",
    ],
    [
      "another vendor's tool",
      assistant({ type: "hosted_call", vendor: "anthropic", toolType: "x", raw: {} }),
      "L-HOSTED",
    ],
    [
      "an assistant's picture",
      assistant({ type: "media", kind: "image", source: { kind: "base64", data: "AA" } }),
      "L-ASSISTANT-MEDIA",
    ],
    [
      "an unknown block",
      user({ type: "opaque", vendor: "gemini", wireType: "x", raw: {} }),
      "L-UNKNOWN-BLOCK",
    ],
  ])("%s that `prepare` let through is left out and reported", (_, message, code) => {
    expect(inputOf(message).codes).toEqual([code as never]);
  });
});
