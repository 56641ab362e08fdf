import { describe, expect, test } from "bun:test";
import type { Capabilities } from "../../../src/core/capabilities.ts";
import { capabilities } from "../../../src/protocol/bedrock/capabilities.ts";
import { writeRequest } from "../../../src/protocol/bedrock/write-request.ts";
import type { Block, MediaBlock } from "../../../src/protocol/ir/block.ts";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import type { IrRequest } from "../../../src/protocol/ir/request.ts";
import { ASKED } from "./pieces.ts";

interface Options {
  readonly model?: string;
  readonly capabilities?: Partial<Capabilities>;
}

function written(request: Partial<IrRequest>, options: Options = {}) {
  const losses: Loss[] = [];
  const wire = writeRequest(
    { ...ASKED, origin: "openai", ...request },
    {
      model: options.model ?? "anthropic.claude-sonnet-4-5",
      capabilities: { ...capabilities, ...options.capabilities },
      report: (loss) => losses.push(loss),
    },
  );
  const plain: JsonObject = JSON.parse(JSON.stringify(wire));
  return { wire: plain, losses: losses.map(({ code, path }) => `${code} ${path}`) };
}

/** The content of a user's message of these blocks. */
function content(...blocks: readonly Block[]) {
  const { wire, losses } = written({ messages: [{ role: "user", blocks }] });
  const [message] = wire["messages"] as unknown as readonly { readonly content: unknown }[];
  return { content: message?.content, losses };
}

const base64 = (kind: MediaBlock["kind"], mime: string, rest: Partial<MediaBlock> = {}): Block => ({
  type: "media",
  kind,
  mime,
  source: { kind: "base64", data: "QUJD" },
  ...rest,
});

describe("a foreign request", () => {
  test("of nothing but a text is nothing but a text", () => {
    const blocks: readonly Block[] = [{ type: "text", text: "hi" }];
    expect(written({ messages: [{ role: "user", blocks, bareString: true }] }).wire).toEqual({
      messages: [{ role: "user", content: [{ text: "hi" }] }],
    });
  });

  test("has its knobs in Bedrock's places", () => {
    const { wire, losses } = written({
      system: [{ type: "text", text: "s" }],
      maxOutputTokens: 64,
      stop: ["END"],
      sampling: { temperature: 0.7, topP: 0.9, topK: 5 },
      tier: "flex",
      metadata: { team: "a" },
      output: {
        kind: "schema",
        schema: { type: "object" },
        schemaDialect: "json-schema",
        name: "City",
      },
    });
    expect(losses).toEqual([]);
    expect(wire).toEqual({
      system: [{ text: "s" }],
      inferenceConfig: { maxTokens: 64, temperature: 0.7, topP: 0.9, stopSequences: ["END"] },
      additionalModelRequestFields: { top_k: 5 },
      outputConfig: {
        textFormat: {
          type: "json_schema",
          structure: { jsonSchema: { schema: '{"type":"object"}', name: "City" } },
        },
      },
      requestMetadata: { team: "a" },
      serviceTier: { type: "flex" },
    });
  });

  test("has its tools, and a schema where it had none", () => {
    const { wire, losses } = written({
      tools: [
        {
          kind: "function",
          name: "f",
          description: "d",
          schemaDialect: "json-schema",
          strict: true,
          cache: { ttl: "1h" },
        },
        { kind: "hosted", vendor: "openai", type: "web_search", raw: {}, at: "tools[1]" },
      ],
      toolChoice: { kind: "tool", name: "f" },
    });
    expect(losses).toEqual(["L-HOSTED tools[1]"]);
    expect(wire["toolConfig"]).toEqual({
      tools: [
        {
          toolSpec: {
            name: "f",
            description: "d",
            inputSchema: { json: { type: "object", properties: {} } },
            strict: true,
          },
        },
        { cachePoint: { type: "default", ttl: "1h" } },
      ],
      toolChoice: { tool: { name: "f" } },
    });
  });

  test.each([
    [{ kind: "auto" } as const, { auto: {} }],
    [{ kind: "required" } as const, { any: {} }],
    [{ kind: "none" } as const, undefined],
  ])("of the choice %j writes %j, and none without tools", (toolChoice, wanted) => {
    const tools = [{ kind: "function", name: "f", schemaDialect: "json-schema" }] as const;
    const { toolConfig } = written({ tools, toolChoice }).wire as { toolConfig: JsonObject };
    expect(toolConfig["toolChoice"]).toEqual(wanted as JsonObject);
    expect(written({ tools: [], toolChoice }).wire).toEqual({});
    expect(written({ toolChoice }).wire).toEqual({});
  });
});

describe("reasoning asked of", () => {
  const fields = (reasoning: IrRequest["reasoning"], options?: Options) => {
    const { additionalModelRequestFields, outputConfig } = written({ reasoning }, options).wire;
    return { ...(additionalModelRequestFields as JsonObject), ...(outputConfig as JsonObject) };
  };
  const adaptive = { capabilities: { reasoning: "adaptive" } } as const;
  const nova = { model: "us.amazon.nova-2-lite-v1:0" };

  test("Claude by a budget is its thinking", () => {
    expect(fields({ mode: "on", budgetTokens: 2048 })).toEqual({
      thinking: { type: "enabled", budget_tokens: 2048 },
    });
    expect(fields({ mode: "off" })).toEqual({ thinking: { type: "disabled" } });
  });

  test("Claude of 2026 by a word is adaptive, with an effort", () => {
    expect(fields({ mode: "on", effort: "high", show: "summary" }, adaptive)).toEqual({
      thinking: { type: "adaptive", display: "summarized" },
      effort: "high",
    });
    expect(fields({ mode: "adaptive", effort: "low" }, adaptive)).toEqual({
      thinking: { type: "adaptive" },
      effort: "low",
    });
  });

  test("others by a word is an effort alone", () => {
    expect(fields({ mode: "on", effort: "low" })).toEqual({ effort: "low" });
    expect(fields({ mode: "off" }, { capabilities: { reasoning: "none" } })).toEqual({});
  });

  test("Nova is its own configuration, and its top-k stands elsewhere", () => {
    expect(fields({ mode: "on", effort: "xhigh" }, nova)).toEqual({
      reasoningConfig: { type: "enabled", maxReasoningEffort: "high" },
    });
    expect(written({ sampling: { topK: 4 } }, nova).wire).toEqual({
      additionalModelRequestFields: { inferenceConfig: { topK: 4 } },
    });
  });
});

describe("foreign blocks", () => {
  test("that bear a mark have it behind them", () => {
    expect(content({ type: "text", text: "a", cache: { ttl: "1h" } }).content).toEqual([
      { text: "a" },
      { cachePoint: { type: "default", ttl: "1h" } },
    ]);
  });

  test("of calls and results are Bedrock's, with a status only for an error", () => {
    const { content: wire, losses } = content(
      { type: "tool_call", callId: "c1", name: "f", args: '{"a":1}' },
      { type: "tool_call", callId: "c2", name: "g", args: "" },
      { type: "tool_result", callId: "c1", content: [{ type: "text", text: "1" }], isError: true },
      {
        type: "tool_result",
        callId: "c2",
        content: [{ type: "json", value: [2] }],
        isError: false,
      },
    );
    expect(losses).toEqual([]);
    expect(wire).toEqual([
      { toolUse: { toolUseId: "c1", name: "f", input: { a: 1 } } },
      { toolUse: { toolUseId: "c2", name: "g", input: {} } },
      { toolResult: { toolUseId: "c1", content: [{ text: "1" }], status: "error" } },
      { toolResult: { toolUseId: "c2", content: [{ json: [2] }] } },
    ]);
  });

  test("of arguments that are no object keep their text, and say so", () => {
    const call = { type: "tool_call", callId: "c", name: "f", args: "{oops", at: "x" } as const;
    expect(content(call)).toEqual({
      content: [{ toolUse: { toolUseId: "c", name: "f", input: { _raw: "{oops" } } }],
      losses: ["L-ARGS-INVALID x"],
    });
  });

  test("of reasoning keep their proofs, a seal with its layer of base64", () => {
    const signature = { value: "SIG", encoding: "plain", family: "anthropic" } as const;
    const sealed = { value: "RED", encoding: "plain", family: "anthropic" } as const;
    expect(
      content(
        { type: "reasoning", text: "t", signature },
        { type: "reasoning", sealed },
        { type: "reasoning", sealed: { ...sealed, value: "UkVE", encoding: "base64-of-plain" } },
        { type: "reasoning", summary: ["a", "b"], sealed },
      ).content,
    ).toEqual([
      { reasoningContent: { reasoningText: { text: "t", signature: "SIG" } } },
      { reasoningContent: { redactedContent: "UkVE" } },
      { reasoningContent: { redactedContent: "UkVE" } },
      { reasoningContent: { reasoningText: { text: "a\n\nb" } } },
      { reasoningContent: { redactedContent: "UkVE" } },
    ]);
  });

  test("of media have Bedrock's formats", () => {
    const { content: wire, losses } = content(
      base64("image", "image/jpg"),
      base64("video", "video/quicktime"),
      base64("audio", "audio/x-wav"),
      base64("image", "image/svg+xml", { at: "x" }),
    );
    const source = { bytes: "QUJD" };
    expect(wire).toEqual([
      { image: { format: "jpeg", source } },
      { video: { format: "mov", source } },
      { audio: { format: "wav", source } },
      { image: { format: "png", source } },
    ]);
    expect(losses).toEqual(["L-UNKNOWN-BLOCK x"]);
  });

  test("that only another vendor can read are left out, and said to be", () => {
    const raw = { file_id: "file-1" };
    const source = { kind: "reference", vendor: "openai", raw } as const;
    const url = { kind: "url", url: "https://x.test/a.png" } as const;
    expect(
      content(
        base64("image", "image/png", { source, at: "a" }),
        base64("image", "image/png", { source: url, at: "b" }),
        { type: "opaque", vendor: "gemini", wireType: "x", raw, at: "c" },
        { type: "hosted_call", vendor: "anthropic", toolType: "x", raw, at: "d" },
        base64("audio", "audio/unheard", { at: "e" }),
      ),
    ).toEqual({
      content: [],
      losses: [
        "L-FILEID a",
        "L-UNKNOWN-BLOCK b",
        "L-UNKNOWN-BLOCK c",
        "L-HOSTED d",
        "L-UNKNOWN-BLOCK e",
      ],
    });
  });

  test("of documents have names Bedrock takes, each once, and a text beside them", () => {
    const document = (rest: Partial<MediaBlock>) => base64("document", "application/pdf", rest);
    const { content: wire, losses } = content(
      document({ title: "Q1 report", at: "a" }),
      document({ filename: "my_file.pdf", at: "b" }),
      document({ title: "Q1 report", context: "c", citations: true, at: "c" }),
      document({ at: "d" }),
      { ...document({ at: "e" }), source: { kind: "text", text: "x" }, mime: undefined } as Block,
    );
    expect(
      (wire as JsonObject[]).map(({ document: said }) => (said as JsonObject)?.["name"]),
    ).toEqual(["Q1 report", "my-file-pdf", "Q1 report (2)", "document", "document (2)", undefined]);
    expect((wire as JsonObject[])[2]).toMatchObject({
      document: { context: "c", citations: { enabled: true }, format: "pdf" },
    });
    expect((wire as JsonObject[])[4]).toMatchObject({
      document: { format: "txt", source: { text: "x" } },
    });
    expect((wire as JsonObject[])[5]).toEqual({ text: "." });
    expect(losses).toEqual([
      "L-DOCNAME b",
      "L-DOCNAME c",
      "L-DOCNAME d",
      "L-DOCNAME e",
      "L-EMPTY messages[0]",
    ]);
  });
});
