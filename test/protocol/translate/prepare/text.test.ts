import { describe, expect, test } from "bun:test";
import type { Citation, TextBlock } from "../../../../src/protocol/ir/block.ts";
import { prepared, say } from "../preparing.ts";

const cited = (citation: Citation): TextBlock => ({
  type: "text",
  text: "b",
  citations: [citation],
  at: "at",
});
const messagesOf = (text: TextBlock) => [
  say("user", "a"),
  say("assistant", text),
  say("user", "c"),
];

describe("text of the history", () => {
  test("keeps citations between Anthropic and Bedrock, but for sealed ones of the web", () => {
    const page = cited({ quoted: "q", place: { kind: "page", documentIndex: 0, start: 1 } });
    const there = prepared({ origin: "anthropic", messages: messagesOf(page) }, "bedrock");
    expect(there.request.messages[1]?.blocks).toMatchObject([{ citations: page.citations }]);
    expect(there.lost).toEqual([]);
    const web = cited({ quoted: "q", place: { kind: "web" } });
    const given = { origin: "bedrock" as const, messages: messagesOf(web), maxOutputTokens: 9 };
    expect(prepared(given, "anthropic").lost).toEqual(["L-CITE at dropped"]);
  });
  test("keeps an address with its place for Responses only", () => {
    const url = cited({ span: { start: 0, end: 1, of: "block" }, sources: [{ url: "https://a" }] });
    const to = (target: "responses" | "gemini"): readonly string[] =>
      prepared({ origin: "openai", messages: messagesOf(url) }, target).lost;
    expect(to("responses")).not.toContain("L-CITE at dropped");
    expect(to("gemini")).toEqual(["L-CITE at dropped"]);
  });
  test("cites in the assistant's own words only, where the target knows nothing else", () => {
    const url = cited({ span: { start: 0, end: 1, of: "block" }, sources: [{ url: "https://a" }] });
    const asked = prepared({ origin: "openai", messages: [say("user", url)] }, "responses");
    expect(asked.lost).toEqual(["L-CITE at dropped"]);
    const page = cited({ quoted: "q", place: { kind: "page", documentIndex: 0, start: 1 } });
    const found = { type: "search_result", source: "s", content: [page], at: "found" } as const;
    const to = (target: "bedrock" | "cohere"): readonly string[] =>
      prepared({ origin: "anthropic", messages: [say("user", found)] }, target).lost;
    expect(to("bedrock")).toEqual(["L-CITE at dropped"]);
    expect(to("cohere")).toContain("L-CITE at dropped");
  });
  test("leaves log probabilities behind, and tells where there were any", () => {
    const logged = {
      type: "text",
      text: "b",
      logprobs: [{ token: "b", logprob: 0 }],
      at: "at",
    } as const;
    const { request, lost } = prepared(
      { origin: "responses", messages: messagesOf(logged) },
      "gemini",
    );
    expect(request.messages[1]?.blocks[0]).not.toHaveProperty("logprobs");
    expect(lost).toEqual(["L-LOGPROBS at dropped"]);
    const none = messagesOf({ ...logged, logprobs: [] });
    expect(prepared({ origin: "responses", messages: none }, "gemini").lost).toEqual([]);
  });
});
