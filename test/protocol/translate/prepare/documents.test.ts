import { describe, expect, test } from "bun:test";
import type { MediaBlock } from "../../../../src/protocol/ir/block.ts";
import { prepared, say } from "../preparing.ts";

const document: MediaBlock = {
  type: "media",
  kind: "document",
  mime: "text/plain",
  source: { kind: "text", text: "hello" },
  context: "c",
  citations: true,
  at: "at",
};

describe("a document that becomes plain text", () => {
  const messages = [say("user", document, "so?")];
  test.each([
    ["openai", ["L-DOCCONTEXT at dropped", "L-CITE at dropped"]],
    ["cohere", ["L-DOCCONTEXT at dropped"]],
  ] as const)("for %s leaves its context behind, which is told", (target, lost) => {
    expect(prepared({ origin: "anthropic", messages }, target).lost).toEqual([...lost]);
  });
});
