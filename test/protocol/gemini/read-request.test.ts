import { describe, expect, test } from "bun:test";
import { Rejection } from "../../../src/core/rejection.ts";
import { codec } from "../../../src/protocol/gemini/codec.ts";
import type { Block } from "../../../src/protocol/ir/block.ts";
import { json, readRequest } from "./harness.ts";

const blocksOf = (...parts: readonly object[]): readonly Block[] =>
  readRequest(json({ contents: [{ role: "model", parts }] })).messages[0]!.blocks;
const blockOf = (part: object): unknown => json(blocksOf(part)[0]);
const SIGNED = { value: "c2ln", encoding: "plain", family: "google" };
const AT = { at: "contents[0].parts[0]" };

describe("a part is read as", () => {
  test.each<[string, object, object]>([
    ["text", { text: "a" }, { type: "text", text: "a" }],
    [
      "text with a proof",
      { text: "", thoughtSignature: "c2ln" },
      { type: "text", text: "", proof: SIGNED },
    ],
    [
      "a thought",
      { text: "hm", thought: true, thoughtSignature: "c2ln" },
      { type: "reasoning", text: "hm", signature: SIGNED },
    ],
    [
      "a proof alone",
      { thought: true, thoughtSignature: "c2ln" },
      { type: "reasoning", signature: SIGNED },
    ],
    [
      "a call",
      { functionCall: { id: "1", name: "f", args: { a: 1 } }, thoughtSignature: "c2ln" },
      { type: "tool_call", callId: "1", name: "f", argsValue: { a: 1 }, proof: SIGNED },
    ],
    ["a call of no arguments", { functionCall: { name: "f" } }, { type: "tool_call", name: "f" }],
    [
      "a result in words",
      { functionResponse: { name: "f", id: "1", response: { output: "12C" } } },
      {
        type: "tool_result",
        callId: "1",
        name: "f",
        content: [{ type: "text", text: "12C" }],
        bareString: true,
      },
    ],
    [
      "a failure in words",
      { functionResponse: { name: "f", response: { error: "no" } } },
      {
        type: "tool_result",
        name: "f",
        content: [{ type: "text", text: "no" }],
        bareString: true,
        isError: true,
      },
    ],
    [
      "a result of JSON",
      { functionResponse: { name: "f", response: { result: 1 } } },
      { type: "tool_result", name: "f", content: [{ type: "json", value: { result: 1 } }] },
    ],
    [
      "a picture",
      { inlineData: { mimeType: "image/png", data: "AA==" } },
      { type: "media", kind: "image", mime: "image/png", source: { kind: "base64", data: "AA==" } },
    ],
    [
      "a picture in the URL's alphabet",
      { inlineData: { mimeType: "image/png", data: "-_8" } },
      { type: "media", kind: "image", mime: "image/png", source: { kind: "base64", data: "+/8=" } },
    ],
    [
      "a document",
      { inlineData: { mimeType: "application/pdf", data: "AA==", displayName: "d.pdf" } },
      {
        type: "media",
        kind: "document",
        mime: "application/pdf",
        source: { kind: "base64", data: "AA==" },
        filename: "d.pdf",
      },
    ],
    [
      "a public address",
      { fileData: { fileUri: "https://a.example/b.mp3", mimeType: "audio/mp3" } },
      {
        type: "media",
        kind: "audio",
        mime: "audio/mp3",
        source: { kind: "url", url: "https://a.example/b.mp3" },
      },
    ],
    [
      "a video of a public site",
      { fileData: { fileUri: "https://www.youtube.com/watch?v=x" } },
      {
        type: "media",
        kind: "video",
        source: { kind: "url", url: "https://www.youtube.com/watch?v=x" },
      },
    ],
    [
      "a file of Google's own",
      { fileData: { fileUri: "gs://b/c.mp4", mimeType: "video/mp4" } },
      {
        type: "media",
        kind: "video",
        mime: "video/mp4",
        source: {
          kind: "reference",
          vendor: "gemini",
          raw: { fileUri: "gs://b/c.mp4", mimeType: "video/mp4" },
        },
      },
    ],
    [
      "code that Google ran",
      { executableCode: { id: "9", code: "1" }, thoughtSignature: "c2ln" },
      {
        type: "hosted_call",
        vendor: "gemini",
        toolType: "code_execution",
        callId: "9",
        raw: { executableCode: { id: "9", code: "1" } },
        proof: SIGNED,
      },
    ],
    [
      "a search that Google ran",
      { toolResponse: { toolType: "GOOGLE_SEARCH_WEB", response: {} } },
      {
        type: "hosted_result",
        vendor: "gemini",
        toolType: "GOOGLE_SEARCH_WEB",
        raw: { toolResponse: { toolType: "GOOGLE_SEARCH_WEB", response: {} } },
      },
    ],
    [
      "a picture of a thought, which is none of the answer's",
      { inlineData: { mimeType: "image/png", data: "AA==" }, thought: true },
      {
        type: "opaque",
        vendor: "gemini",
        wireType: "inlineData",
        raw: { inlineData: { mimeType: "image/png", data: "AA==" }, thought: true },
      },
    ],
    [
      "two things in one",
      { text: "a", functionCall: { name: "f" } },
      {
        type: "opaque",
        vendor: "gemini",
        wireType: "text",
        raw: { text: "a", functionCall: { name: "f" } },
      },
    ],
    [
      "what it does not know",
      { novel: 1, thoughtSignature: "c2ln" },
      {
        type: "opaque",
        vendor: "gemini",
        wireType: "novel",
        raw: { novel: 1, thoughtSignature: "c2ln" },
      },
    ],
    [
      "text with what it does not know",
      { text: "a", partMetadata: { b: 1 } },
      { type: "text", text: "a", ext: { gemini: { partMetadata: { b: 1 } } } },
    ],
  ])("%s", (_, part, block) => expect(blockOf(part)).toEqual(json({ ...block, ...AT })));
});

const SNAKE = {
  system_instruction: { role: "user", parts: [{ text: "s" }] },
  contents: [{ parts: [{ file_data: { file_uri: "https://a.example", mime_type: "image/png" } }] }],
  generation_config: {
    temperature: 0.5,
    top_p: 0.9,
    top_k: 4,
    max_output_tokens: 5,
    stop_sequences: ["x"],
    candidate_count: 2,
    seed: 3,
    presence_penalty: 0.1,
    frequency_penalty: 0.2,
    response_logprobs: true,
    logprobs: 1,
    response_mime_type: "application/json",
    response_json_schema: { type: "object" },
    response_modalities: ["TEXT", "AUDIO"],
    thinking_config: { thinking_level: "low", include_thoughts: true },
  },
  tool_config: { function_calling_config: { mode: "ANY", allowed_function_names: ["f", "g"] } },
  labels: { team: "a" },
  service_tier: "flex",
};

test("a request in snake case says what it says in camel case, and leaves nothing over", () => {
  const request = readRequest(json(SNAKE), true);
  expect(json(request)).toMatchObject({
    origin: "gemini",
    model: "gemini-x",
    stream: true,
    system: [{ type: "text", text: "s", at: "systemInstruction.parts[0]" }],
    messages: [{ role: "user", blocks: [{ type: "media", kind: "image" }] }],
    sampling: {
      temperature: 0.5,
      topP: 0.9,
      topK: 4,
      presencePenalty: 0.1,
      frequencyPenalty: 0.2,
    },
    maxOutputTokens: 5,
    stop: ["x"],
    candidates: 2,
    seed: 3,
    logprobs: { enabled: true, top: 1 },
    output: { kind: "schema", schema: { type: "object" }, schemaDialect: "json-schema" },
    modalities: ["text", "audio"],
    reasoning: { mode: "on", effort: "low", show: "summary" },
    toolChoice: { kind: "allowed", mode: "required", names: ["f", "g"] },
    metadata: { team: "a" },
    tier: "flex",
  });
  expect(Object.keys(request.ext?.gemini ?? {})).toEqual(["$spelling"]);
});

test("what a caller names is not the wire's to spell", () => {
  const { messages, tools, metadata, output } = readRequest(
    json({
      contents: [
        { role: "model", parts: [{ function_call: { name: "f_g", args: { a_b: { c_d: 1 } } } }] },
        { parts: [{ function_response: { name: "f_g", response: { a_b: { c_d: 1 } } } }] },
      ],
      tools: [
        { function_declarations: [{ name: "f_g", parameters: { properties: { a_b: {} } } }] },
      ],
      labels: { a_b: "c" },
      generation_config: {
        response_mime_type: "application/json",
        response_schema: { properties: { a_b: {} } },
      },
    }),
  );
  const said = json([messages.map(({ blocks }) => blocks), tools, metadata, output]);
  expect(said).toMatchObject([
    [
      [{ name: "f_g", argsValue: { a_b: { c_d: 1 } } }],
      [{ content: [{ value: { a_b: { c_d: 1 } } }] }],
    ],
    [{ name: "f_g", parameters: { properties: { a_b: {} } } }],
    { a_b: "c" },
    { schema: { properties: { a_b: {} } } },
  ]);
});

describe("thinking is asked", () => {
  test.each<[object, object]>([
    [{ thinkingBudget: 0 }, { mode: "off", budgetTokens: 0 }],
    [{ thinkingBudget: -1 }, { mode: "adaptive", budgetTokens: -1 }],
    [{ thinkingBudget: 512 }, { mode: "on", budgetTokens: 512 }],
    [{ thinkingLevel: "HIGH" }, { mode: "on", effort: "high" }],
    [{ includeThoughts: true }, { mode: "adaptive", show: "summary" }],
    [{ includeThoughts: false }, { mode: "adaptive", show: "omit" }],
  ])("%j", (thinkingConfig, reasoning) => {
    const { reasoning: read } = readRequest(
      json({ contents: [], generationConfig: { thinkingConfig } }),
    );
    expect(json(read)).toEqual({ ...json(reasoning), at: "generationConfig.thinkingConfig" });
  });
});

describe("a tool may be", () => {
  const toolsOf = (...tools: readonly object[]) =>
    json(readRequest(json({ contents: [], tools })).tools);
  test("a function, its parameters in either dialect", () => {
    const functionDeclarations = [
      { name: "a", description: "d", parameters: { type: "OBJECT" } },
      { name: "b", parametersJsonSchema: { type: "object" }, behavior: "BLOCKING" },
      { name: "c" },
    ];
    expect(toolsOf({ functionDeclarations })).toMatchObject([
      { kind: "function", name: "a", description: "d", schemaDialect: "openapi" },
      { name: "b", schemaDialect: "json-schema", ext: { gemini: { behavior: "BLOCKING" } } },
      { name: "c", schemaDialect: "json-schema", at: "tools[0].functionDeclarations[2]" },
    ]);
  });
  test("one that Google runs", () => {
    expect(toolsOf({ googleSearch: { a: 1 } })).toMatchObject([
      { kind: "hosted", vendor: "gemini", type: "googleSearch", raw: { googleSearch: { a: 1 } } },
    ]);
  });
});

test.each([
  ["AUTO", undefined, { kind: "auto" }],
  ["NONE", undefined, { kind: "none" }],
  ["ANY", undefined, { kind: "required" }],
  ["ANY", ["f"], { kind: "tool", name: "f" }],
  ["VALIDATED", undefined, { kind: "validated" }],
  ["VALIDATED", ["f"], { kind: "allowed", mode: "auto", names: ["f"] }],
] as const)("the choice %s of %j is understood", (mode, allowedFunctionNames, choice) => {
  const functionCallingConfig = { mode, allowedFunctionNames };
  const { toolChoice } = readRequest(json({ contents: [], toolConfig: { functionCallingConfig } }));
  expect(json(toolChoice)).toMatchObject(choice);
});

test.each<[string, object]>([
  ["contents", {}],
  ["contents", { contents: 7 }],
  ["contents[0]", { contents: ["hi"] }],
  ["contents[0].parts[1]", { contents: [{ parts: [{ text: "a" }, "hi"] }] }],
  ["tools[0]", { contents: [], tools: ["x"] }],
  ["tools[0].functionDeclarations[0]", { contents: [], tools: [{ functionDeclarations: [{}] }] }],
])("what cannot be a request is refused by name: %s", (param, body) => {
  const read = codec.readRequest(json(body), { model: "m", stream: false });
  expect(read).toBeInstanceOf(Rejection);
  expect((read as Rejection).reason).toMatchObject({ kind: "malformed", param });
});
