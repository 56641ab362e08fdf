import type { Block } from "../ir/block.ts";
import { compact } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import { spellingOf } from "./spelling.ts";
import { plain, writeBlocks } from "./write-blocks.ts";
import { required, type Writing } from "./writing.ts";

/** What `content_block_start` says of a block; undefined where this wire shows no such block. */
export function skeleton(block: Block, writing: Writing): JsonObject | undefined {
  const own = block.ext?.anthropic;
  switch (block.type) {
    case "text":
    case "refusal": {
      const citations = block.type === "text" && writing.isOwn ? block.citations : undefined;
      const isEmpty = citations?.length === 0;
      return compact({ type: "text", text: "", citations: isEmpty ? [] : undefined }, own);
    }
    case "reasoning": {
      const { sealed, signature, text = "" } = block;
      if (sealed !== undefined && signature === undefined && text === "") {
        return compact({ type: "redacted_thinking", data: plain(sealed) }, own);
      }
      const members = { type: "thinking", thinking: "", signature: required(writing, "") };
      return compact(compact(members, spellingOf(block).beside), own);
    }
    case "tool_call":
      return compact({ type: "tool_use", id: block.callId, name: block.name, input: {} }, own);
    case "media":
      // What an audio answer says is text.
      return block.kind === "audio" ? { type: "text", text: "" } : undefined;
    case "hosted_call":
    case "hosted_result":
    case "compaction":
    case "opaque":
      return block.vendor === "anthropic" ? block.raw : undefined;
    case "tool_result":
    case "search_result":
      return writeBlocks([block], writing)[0];
    case "cache_mark":
      return undefined;
  }
}
