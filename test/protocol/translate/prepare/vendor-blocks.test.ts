import { describe, expect, test } from "bun:test";
import type { Block } from "../../../../src/protocol/ir/block.ts";
import { prepared, say } from "../preparing.ts";

const opaque = (wireType: string): Block => ({
  type: "opaque",
  vendor: "responses",
  wireType,
  raw: {},
  at: "at",
});

describe("what only a vendor can read", () => {
  test.each<readonly [Block, string]>([
    [opaque("what"), "L-UNKNOWN-BLOCK"],
    [opaque("item_reference"), "L-STATE"],
    [opaque("additional_tools"), "L-TOOLS-CHANGED"],
    [{ type: "hosted_call", vendor: "responses", toolType: "x", raw: {}, at: "at" }, "L-HOSTED"],
    [{ type: "compaction", vendor: "responses", raw: {}, at: "at" }, "L-UNKNOWN-BLOCK"],
  ])("%j stays with it", (block, code) => {
    const messages = [say("user", "a"), say("assistant", block, "b"), say("user", "c")];
    const { request, lost } = prepared({ origin: "responses", messages }, "gemini");
    expect(request.messages[1]?.blocks).toHaveLength(1);
    expect(lost).toEqual([`${code} at dropped`]);
  });
});
