import { printJson } from "../../wire/exact-json.ts";
import { argsObject } from "../ir/args.ts";
import type {
  Block,
  JsonBlock,
  ReasoningBlock,
  SearchResultBlock,
  Signed,
  TextBlock,
  ToolCallBlock,
  ToolResultBlock,
} from "../ir/block.ts";
import { compact } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { LossCode } from "../ir/loss.ts";
import { writeCacheMark } from "./cache-mark.ts";
import { innerObject } from "./own-fields.ts";
import { spellingOf } from "./spelling.ts";
import { losesPart, writeCitation } from "./write-citations.ts";
import { writeMedia } from "./write-media.ts";
import { required, type Writing } from "./writing.ts";

/** The blocks of a list. A mark that is a block of its own goes on the block before it. */
export function writeBlocks(
  blocks: readonly (Block | JsonBlock)[],
  writing: Writing,
): readonly JsonObject[] {
  const written: JsonObject[] = [];
  for (const block of blocks) {
    if (block.type !== "cache_mark") {
      written.push(...writeBlock(block, writing));
    } else if (written.length > 0) {
      const cache_control = writeCacheMark(block.cache);
      written.push(compact({ cache_control }, written.pop()));
    }
  }
  return written;
}

/** Whether a block is nothing but its text, so that a string can say it. */
export function isPlainText(block: Block | JsonBlock | undefined): block is TextBlock {
  if (block?.type !== "text") return false;
  const { citations, cache, ext } = block;
  return citations === undefined && cache === undefined && ext?.anthropic === undefined;
}

/** One block as this wire has it; none, and reported, where it has no place. */
function writeBlock(block: Block | JsonBlock, writing: Writing): readonly JsonObject[] {
  switch (block.type) {
    case "text":
      return [writeText(block, writing)];
    case "refusal":
      return [{ type: "text", text: block.text }];
    case "json":
      return [{ type: "text", text: printJson(block.value) }];
    case "reasoning":
      return writeReasoning(block, writing);
    case "tool_call":
      return [writeToolUse(block, writing)];
    case "tool_result":
      return [writeToolResult(block, writing)];
    case "media": {
      const media = writeMedia(block, writing);
      return media === undefined ? [] : [media];
    }
    case "search_result":
      return [writeSearchResult(block, writing)];
    case "hosted_call":
    case "hosted_result":
      return writeRaw(block, { code: "L-HOSTED", writing });
    case "compaction":
    case "opaque":
      return writeRaw(block, { code: "L-UNKNOWN-BLOCK", writing });
    case "cache_mark":
      return [];
  }
}

function writeText(block: TextBlock, writing: Writing): JsonObject {
  return compact(
    {
      type: "text",
      text: block.text,
      citations: writeCitations(block, writing),
      cache_control: writeCacheMark(block.cache),
    },
    block.ext?.anthropic,
  );
}

function writeCitations({ citations, at }: TextBlock, writing: Writing): Json | undefined {
  if (citations === undefined) return undefined;
  const written = citations.flatMap((citation) => {
    const each = writeCitation(citation, writing);
    if (each.length === 0) {
      writing.report({ code: "L-CITE", path: at ?? "citations", action: "dropped" });
    } else if (losesPart(citation, writing)) {
      writing.report({ code: "L-CITE", path: at ?? "citations", action: "approximated" });
    }
    return each;
  });
  return written.length === 0 && !writing.isOwn ? undefined : written;
}

/** Text with its proof, and a seal beside it as the block of its own that it is here. */
function writeReasoning(block: ReasoningBlock, writing: Writing): readonly JsonObject[] {
  const own = block.ext?.anthropic;
  const cache_control = writeCacheMark(block.cache);
  const text = shownReasoning(block);
  const written: JsonObject[] = [];
  if (block.sealed === undefined || block.signature !== undefined || (text ?? "") !== "") {
    // The type wants a signature; where nobody signed, an empty one says so.
    const none = writing.isAnswer ? required(writing, "") : undefined;
    const signature = block.signature === undefined ? none : plain(block.signature);
    const members = { type: "thinking", thinking: text ?? "", signature, cache_control };
    written.push(compact(compact(members, spellingOf(block).beside), own));
  }
  if (block.sealed !== undefined) {
    const members = { type: "redacted_thinking", data: plain(block.sealed), cache_control };
    written.push(compact(members, written.length === 0 ? own : undefined));
  }
  return written;
}

/** What of a block of reasoning is to be read: its text, or the parts of its summary. */
export function shownReasoning({ text, summary }: ReasoningBlock): string | undefined {
  if (text !== undefined || summary === undefined) return text;
  return summary.length === 0 ? undefined : summary.join("\n\n");
}

/** A proof without Bedrock's extra layer: protocols.md 1, finding 13. */
export function plain({ value, encoding }: Signed): string {
  return encoding === "plain" ? value : Buffer.from(value, "base64").toString();
}

function writeToolUse(block: ToolCallBlock, { report }: Writing): JsonObject {
  return compact(
    {
      type: "tool_use",
      id: block.callId,
      name: block.name,
      input: argsObject(block, report),
      cache_control: writeCacheMark(block.cache),
    },
    block.ext?.anthropic,
  );
}

function writeToolResult(block: ToolResultBlock, writing: Writing): JsonObject {
  const { content, bareString } = block;
  const [first] = content;
  const isBare = bareString === true && content.length === 1 && isPlainText(first);
  const isAbsent = spellingOf(block).without === "content";
  const list = isBare ? first.text : writeBlocks(content, writing);
  return compact(
    {
      type: "tool_result",
      tool_use_id: block.callId,
      content: isAbsent ? undefined : list,
      is_error: block.isError,
      cache_control: writeCacheMark(block.cache),
    },
    block.ext?.anthropic,
  );
}

function writeSearchResult(block: SearchResultBlock, writing: Writing): JsonObject {
  const own = block.ext?.anthropic;
  return compact(
    {
      type: "search_result",
      source: block.source,
      title: block.title ?? required(writing, block.source),
      content: writeBlocks(block.content, writing),
      citations: innerObject({ enabled: block.citations }, { own, name: "citations" }),
      cache_control: writeCacheMark(block.cache),
    },
    own,
  );
}

type RawBlock = Extract<Block, { readonly raw: JsonObject }>;

function writeRaw(
  block: RawBlock,
  { code, writing }: { readonly code: LossCode; readonly writing: Writing },
): readonly JsonObject[] {
  if (block.vendor === "anthropic") return [block.raw];
  writing.report({ code, path: block.at ?? block.type, action: "dropped" });
  return [];
}
