import { printJson } from "../../wire/exact-json.ts";
import type { Block } from "../ir/block.ts";
import type { Delta } from "../ir/event.ts";
import { isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import { readBlock } from "./read-blocks.ts";
import { spelled, spellingOf } from "./spelling.ts";

export interface Growing {
  /** The block without what deltas bring. */
  readonly block: Block;
  /** What stood in it already: some hosts send a text with its start. */
  readonly deltas: readonly Delta[];
}

/** A block at its start: text and arguments grow by deltas, everything else is there. */
export function growing(raw: JsonObject): Growing {
  const block = readBlock(raw);
  switch (block.type) {
    case "text": {
      const { text } = block;
      return { block: { ...block, text: "" }, deltas: text === "" ? [] : [{ k: "text", text }] };
    }
    case "reasoning": {
      const { text = "", sealed } = block;
      if (sealed !== undefined) return { block, deltas: [] };
      const empty = spelled({ ...block, text: "" }, spellingOf(block));
      return { block: empty, deltas: text === "" ? [] : [{ k: "reasoning", text }] };
    }
    case "tool_call": {
      const { argsValue, ...rest } = block;
      return { block: { ...rest, args: "" }, deltas: argsDeltas(argsValue) };
    }
    case "refusal":
    case "tool_result":
    case "media":
    case "search_result":
    case "hosted_call":
    case "hosted_result":
    case "cache_mark":
    case "compaction":
    case "opaque":
      return { block, deltas: [] };
  }
}

function argsDeltas(value: Json | undefined): readonly Delta[] {
  if (!isObject(value) || Object.keys(value).length === 0) return [];
  return [{ k: "args", text: printJson(value) }];
}
