import { describe, expect, test } from "bun:test";
import { codec } from "../../../src/protocol/anthropic/codec.ts";
import type { Block, Citation, ResultContent } from "../../../src/protocol/ir/block.ts";
import type { IrRequest, Tool } from "../../../src/protocol/ir/request.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import { plain } from "./pieces.ts";

const BARE: IrRequest = {
  origin: "openai",
  model: "theirs",
  system: [],
  messages: [],
  tools: undefined,
  sampling: {},
  stream: false,
};

/** A request that came in another protocol and was made to fit, as it is spelled here. */
function written(change: Partial<IrRequest>) {
  const losses: Loss[] = [];
  const { capabilities } = codec;
  const report = (loss: Loss) => void losses.push(loss);
  const body = codec.writeRequest({ ...BARE, ...change }, { model: "m", capabilities, report });
  return { body: plain(body) as Record<string, unknown>, codes: losses.map(({ code }) => code) };
}
function blocksOf(...blocks: readonly Block[]) {
  const { body, codes } = written({ messages: [{ role: "user", blocks }] });
  const [message] = body["messages"] as { readonly content: unknown[] }[];
  return { content: message!.content, codes };
}

test("a request says what was asked, under the target's name for the model", () => {
  const { body, codes } = written({
    system: [{ type: "text", text: "s" }],
    messages: [
      { role: "user", blocks: [{ type: "text", text: "hi" }], bareString: true },
      { role: "tool", blocks: [{ type: "tool_result", callId: "a", content: [] }] },
    ],
    maxOutputTokens: 9,
    sampling: { temperature: 0.7, topP: 0.5, topK: 3 },
    stop: ["END"],
    endUser: "u",
    stream: true,
    autoCache: { ttl: "1h" },
  });
  expect(body).toEqual({
    model: "m",
    max_tokens: 9,
    cache_control: { type: "ephemeral", ttl: "1h" },
    system: [{ type: "text", text: "s" }],
    messages: [
      { role: "user", content: "hi" },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "a", content: [] }] },
    ],
    metadata: { user_id: "u" },
    stop_sequences: ["END"],
    stream: true,
    temperature: 0.7,
    top_k: 3,
    top_p: 0.5,
  });
  expect(codes).toEqual([]);
});

describe("thinking", () => {
  const asked = (reasoning: IrRequest["reasoning"]) => {
    const { thinking, output_config } = written({ reasoning }).body;
    return [thinking, output_config];
  };
  test("with a budget is manual, with a word adaptive", () => {
    expect(asked({ mode: "on", budgetTokens: 2048, show: "full" })).toEqual([
      { type: "enabled", budget_tokens: 2048, display: "summarized" },
      undefined,
    ]);
    expect(asked({ mode: "on", effort: "high" })).toEqual([
      { type: "adaptive" },
      { effort: "high" },
    ]);
    expect(asked({ mode: "adaptive", budgetTokens: -1 })).toEqual([
      { type: "adaptive" },
      undefined,
    ]);
  });
  test("switched off says so and no more", () => {
    expect(asked({ mode: "off", effort: "none", show: "omit" })).toEqual([
      { type: "disabled" },
      undefined,
    ]);
  });
});

describe("tools", () => {
  const tool: Tool = { kind: "function", name: "f", schemaDialect: "json-schema" };
  test("have a schema of an object", () => {
    const given = [undefined, null, {}, { properties: {} }, { type: "object", x: 1 }];
    const { body } = written({ tools: given.map((parameters) => ({ ...tool, parameters })) });
    const schemas = (body["tools"] as { input_schema: unknown }[]).map((each) => each.input_schema);
    expect(schemas).toEqual([
      { type: "object" },
      { type: "object" },
      { type: "object" },
      { type: "object", properties: {} },
      { type: "object", x: 1 },
    ]);
  });
  test("carry the mark that stood behind them", () => {
    const { body } = written({ tools: [tool, { kind: "cache_mark", cache: { ttl: "1h" } }] });
    expect(body["tools"]).toMatchObject([{ cache_control: { type: "ephemeral", ttl: "1h" } }]);
  });
  test("of another vendor are left out and said to be", () => {
    const hosted: Tool = { kind: "hosted", vendor: "responses", type: "web_search", raw: {} };
    expect(written({ tools: [hosted] })).toMatchObject({
      body: { tools: [] },
      codes: ["L-HOSTED"],
    });
  });
  test("forbidden in parallel need a choice, and that needs tools", () => {
    const serial = { parallelToolCalls: false };
    const choice = { type: "auto", disable_parallel_tool_use: true };
    expect(written({ ...serial, tools: [tool] }).body["tool_choice"]).toEqual(choice);
    expect(written(serial).body["tool_choice"]).toBeUndefined();
    const none = written({ ...serial, tools: [tool], toolChoice: { kind: "none" } });
    expect(none.body["tool_choice"]).toEqual({ type: "none" });
  });
});

describe("blocks", () => {
  test("are spelled as this wire has them", () => {
    const { content, codes } = blocksOf(
      { type: "refusal", text: "no" },
      { type: "tool_call", callId: "a", name: "f", args: '{"x":1}' },
      { type: "tool_call", callId: "b", name: "f", args: "" },
      { type: "search_result", source: "s", content: [] },
      { type: "media", kind: "image", mime: "image/png", source: { kind: "base64", data: "AA" } },
    );
    expect(content).toEqual([
      { type: "text", text: "no" },
      { type: "tool_use", id: "a", name: "f", input: { x: 1 } },
      { type: "tool_use", id: "b", name: "f", input: {} },
      { type: "search_result", source: "s", title: "s", content: [] },
      { type: "image", source: { type: "base64", media_type: "image/png", data: "AA" } },
    ]);
    expect(codes).toEqual([]);
  });
  test("of arguments that do not parse are wrapped and said to be", () => {
    const { content, codes } = blocksOf({ type: "tool_call", callId: "a", name: "f", args: "{x" });
    expect(content).toMatchObject([{ input: { _raw: "{x" } }]);
    expect(codes).toEqual(["L-ARGS-INVALID"]);
  });
  test("carry the mark that stood behind them", () => {
    const mark: Block = { type: "cache_mark", cache: {} };
    const { content } = blocksOf(mark, { type: "text", text: "a" }, mark, {
      type: "text",
      text: "b",
    });
    expect(content).toEqual([
      { type: "text", text: "a", cache_control: { type: "ephemeral" } },
      { type: "text", text: "b" },
    ]);
  });
  test("of Bedrock's redacted reasoning lose its extra layer", () => {
    const value = Buffer.from("RED").toString("base64");
    const sealed = { value, encoding: "base64-of-plain", family: "anthropic" } as const;
    expect(blocksOf({ type: "reasoning", sealed }).content).toEqual([
      { type: "redacted_thinking", data: "RED" },
    ]);
  });
  test("of text that came as bytes go as text, and other bytes as they are", () => {
    const document = (mime: string, bytes: Uint8Array): Block => ({
      type: "media",
      kind: "document",
      mime,
      filename: "a.txt",
      source: { kind: "base64", data: Buffer.from(bytes).toString("base64") },
    });
    const { content } = blocksOf(
      document("text/csv", new TextEncoder().encode("a;b\r\né")),
      document("text/plain", new Uint8Array([0xff])),
      document("application/pdf", new Uint8Array([1])),
    );
    expect(content).toMatchObject([
      { title: "a.txt", source: { type: "text", media_type: "text/plain", data: "a;b\r\né" } },
      { source: { type: "base64", media_type: "text/plain" } },
      { source: { type: "base64", media_type: "application/pdf" } },
    ]);
  });
  test("of results hold text, media and JSON", () => {
    const content: readonly ResultContent[] = [
      { type: "json", value: { a: 1 } },
      { type: "text", text: "t" },
      { type: "media", kind: "image", source: { kind: "url", url: "https://x.test" } },
    ];
    const result: Block = { type: "tool_result", callId: "a", content, isError: true };
    expect(blocksOf(result).content).toEqual([
      {
        type: "tool_result",
        tool_use_id: "a",
        is_error: true,
        content: [
          { type: "text", text: '{"a":1}' },
          { type: "text", text: "t" },
          { type: "image", source: { type: "url", url: "https://x.test" } },
        ],
      },
    ]);
  });
  test("that have no place are left out, each with its loss", () => {
    const raw = { x: 1 };
    const { content, codes } = blocksOf(
      { type: "media", kind: "audio", source: { kind: "base64", data: "AA" } },
      { type: "media", kind: "image", source: { kind: "reference", vendor: "responses", raw } },
      { type: "hosted_call", vendor: "gemini", toolType: "x", raw },
      { type: "compaction", vendor: "responses", raw },
      { type: "opaque", vendor: "cohere", wireType: "x", raw },
    );
    expect(content).toEqual([]);
    const unknown = "L-UNKNOWN-BLOCK";
    expect(codes).toEqual(["L-MODALITY", "L-FILEID", "L-HOSTED", unknown, unknown]);
  });
  test("cite documents; a web citation that Anthropic did not seal is not sent to it", () => {
    const citations: readonly Citation[] = [
      { quoted: "q", place: { kind: "char", start: 1, end: 2, documentIndex: 0 } },
      { place: { kind: "web" }, sources: [{ url: "https://x.test" }] },
    ];
    const { content, codes } = blocksOf({ type: "text", text: "t", citations });
    expect(content).toEqual([
      {
        type: "text",
        text: "t",
        citations: [
          {
            type: "char_location",
            cited_text: "q",
            document_index: 0,
            document_title: null,
            start_char_index: 1,
            end_char_index: 2,
            file_id: null,
          },
        ],
      },
    ]);
    expect(codes).toEqual(["L-CITE"]);
  });
});

test("what another protocol's node says for itself is not written", () => {
  const ext = { openai: { secret: 1 } };
  const { body } = written({
    ext,
    messages: [{ role: "user", blocks: [{ type: "text", text: "t", ext }], ext }],
    tools: [{ kind: "function", name: "f", schemaDialect: "json-schema", ext }],
    autoCache: { ext },
  });
  expect(JSON.stringify(body)).not.toContain("secret");
});
