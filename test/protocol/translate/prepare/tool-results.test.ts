import { describe, expect, test } from "bun:test";
import type { DialectId } from "../../../../src/core/ids.ts";
import type { ResultContent, ToolResultBlock } from "../../../../src/protocol/ir/block.ts";
import { call, prepared, say } from "../preparing.ts";

type Given = Partial<ToolResultBlock>;
function sent(given: Given, from: DialectId, to: DialectId) {
  const result: ToolResultBlock = {
    type: "tool_result",
    callId: "1",
    content: [],
    at: "at",
    ...given,
  };
  const messages = [say("user", "a"), say("assistant", call("1")), say("user", result)];
  const tools = [{ kind: "function", name: "f", schemaDialect: "json-schema" }] as const;
  const told = prepared({ origin: from, messages, tools, maxOutputTokens: 9 }, to);
  const [block] = told.request.messages[2]?.blocks ?? [];
  return { result: block as ToolResultBlock, lost: told.lost };
}
const text = (said: string): ResultContent => ({ type: "text", text: said });

describe("a tool result", () => {
  test("that failed says so where there is no flag for it", () => {
    const { result, lost } = sent({ isError: true, content: [text("no")] }, "anthropic", "openai");
    expect(result.content).toEqual([text("Error: no")]);
    expect(result.isError).toBeUndefined();
    expect(lost).toEqual(["L-ISERROR at emulated"]);
    const already = sent({ isError: true, content: [text("error: x")] }, "anthropic", "openai");
    expect(already.result.content).toEqual([text("error: x")]);
    expect(sent({ isError: true }, "anthropic", "openai").result.content).toEqual([text("Error:")]);
    expect(sent({ isError: true }, "anthropic", "bedrock").result.isError).toBe(true);
  });
  test("of JSON stays JSON, or is its text", () => {
    const content: ResultContent[] = [{ type: "json", value: { a: 1 } }];
    expect(sent({ content }, "bedrock", "gemini").result.content).toEqual(content);
    expect(sent({ content }, "bedrock", "openai").result.content).toEqual([text('{"a":1}')]);
    const wrapped: ResultContent[] = [{ type: "json", value: { output: "plain" } }];
    expect(sent({ content: wrapped }, "gemini", "openai").result.content).toEqual([text("plain")]);
  });
  test("of several texts is one string at Chat", () => {
    const { result } = sent({ content: [text("a"), text("b")] }, "anthropic", "openai");
    expect(result).toMatchObject({ content: [text("a\nb")], bareString: true });
  });
  test("is never without content where it is a message", () => {
    expect(sent({}, "anthropic", "openai").result.content).toEqual([text("")]);
    expect(sent({}, "openai", "anthropic").result.content).toEqual([]);
  });
  test("has its call's name for Gemini", () => {
    expect(sent({}, "openai", "gemini").result.name).toBe("f");
    expect(sent({ name: "f" }, "gemini", "openai").result.name).toBeUndefined();
  });
  test("keeps nothing only its vendor can read", () => {
    const content: ResultContent[] = [
      { type: "opaque", vendor: "anthropic", wireType: "x", raw: {}, at: "o" },
    ];
    expect(sent({ content }, "anthropic", "bedrock").lost).toEqual(["L-UNKNOWN-BLOCK o dropped"]);
  });
  test("cites on Anthropic's wire only", () => {
    const place = { kind: "page", documentIndex: 0, start: 1 } as const;
    const cited: ResultContent = { type: "text", text: "a", citations: [{ place }], at: "t" };
    expect(sent({ content: [cited] }, "bedrock", "anthropic").lost).toEqual([]);
    const { result, lost } = sent({ content: [cited] }, "anthropic", "bedrock");
    expect(lost).toEqual(["L-CITE t dropped"]);
    expect(result.content).toEqual([{ type: "text", text: "a", at: "t" }]);
  });
  test("that was a document loses its id", () => {
    const content: ResultContent[] = [{ type: "json", id: "d", value: { a: 1 }, at: "j" }];
    const { result, lost } = sent({ content }, "cohere", "gemini");
    expect(result.content).toEqual([{ type: "json", value: { a: 1 }, at: "j" }]);
    expect(lost).toContain("L-DOCNAME j dropped");
  });
});
