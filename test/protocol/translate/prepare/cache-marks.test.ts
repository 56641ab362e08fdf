import { describe, expect, test } from "bun:test";
import type { DialectId } from "../../../../src/core/ids.ts";
import type { Block, TextBlock } from "../../../../src/protocol/ir/block.ts";
import type { IrRequest, Tool } from "../../../../src/protocol/ir/request.ts";
import { call, prepared, result, say } from "../preparing.ts";

const marked = (text: string, ttl?: string): TextBlock => ({
  type: "text",
  text,
  cache: { ttl },
  at: text,
});
const point = (ttl?: string): Block => ({ type: "cache_mark", cache: { ttl }, at: "p" });
const tool: Tool = { kind: "function", name: "f", schemaDialect: "json-schema", at: "tools[0]" };

function sent(given: Partial<IrRequest>, from: DialectId, to: DialectId) {
  const { request, lost } = prepared({ origin: from, maxOutputTokens: 9, ...given }, to);
  return { request, lost, blocks: request.messages[0]?.blocks };
}

describe("marks of the prompt cache", () => {
  test("stand on a block or behind it, the same in meaning", () => {
    const there = sent({ messages: [say("user", marked("a", "1h"), "b")] }, "anthropic", "bedrock");
    expect(there.blocks).toMatchObject([
      { text: "a" },
      { type: "cache_mark", cache: { ttl: "1h" } },
      { text: "b" },
    ]);
    expect(there.blocks?.[0]).not.toHaveProperty("cache");
    const back = sent({ messages: [say("user", "a", point("1h"), "b")] }, "bedrock", "anthropic");
    expect(back.blocks).toMatchObject([{ text: "a", cache: { ttl: "1h" } }, { text: "b" }]);
    expect([...there.lost, ...back.lost]).toEqual([]);
  });
  test("behind a result stay with it when it moves", () => {
    const given = {
      messages: [
        say("user", "a"),
        say("assistant", call("1")),
        say("user", result("1"), point(), "b"),
      ],
      tools: [tool],
    };
    const { request, lost } = sent(given, "bedrock", "anthropic");
    expect(request.messages[2]?.blocks).toMatchObject([
      { type: "tool_result", cache: {} },
      { text: "b" },
    ]);
    expect(lost).toEqual([]);
  });
  test("last as long as the target can say", () => {
    const messages = [say("user", marked("a", "5m"), marked("b", "1h"))];
    const { blocks, lost } = sent({ messages }, "anthropic", "openai");
    expect(blocks).toMatchObject([{ cache: {} }, { cache: { ttl: "30m" } }]);
    expect(lost).toEqual(["L-CACHE-TTL a approximated", "L-CACHE-TTL b approximated"]);
    const back = sent(
      { messages: [say("user", marked("a", "30m"), marked("b", "12h"))] },
      "openai",
      "anthropic",
    );
    expect(back.blocks).toMatchObject([{ cache: { ttl: "5m" } }, { cache: { ttl: "1h" } }]);
  });
  test("are the last four", () => {
    const messages = [say("user", ...["a", "b", "c", "d", "e", "f"].map((text) => marked(text)))];
    const { blocks, lost } = sent({ messages }, "openai", "anthropic");
    expect(blocks?.map((block) => "cache" in block)).toEqual([
      false,
      false,
      true,
      true,
      true,
      true,
    ]);
    expect(lost).toEqual(["L-CACHE a dropped", "L-CACHE b dropped"]);
  });
  test("are told where there are none", () => {
    const { blocks, lost } = sent({ messages: [say("user", marked("a"))] }, "anthropic", "gemini");
    expect(blocks?.[0]).not.toHaveProperty("cache");
    expect(lost).toEqual(["L-CACHE a dropped"]);
  });
  test("on tools go to wires that have them there", () => {
    const tools = [{ ...tool, cache: {} }];
    expect(sent({ tools }, "anthropic", "bedrock").request.tools).toMatchObject([
      { kind: "function" },
      { kind: "cache_mark" },
    ]);
    expect(sent({ tools }, "anthropic", "openai").lost).toEqual(["L-CACHE tools[0] dropped"]);
    const point_: Tool = { kind: "cache_mark", cache: {} };
    expect(sent({ tools: [tool, point_] }, "bedrock", "anthropic").request.tools).toMatchObject([
      { kind: "function", cache: {} },
    ]);
  });
  test("on the whole request are one on its last block", () => {
    const messages = [say("user", "a", "b")];
    const { blocks, request } = sent({ messages, autoCache: {} }, "anthropic", "openai");
    expect(blocks).toMatchObject([{ text: "a" }, { text: "b", cache: {} }]);
    expect(request.autoCache).toBeUndefined();
    expect(sent({ messages, autoCache: {} }, "anthropic", "gemini").lost).toEqual([
      "L-CACHE cache_control dropped",
    ]);
  });
  test("with nothing before them are told", () => {
    const messages = [say("user", point(), "a")];
    expect(sent({ messages }, "bedrock", "anthropic").lost).toEqual(["L-CACHE p dropped"]);
    const tools: Tool[] = [{ kind: "cache_mark", cache: {}, at: "t" }, tool];
    expect(sent({ tools }, "bedrock", "anthropic").lost).toEqual(["L-CACHE t dropped"]);
    const content = [{ type: "cache_mark", cache: {}, at: "r" }] as const;
    const inside = [
      say("user", "a"),
      say("assistant", call("1")),
      say("user", { type: "tool_result", callId: "1", content }),
    ];
    expect(sent({ messages: inside, tools: [tool] }, "bedrock", "anthropic").lost).toEqual([
      "L-CACHE r dropped",
    ]);
  });
});
