import { describe, expect, test } from "bun:test";
import type { Capabilities } from "../../../src/core/capabilities.ts";
import type { Block, Signed } from "../../../src/protocol/ir/block.ts";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import type { IrRequest, Message } from "../../../src/protocol/ir/request.ts";
import { capabilities } from "../../../src/protocol/openai/capabilities.ts";
import { writeRequest } from "../../../src/protocol/openai/write-request.ts";
import { plain } from "./kit.ts";

const EMPTY: IrRequest = {
  origin: "anthropic",
  model: "claude",
  system: [],
  messages: [],
  tools: undefined,
  sampling: {},
  stream: false,
};

interface How {
  readonly can?: Partial<Capabilities> | undefined;
  readonly losses?: Loss[] | undefined;
}

/** Another protocol's request, as `prepare` hands it to the writer. */
function written(request: Partial<IrRequest>, { can = {}, losses = [] }: How = {}): JsonObject {
  return plain(
    writeRequest(
      { ...EMPTY, ...request },
      {
        model: "gpt",
        capabilities: { ...capabilities, ...can },
        report: (loss) => losses.push(loss),
      },
    ),
  );
}
function messagesOf(message: Message, can?: Partial<Capabilities>, losses?: Loss[]): unknown {
  return written({ messages: [message] }, { can, losses })["messages"];
}
const signed = (family: Signed["family"]): Signed => ({ value: "s", encoding: "plain", family });

describe("another protocol's request", () => {
  test("says the target's name of the model and its own name of the cap", () => {
    const request = { maxOutputTokens: 5 };
    expect(written(request)).toEqual({ model: "gpt", messages: [], max_completion_tokens: 5 });
    expect(written(request, { can: { outputCap: "max_tokens" } })).toMatchObject({ max_tokens: 5 });
  });
  test("asks for the usage its caller expects of a stream", () => {
    expect(written({ stream: true })).toMatchObject({
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(written({ stream: false })).not.toHaveProperty("stream_options");
  });
  test("has its top slot as the first message", () => {
    const system = [{ type: "text", text: "a" } as const];
    expect(written({ system })["messages"]).toEqual([{ role: "system", content: "a" }]);
  });
  test("has a text where one text is all there is, and parts where there are more", () => {
    const text = (said: string): Block => ({ type: "text", text: said });
    expect(messagesOf({ role: "user", blocks: [text("a")] })).toEqual([
      { role: "user", content: "a" },
    ]);
    expect(messagesOf({ role: "user", blocks: [text("a"), text("b")] })).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "a" },
          { type: "text", text: "b" },
        ],
      },
    ]);
  });
  test("writes objects of arguments as text, and none as `{}`", () => {
    const calls: Block[] = [
      { type: "tool_call", callId: "a", name: "f", argsValue: { x: 1 } },
      { type: "tool_call", callId: "b", name: "g", args: "" },
      { type: "tool_call", callId: "c", name: "h", args: "free", freeform: true },
    ];
    expect(messagesOf({ role: "assistant", blocks: calls })).toEqual([
      {
        role: "assistant",
        tool_calls: [
          { id: "a", type: "function", function: { name: "f", arguments: '{"x":1}' } },
          { id: "b", type: "function", function: { name: "g", arguments: "{}" } },
          { id: "c", type: "custom", custom: { name: "h", input: "free" } },
        ],
      },
    ]);
  });
  test("gives every result a message, before what the user says", () => {
    const result = (callId: string): Block => {
      return { type: "tool_result", callId, name: "f", content: [{ type: "text", text: callId }] };
    };
    const expected = ["a", "b"].map((id) => ({ role: "tool", tool_call_id: id, content: id }));
    expect(messagesOf({ role: "tool", blocks: [result("a"), result("b")] })).toEqual(expected);
    const said: Block = { type: "text", text: "and" };
    expect(messagesOf({ role: "user", blocks: [result("a"), said] })).toEqual([
      expected[0],
      { role: "user", content: "and" },
    ]);
  });
  test("spells media as data URLs, files with a name and sound by its format", () => {
    const source = { kind: "base64", data: "AA" } as const;
    const media = { type: "media", source } as const;
    const blocks: Block[] = [
      { ...media, kind: "image", mime: "image/png", detail: "low" },
      { ...media, kind: "document", mime: "application/pdf", title: "t.pdf" },
      { ...media, kind: "document", mime: "application/pdf" },
      { ...media, kind: "audio", mime: "audio/mp3" },
    ];
    const [message] = messagesOf({ role: "user", blocks }) as { content: unknown }[];
    const file_data = "data:application/pdf;base64,AA";
    expect(message!.content).toEqual([
      { type: "image_url", image_url: { url: "data:image/png;base64,AA", detail: "low" } },
      { type: "file", file: { filename: "t.pdf", file_data } },
      { type: "file", file: { filename: "document.pdf", file_data } },
      { type: "input_audio", input_audio: { data: "AA", format: "mp3" } },
    ]);
  });
  test("leaves out and reports what it cannot say", () => {
    const losses: Loss[] = [];
    const source = { kind: "base64", data: "AA" } as const;
    const blocks: Block[] = [
      { type: "media", kind: "video", source, at: "messages[0].content[0]" },
      { type: "opaque", vendor: "anthropic", wireType: "x", raw: {} },
      { type: "text", text: "a" },
    ];
    expect(messagesOf({ role: "user", blocks }, {}, losses)).toMatchObject([{ role: "user" }]);
    expect(losses).toMatchObject([
      { code: "L-MODALITY", path: "messages[0].content[0]" },
      { code: "L-UNKNOWN-BLOCK" },
    ]);
  });
  test("marks parts for OpenAI's cache, and by the common word where lifetimes are Anthropic's", () => {
    const message: Message = {
      role: "user",
      blocks: [{ type: "text", text: "a", cache: { ttl: "30m" } }],
    };
    const part = { type: "text", text: "a" };
    const own = { ...part, prompt_cache_breakpoint: { mode: "explicit", ttl: "30m" } };
    const common = { ...part, cache_control: { type: "ephemeral", ttl: "30m" } };
    expect(messagesOf(message)).toEqual([{ role: "user", content: [own] }]);
    expect(messagesOf(message, { cacheTtls: ["5m", "1h"] })).toEqual([
      { role: "user", content: [common] },
    ]);
  });
  test("names a schema that has no name, and flattens no grammar", () => {
    const output = { kind: "schema", schema: {}, schemaDialect: "json-schema" } as const;
    expect(written({ output })).toMatchObject({
      response_format: { type: "json_schema", json_schema: { name: "response", schema: {} } },
    });
    const format = { type: "grammar", syntax: "lark", definition: "x" };
    expect(written({ tools: [{ kind: "freeform", name: "f", format }] })["tools"]).toEqual([
      {
        type: "custom",
        custom: {
          name: "f",
          format: { type: "grammar", grammar: { syntax: "lark", definition: "x" } },
        },
      },
    ]);
  });
  test("says every choice of tools", () => {
    const choice = (toolChoice: IrRequest["toolChoice"]) => written({ toolChoice })["tool_choice"];
    expect(choice({ kind: "required" })).toBe("required");
    expect(choice({ kind: "tool", name: "f" })).toEqual({
      type: "function",
      function: { name: "f" },
    });
    expect(choice({ kind: "allowed", mode: "auto", names: ["f"] })).toEqual({
      type: "allowed_tools",
      allowed_tools: { mode: "auto", tools: [{ type: "function", function: { name: "f" } }] },
    });
  });
  test("says nothing of parallel calls where there is no tool", () => {
    expect(written({ parallelToolCalls: false })).not.toHaveProperty("parallel_tool_calls");
    expect(
      written({
        parallelToolCalls: false,
        tools: [{ kind: "function", name: "f", schemaDialect: "json-schema" }],
      }),
    ).toMatchObject({
      parallel_tool_calls: false,
    });
  });
  test.each<[string, IrRequest["reasoning"], JsonObject]>([
    ["a word", { mode: "on", effort: "low" }, { reasoning_effort: "low" }],
    ["off", { mode: "off" }, { reasoning_effort: "none" }],
    ["a budget", { mode: "on", budgetTokens: 9 }, { reasoning: { max_tokens: 9 } }],
    ["as it sees fit", { mode: "adaptive" }, { reasoning: { enabled: true } }],
  ])("asks for reasoning: %s", (_, reasoning, expected) => {
    expect(written({ reasoning })).toMatchObject(expected);
  });
});

describe("reasoning that was kept", () => {
  const message = (family: Signed["family"] | undefined): Message => ({
    role: "assistant",
    blocks: [
      { type: "reasoning", text: "t", signature: family && signed(family) },
      { type: "text", text: "a" },
    ],
  });
  test("goes to Claude and Gemini behind this wire in details", () => {
    expect(messagesOf(message("anthropic"), { family: "anthropic" })).toEqual([
      {
        role: "assistant",
        content: "a",
        reasoning_details: [
          {
            type: "reasoning.text",
            text: "t",
            signature: "s",
            format: "anthropic-claude-v1",
            index: 0,
          },
        ],
      },
    ]);
  });
  test("goes to hosts of open models as text", () => {
    expect(messagesOf(message(undefined), { family: "other" })).toEqual([
      { role: "assistant", content: "a", reasoning_content: "t" },
    ]);
  });
  test("does not go to OpenAI, which refuses members it does not know", () => {
    const losses: Loss[] = [];
    expect(messagesOf(message("openai"), {}, losses)).toEqual([
      { role: "assistant", content: "a" },
    ]);
    expect(losses.map(({ code }) => code)).toEqual(["L-REASONING-FOREIGN"]);
  });
  test("a call's proof stands where the host of Gemini looks for it", () => {
    const call: Block = {
      type: "tool_call",
      callId: "c",
      name: "f",
      args: "{}",
      proof: signed("google"),
    };
    const assistant: Message = { role: "assistant", blocks: [call] };
    expect(messagesOf(assistant, { family: "google", proofSlot: "part" })).toMatchObject([
      { tool_calls: [{ id: "c", extra_content: { google: { thought_signature: "s" } } }] },
    ]);
    expect(messagesOf(assistant, { family: "google", proofSlot: "details" })).toMatchObject([
      {
        reasoning_details: [
          { type: "reasoning.encrypted", id: "c", data: "s", format: "google-gemini-v1" },
        ],
      },
    ]);
  });
});
