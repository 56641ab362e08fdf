import { describe, expect, test } from "bun:test";
import type { DialectId } from "../../../../src/core/ids.ts";
import { Rejection } from "../../../../src/core/rejection.ts";
import type { IrRequest, Tool } from "../../../../src/protocol/ir/request.ts";
import { call, outcomeOf, prepared, requestOf, result, say } from "../preparing.ts";

const tool = (name: string): Tool => ({ kind: "function", name, schemaDialect: "json-schema" });
const tools = [tool("f"), tool("g")];
type Row = readonly [
  from: DialectId,
  given: Pick<Partial<IrRequest>, "toolChoice" | "parallelToolCalls">,
  to: DialectId,
  sent: readonly [choice: IrRequest["toolChoice"], names: string, parallel?: boolean],
  lost: readonly string[],
];
const auto = { kind: "auto" } as const;
const required = { kind: "required" } as const;

describe("a tool choice", () => {
  test.each<Row>([
    ["openai", { toolChoice: auto }, "gemini", [auto, "f g"], []],
    ["openai", { toolChoice: required }, "bedrock", [required, "f g"], []],
    [
      "openai",
      { toolChoice: { kind: "tool", name: "g" } },
      "cohere",
      [required, "g"],
      ["L-TOOLFILTER tools emulated"],
    ],
    [
      "openai",
      { toolChoice: { kind: "allowed", mode: "auto", names: ["f"] } },
      "anthropic",
      [auto, "f"],
      ["L-TOOLFILTER tools emulated"],
    ],
    [
      "openai",
      { toolChoice: { kind: "none" } },
      "bedrock",
      [undefined, ""],
      ["L-TOOLFILTER tools emulated"],
    ],
    [
      "gemini",
      { toolChoice: { kind: "validated" } },
      "openai",
      [auto, "f g"],
      ["L-STRICT toolConfig.functionCallingConfig approximated"],
    ],
    ["openai", { parallelToolCalls: false }, "anthropic", [auto, "f g", false], []],
    [
      "openai",
      { parallelToolCalls: false },
      "gemini",
      [undefined, "f g"],
      ["L-PARALLEL parallel_tool_calls dropped"],
    ],
    ["openai", { parallelToolCalls: true }, "gemini", [undefined, "f g"], []],
  ])("from %s %j to %s is %j", (origin, given, target, [choice, names, parallel], lost) => {
    const told = prepared({ origin, tools, maxOutputTokens: 9, ...given }, target);
    const { request } = told;
    expect(request.toolChoice).toEqual(choice!);
    expect((request.tools ?? []).map((each) => "name" in each && each.name).join(" ")).toBe(names);
    expect(request.parallelToolCalls).toBe(parallel!);
    expect(told.lost).toEqual(lost);
  });

  test("of none keeps the tools that a history wants, and tells", () => {
    const messages = [say("user", "a"), say("assistant", call("1")), say("tool", result("1"))];
    const given = {
      origin: "openai" as const,
      tools,
      messages,
      toolChoice: { kind: "none" } as const,
    };
    const { request, lost } = prepared(given, "bedrock");
    expect(request.tools).toHaveLength(2);
    expect(request.toolChoice).toBeUndefined();
    expect(lost).toEqual(["L-TOOLNONE tool_choice dropped"]);
  });
  test("that forces a tool gives way to thinking", () => {
    const reasoning = { mode: "on", budgetTokens: 2000 } as const;
    const given = { origin: "openai" as const, tools, reasoning, maxOutputTokens: 9000 };
    const { request, lost } = prepared({ ...given, toolChoice: required }, "anthropic");
    expect(request.toolChoice).toEqual(auto);
    expect(lost).toEqual(["L-TOOLCHOICE-THINKING tool_choice approximated"]);
  });
  test("is left out where there are no tools", () => {
    const { request, lost } = prepared({ origin: "openai", toolChoice: auto }, "gemini");
    expect(request.toolChoice).toBeUndefined();
    expect(lost).toEqual([]);
  });
  test("of a tool that is not there is the caller's mistake where it must be filtered", () => {
    const toolChoice = { kind: "tool", name: "h" } as const;
    const request = requestOf({ origin: "openai", tools, toolChoice });
    const { prepared: refused } = outcomeOf(request, { target: "cohere" });
    expect((refused as Rejection).reason).toMatchObject({
      kind: "malformed",
      param: "tool_choice",
    });
  });
  test("of a tool the vendor runs goes with that tool", () => {
    const hosted: Tool = {
      kind: "hosted",
      vendor: "anthropic",
      type: "web_search",
      name: "w",
      raw: {},
      at: "tools[0]",
    };
    const toolChoice = { kind: "tool", name: "w" } as const;
    const told = prepared({ origin: "anthropic", tools: [hosted, ...tools], toolChoice }, "openai");
    expect(told.request.toolChoice).toBeUndefined();
    expect(told.lost).toEqual(["L-HOSTED tools[0] dropped", "L-HOSTED tool_choice dropped"]);
  });
  test("that forces a tool where there are none is told", () => {
    expect(prepared({ origin: "openai", toolChoice: required }, "gemini").lost).toEqual([
      "L-TOOLFILTER tool_choice dropped",
    ]);
  });
});
