import { describe, expect, test } from "bun:test";
import type { Capabilities } from "../../../src/core/capabilities.ts";
import { codec } from "../../../src/protocol/gemini/codec.ts";
import type { Block } from "../../../src/protocol/ir/block.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import type { IrRequest, Message, ReasoningAsk } from "../../../src/protocol/ir/request.ts";
import { json } from "./harness.ts";

const REQUEST: IrRequest = {
  origin: "anthropic",
  model: "claude-x",
  system: [],
  messages: [],
  tools: undefined,
  sampling: {},
  stream: false,
};
function written(request: Partial<IrRequest>, change: Partial<Capabilities> = {}) {
  const losses: Loss[] = [];
  const capabilities = { ...codec.capabilities, ...change };
  const report = (loss: Loss) => void losses.push(loss);
  const context = { model: "m", capabilities, report };
  return { body: json(codec.writeRequest({ ...REQUEST, ...request }, context)), losses };
}
const said = (role: Message["role"], ...blocks: readonly Block[]): Message => ({ role, blocks });
function partsOf(block: Block, role: Message["role"] = "user") {
  const { body, losses } = written({ messages: [said(role, block)] });
  const [content] = json(body)["contents"] as unknown as { parts?: object[] }[];
  return { parts: content?.parts ?? [], codes: losses.map(({ code }) => code) };
}

test("a request of another protocol is Google's own", () => {
  const { body, losses } = written({
    system: [
      { type: "text", text: "a" },
      { type: "text", text: "b" },
    ],
    messages: [
      said("user", { type: "text", text: "hi" }),
      said("assistant", { type: "tool_call", callId: "c1", name: "f", args: '{"x":1}' }),
      said("user", {
        type: "tool_result",
        callId: "c1",
        name: "f",
        content: [{ type: "text", text: "12C" }],
      }),
    ],
    tools: [
      { kind: "function", name: "f", parameters: { type: "object" }, schemaDialect: "json-schema" },
      { kind: "function", name: "g", description: "d", schemaDialect: "json-schema" },
    ],
    toolChoice: { kind: "tool", name: "f" },
    sampling: { temperature: 0.7, topK: 3 },
    maxOutputTokens: 9,
    stop: ["END"],
    output: { kind: "schema", schema: { type: "object" }, schemaDialect: "json-schema" },
  });
  expect(body).toEqual(
    json({
      contents: [
        { role: "user", parts: [{ text: "hi" }] },
        { role: "model", parts: [{ functionCall: { id: "c1", name: "f", args: { x: 1 } } }] },
        {
          role: "user",
          parts: [{ functionResponse: { id: "c1", name: "f", response: { output: "12C" } } }],
        },
      ],
      systemInstruction: { parts: [{ text: "a" }, { text: "b" }] },
      tools: [
        {
          functionDeclarations: [
            { name: "f", parametersJsonSchema: { type: "object" } },
            { name: "g", description: "d" },
          ],
        },
      ],
      toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["f"] } },
      generationConfig: {
        temperature: 0.7,
        topK: 3,
        maxOutputTokens: 9,
        stopSequences: ["END"],
        responseMimeType: "application/json",
        responseJsonSchema: { type: "object" },
      },
    }),
  );
  expect(losses).toEqual([]);
});

describe("a result is an object", () => {
  const resultOf = (result: Partial<Extract<Block, { type: "tool_result" }>>) => {
    const { parts } = partsOf({ type: "tool_result", name: "f", content: [], ...result });
    const [part] = parts as { functionResponse: { response: object; parts?: object } }[];
    return part!.functionResponse;
  };
  test.each<[string, Parameters<typeof resultOf>[0], object]>([
    ["nothing", {}, { output: "" }],
    [
      "several texts",
      {
        content: [
          { type: "text", text: "a" },
          { type: "text", text: "b" },
        ],
      },
      { output: "a\nb" },
    ],
    ["a failure", { content: [{ type: "text", text: "no" }], isError: true }, { error: "no" }],
    ["an object", { content: [{ type: "json", value: { a: 1 } }] }, { a: 1 }],
    ["a list", { content: [{ type: "json", value: [1] }] }, { output: [1] }],
    [
      "an object of a failure",
      { content: [{ type: "json", value: { a: 1 } }], isError: true },
      { error: { a: 1 } },
    ],
    [
      "text and an object",
      {
        content: [
          { type: "text", text: "t" },
          { type: "json", value: { a: 1 } },
        ],
      },
      { output: ["t", { a: 1 }] },
    ],
  ])("%s", (_, result, response) => expect(resultOf(result).response).toEqual(response));

  test("with its pictures beside it", () => {
    const picture: Block = {
      type: "media",
      kind: "image",
      mime: "image/png",
      source: { kind: "base64", data: "AA==" },
    };
    expect(resultOf({ content: [{ type: "text", text: "see" }, picture] })).toMatchObject({
      response: { output: "see" },
      parts: [{ inlineData: { mimeType: "image/png", data: "AA==" } }],
    });
  });
});

test.each<[string, Block, object[], string[]]>([
  [
    "an address",
    { type: "media", kind: "image", source: { kind: "url", url: "https://a" } },
    [{ fileData: { fileUri: "https://a" } }],
    [],
  ],
  [
    "a text document",
    { type: "media", kind: "document", filename: "n", source: { kind: "text", text: "ä" } },
    [{ inlineData: { mimeType: "text/plain", data: "w6Q=" } }],
    [],
  ],
  [
    "another vendor's file",
    { type: "media", kind: "image", source: { kind: "reference", vendor: "openai", raw: {} } },
    [],
    ["L-FILEID"],
  ],
  ["a cache mark", { type: "cache_mark", cache: {} }, [], ["L-CACHE"]],
  [
    "another vendor's tool",
    { type: "hosted_call", vendor: "openai", toolType: "x", raw: {} },
    [],
    ["L-HOSTED"],
  ],
  [
    "another vendor's block",
    { type: "opaque", vendor: "openai", wireType: "x", raw: {} },
    [],
    ["L-UNKNOWN-BLOCK"],
  ],
  ["a refusal", { type: "refusal", text: "no" }, [{ text: "no" }], []],
  [
    "a call of no arguments",
    { type: "tool_call", name: "f", args: "" },
    [{ functionCall: { name: "f", args: {} } }],
    [],
  ],
  [
    "a call with a proof",
    {
      type: "tool_call",
      name: "f",
      argsValue: {},
      proof: { value: "p", encoding: "plain", family: "google" },
    },
    [{ functionCall: { name: "f", args: {} }, thoughtSignature: "p" }],
    [],
  ],
])("%s is written as far as the wire goes", (_, block, parts, codes) => {
  const { parts: spelled, codes: reported } = partsOf(block);
  expect(spelled).toEqual(json(parts) as unknown as object[]);
  expect(reported.map(String)).toEqual(codes);
});

describe("thinking is asked for", () => {
  const askedOf = (reasoning: ReasoningAsk, change?: Partial<Capabilities>) => {
    const { body, losses } = written({ reasoning }, change);
    expect(losses).toEqual([]);
    return json(body["generationConfig"])["thinkingConfig"];
  };
  const levels = { reasoning: "effort" } as const;
  test("by a budget, shown or not as it was asked", () => {
    const ask = { mode: "on", budgetTokens: 2048 } as const;
    expect(askedOf(ask)).toEqual(json({ thinkingBudget: 2048 }));
    const shown = { ...ask, show: "summary" } as const;
    expect(askedOf(shown)).toEqual(json({ thinkingBudget: 2048, includeThoughts: true }));
    const hidden = { ...ask, show: "omit" } as const;
    expect(askedOf(hidden)).toEqual(json({ thinkingBudget: 2048, includeThoughts: false }));
  });
  test("by a level where the model has levels, never by both", () => {
    const ask = { mode: "on", effort: "max", budgetTokens: 9 } as const;
    expect(askedOf(ask, levels)).toEqual(json({ thinkingLevel: "HIGH" }));
    expect(askedOf(ask)).toEqual(json({ thinkingBudget: 9 }));
  });
  test("not at all, or as the model sees fit", () => {
    expect(askedOf({ mode: "off" })).toEqual(json({ thinkingBudget: 0 }));
    expect(askedOf({ mode: "adaptive", budgetTokens: -1 })).toEqual(json({ thinkingBudget: -1 }));
  });
});

test("one resolution is asked for all pictures, when they agree", () => {
  const picture = (detail: string): Block => ({
    type: "media",
    kind: "image",
    mime: "image/png",
    source: { kind: "base64", data: "AA==" },
    detail,
  });
  const resolutionOf = (...details: readonly string[]) => {
    const { body, losses } = written({ messages: [said("user", ...details.map(picture))] });
    const config = json(body["generationConfig"] ?? {});
    return [config["mediaResolution"], losses.map(({ action }) => action)] as unknown;
  };
  expect(resolutionOf("auto")).toEqual([undefined, []]);
  expect(resolutionOf("low", "low")).toEqual([
    "MEDIA_RESOLUTION_LOW",
    ["approximated", "approximated"],
  ]);
  expect(resolutionOf("low", "high")).toEqual([undefined, ["dropped", "dropped"]]);
});

test("no choice is made among no tools", () => {
  expect(written({ toolChoice: { kind: "auto" } }).body).toEqual({ contents: [] });
});

test("tools that the wire does not have are left out and reported", () => {
  const { body, losses } = written({
    tools: [
      { kind: "freeform", name: "x" },
      { kind: "hosted", vendor: "openai", type: "web_search", raw: {} },
      { kind: "function", name: "f", schemaDialect: "openapi", parameters: { type: "OBJECT" } },
      { kind: "cache_mark", cache: {} },
    ],
  });
  expect(body["tools"]).toEqual(
    json([{ functionDeclarations: [{ name: "f", parameters: { type: "OBJECT" } }] }]),
  );
  expect(losses.map(({ code, path }) => [code, path])).toEqual([
    ["L-FREEFORM", "tools[0]"],
    ["L-HOSTED", "tools[1]"],
    ["L-CACHE", "tools[3]"],
  ]);
});
