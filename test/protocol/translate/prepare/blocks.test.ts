import { describe, expect, test } from "bun:test";
import type { Block } from "../../../../src/protocol/ir/block.ts";
import { call, prepared, result, say } from "../preparing.ts";

function lostOf(block: Block, role: "user" | "assistant" = "assistant"): readonly string[] {
  const messages = [say("user", "a"), say(role, block, "b"), say("user", "c")];
  return prepared({ origin: "responses", messages }, "gemini").lost;
}

describe("a block", () => {
  test("of reasoning is no user's", () => {
    expect(lostOf({ type: "reasoning", text: "hm", at: "at" }, "user")).toEqual([
      "L-REASONING-FOREIGN at dropped",
    ]);
  });
  test("of a refusal is what the assistant said, where there are none", () => {
    const refusal: Block = { type: "refusal", text: "no", at: "at" };
    const messages = [say("user", "a"), say("assistant", refusal), say("user", "c")];
    const to = (target: "gemini" | "openai"): unknown =>
      prepared({ origin: "responses", messages }, target).request.messages[1]?.blocks[0]?.type;
    expect([to("gemini"), to("openai")]).toEqual(["text", "refusal"]);
    expect(lostOf({ ...refusal, logprobs: [{ token: "n", logprob: 0 }] })).toEqual([
      "L-LOGPROBS at dropped",
    ]);
  });
  test("of a call in a namespace loses that", () => {
    const called = { ...call("1"), namespace: "n", at: "at" } as Block;
    const messages = [say("user", "a"), say("assistant", called), say("tool", result("1"))];
    expect(prepared({ origin: "responses", messages }, "openai").lost).toEqual([
      "L-TOOLOPTS at dropped",
    ]);
  });
});
