import { describe, expect, test } from "bun:test";
import type { FunctionTool, Tool } from "../../../../src/protocol/ir/request.ts";
import { call, prepared, result, say } from "../preparing.ts";

const tool = (more: Partial<FunctionTool> = {}): FunctionTool => ({
  kind: "function",
  name: "f",
  schemaDialect: "json-schema",
  at: "tools[0]",
  ...more,
});
const history = [say("user", "a"), say("assistant", call("1")), say("user", result("1"))];

describe("tools", () => {
  test("a schema is handed on as it is", () => {
    const parameters = { type: "object", properties: { b: {}, a: {} }, $schema: "x" };
    const { request } = prepared({ origin: "openai", tools: [tool({ parameters })] }, "gemini");
    expect(JSON.stringify(request.tools)).toContain(JSON.stringify(parameters));
  });
  test("Google's own schema becomes JSON Schema", () => {
    const parameters = { type: "OBJECT", properties: { n: { type: "INTEGER", nullable: true } } };
    const given = {
      origin: "gemini" as const,
      tools: [tool({ parameters, schemaDialect: "openapi" })],
    };
    expect(prepared(given, "openai").request.tools).toMatchObject([
      {
        schemaDialect: "json-schema",
        parameters: { properties: { n: { type: ["integer", "null"] } } },
      },
    ]);
  });
  test("without parameters have an empty object of them where some are wanted", () => {
    const given = { origin: "responses" as const, tools: [tool({ parameters: null })] };
    const sent = (target: "bedrock" | "openai"): unknown =>
      (prepared(given, target).request.tools as FunctionTool[])[0]?.parameters;
    expect(sent("bedrock")).toEqual({ type: "object", properties: {} });
    expect(sent("openai")).toBeUndefined();
  });
  test("are not strict at Responses unless they were", () => {
    const given = { origin: "openai" as const, tools: [tool(), tool({ name: "g", strict: true })] };
    expect(prepared(given, "responses").request.tools).toMatchObject([
      { strict: false },
      { strict: true },
    ]);
  });
  test("that are strict are told where that cannot be said", () => {
    const given = { origin: "openai" as const, tools: [tool({ strict: true })] };
    expect(prepared(given, "gemini").lost).toEqual(["L-STRICT tools[0] dropped"]);
  });
  test("of free text are functions of one text, and so are their calls", () => {
    const freeform: Tool = {
      kind: "freeform",
      name: "f",
      format: { type: "grammar" },
      at: "tools[0]",
    };
    const messages = [
      say("user", "a"),
      say("assistant", {
        type: "tool_call",
        callId: "1",
        name: "f",
        args: "x = 1",
        freeform: true,
      }),
      say("tool", { type: "tool_result", callId: "1", content: [], freeform: true }),
    ];
    const told = prepared(
      { origin: "openai", tools: [freeform], messages, maxOutputTokens: 9 },
      "anthropic",
    );
    expect(told.request.tools).toMatchObject([
      { kind: "function", name: "f", parameters: { required: ["input"] } },
    ]);
    expect(told.request.messages[1]?.blocks[0]).toMatchObject({ argsValue: { input: "x = 1" } });
    expect(told.request.messages[2]?.blocks[0]).not.toHaveProperty("freeform");
    expect([...told.unwrapped]).toEqual(["f"]);
    expect(told.lost).toEqual(["L-FREEFORM tools[0] emulated"]);
  });
  test("of free text stay so between OpenAI's wires", () => {
    const freeform: Tool = { kind: "freeform", name: "f", format: { type: "grammar" } };
    const told = prepared({ origin: "openai", tools: [freeform] }, "responses");
    expect(told.request.tools).toEqual([freeform]);
    expect(told.lost).toEqual([]);
  });
  test("a vendor runs itself stay with it", () => {
    const hosted: Tool = { kind: "hosted", vendor: "openai", type: "x", raw: {}, at: "tools[0]" };
    const { request, lost } = prepared({ origin: "openai", tools: [hosted, tool()] }, "gemini");
    expect(request.tools).toHaveLength(1);
    expect(lost).toEqual(["L-HOSTED tools[0] dropped"]);
  });
  test("are made of the calls of a history that has none", () => {
    const { request, lost } = prepared({ origin: "gemini", messages: history }, "bedrock");
    expect(request.tools).toMatchObject([{ name: "f", parameters: { type: "object" } }]);
    expect(lost).toEqual(["L-TOOLS-SYNTH tools defaulted"]);
    expect(
      prepared({ origin: "anthropic", messages: history }, "openai").request.tools,
    ).toBeUndefined();
  });
  test("options only one vendor knows are told one by one", () => {
    const ext = { anthropic: { defer_loading: true, input_examples: [{}], type: "custom" } };
    const { lost } = prepared({ origin: "anthropic", tools: [tool({ ext })] }, "gemini");
    expect(lost).toEqual([
      "L-TOOLOPTS tools[0].defer_loading dropped",
      "L-TOOLOPTS tools[0].input_examples dropped",
    ]);
  });
});
