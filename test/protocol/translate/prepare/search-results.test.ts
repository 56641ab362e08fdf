import { describe, expect, test } from "bun:test";
import type { SearchResultBlock } from "../../../../src/protocol/ir/block.ts";
import { prepared, say } from "../preparing.ts";

const found: SearchResultBlock = {
  type: "search_result",
  source: "https://a",
  title: "A",
  content: [{ type: "text", text: "one" }],
  at: "at",
};

describe("search results", () => {
  const messages = [say("user", found, "so?")];
  test("are text where there is no block for them", () => {
    const { request, lost } = prepared({ origin: "anthropic", messages }, "openai");
    expect(request.messages[0]?.blocks).toMatchObject([{ text: "A\nhttps://a\n\none" }, {}]);
    expect(lost).toEqual(["L-DOCCONTEXT at approximated"]);
  });
  test("are documents beside the messages at Cohere", () => {
    const { request } = prepared({ origin: "anthropic", messages }, "cohere");
    expect(request.documents).toMatchObject([
      { data: { text: "one", title: "A", url: "https://a" } },
    ]);
    expect(request.messages[0]).toMatchObject({ bareString: true });
  });
  test("are what Cohere's documents become, in front of the user's last words", () => {
    const given = {
      origin: "cohere" as const,
      messages: [say("user", "a"), say("assistant", "b"), say("user", "c")],
      documents: [
        { id: "d1", data: { text: "one", title: "A" }, at: "documents[0]" },
        { data: { x: 1 } },
      ],
      maxOutputTokens: 9,
    };
    const { request, lost } = prepared(given, "anthropic");
    expect(request.documents).toBeUndefined();
    expect(request.messages[2]?.blocks).toMatchObject([
      { type: "search_result", source: "d1", title: "A", content: [{ text: "one" }] },
      { type: "search_result", source: "document 2", content: [{ text: '{"x":1}' }] },
      { type: "text", text: "c" },
    ]);
    expect(lost).toEqual(["L-DOCCONTEXT documents[0] moved", "L-DOCCONTEXT documents[1] moved"]);
  });
  test("whose citations were asked for are told where none can be", () => {
    const cited = [say("user", { ...found, citations: true })];
    expect(prepared({ origin: "anthropic", messages: cited }, "openai").lost).toEqual([
      "L-DOCCONTEXT at approximated",
      "L-CITE at dropped",
    ]);
  });
});
