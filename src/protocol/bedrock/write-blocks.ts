import { argsObject } from "../ir/args.ts";
import type {
  Block,
  CacheMark,
  ReasoningBlock,
  ResultContent,
  Signed,
  ToolCallBlock,
  ToolResultBlock,
} from "../ir/block.ts";
import { compact, isList } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { LossCode, Report } from "../ir/loss.ts";
import type { DocumentNames } from "./document-names.ts";
import { inside } from "./rest.ts";
import { writeMedia, writeSearchResult } from "./write-media.ts";
import { writeText } from "./write-text.ts";

/** What a block is written by. */
export interface BlockContext {
  /** Whether it was read from this wire: then it is spelled as it was. */
  readonly own: boolean;
  readonly report: Report;
  readonly names: DocumentNames;
  /** Where the block stands, for one that does not say so itself. */
  readonly path: string;
  /** Code points of the answer's text before the block. */
  readonly textBefore: number;
}

/** A block as the wire's blocks: none where it cannot be spelled, two where a mark follows. */
export function writeBlock(block: Block, context: BlockContext): readonly JsonObject[] {
  const written = spelled(block, context);
  const { cache } = block;
  if (cache === undefined || block.type === "cache_mark" || written.length === 0) return written;
  return [...written, cachePoint(cache)];
}

/** A mark that a cache may keep everything before it. */
export function cachePoint({ ttl, ext }: CacheMark): JsonObject {
  return { cachePoint: compact({ type: "default", ttl }, ext?.bedrock) };
}

function spelled(block: Block, context: BlockContext): readonly JsonObject[] {
  switch (block.type) {
    case "text":
      return writeText(block, context);
    case "refusal":
      return [{ text: block.text }];
    case "reasoning":
      return writeReasoning(block, context);
    case "tool_call":
      return [writeToolCall(block, context)];
    case "tool_result":
      return [writeToolResult(block, context)];
    case "media":
      return one(writeMedia(block, context));
    case "search_result":
      return [writeSearchResult(block, context)];
    case "cache_mark":
      return [writeCacheMark(block.cache, block.ext?.bedrock)];
    case "hosted_call":
      return block.vendor === "bedrock"
        ? [hosted("toolUse", block)]
        : lost("L-HOSTED", block, context);
    case "hosted_result":
      return block.vendor === "bedrock"
        ? [hosted("toolResult", block)]
        : lost("L-HOSTED", block, context);
    case "opaque":
      return block.vendor === "bedrock" ? [block.raw] : lost("L-UNKNOWN-BLOCK", block, context);
    case "compaction":
      return lost("L-UNKNOWN-BLOCK", block, context);
  }
}

/** A seal stands alone on this wire, so a block that has a text beside it becomes two. */
function writeReasoning(block: ReasoningBlock, { own }: BlockContext): readonly JsonObject[] {
  const { sealed, signature } = block;
  const left = block.ext?.bedrock;
  const inner = inside(left, "reasoningContent");
  const written: JsonObject[] = [];
  const summary = block.summary?.join("\n\n");
  const text = block.text ?? summary ?? (own ? undefined : "");
  if (sealed === undefined || text || signature !== undefined) {
    const said = compact({ text, signature: signature?.value }, inside(inner, "reasoningText"));
    written.push({ reasoningContent: compact({ reasoningText: said }, inner) });
  }
  if (sealed !== undefined) {
    written.push({ reasoningContent: compact({ redactedContent: sealOf(sealed) }, inner) });
  }
  return written.map((wire) => compact(wire, left));
}

/** Sealed reasoning with Bedrock's layer of base64 on it: protocols.md §1, finding 13. */
export function sealOf({ value, encoding }: Signed): string {
  return encoding === "plain" ? Buffer.from(value).toString("base64") : value;
}

function writeToolCall(block: ToolCallBlock, { report, path, own }: BlockContext): JsonObject {
  const left = block.ext?.bedrock;
  const { callId, name, argsValue } = block;
  const input = own && argsValue !== undefined ? argsValue : argsObject(block, report);
  const members = { toolUseId: callId ?? `tooluse_${path.replace(/\W+/g, "_")}`, name, input };
  return compact({ toolUse: compact(members, inside(left, "toolUse")) }, left);
}

function writeToolResult(block: ToolResultBlock, context: BlockContext): JsonObject {
  const left = block.ext?.bedrock;
  const status = context.own ? block.status : block.isError === true ? "error" : undefined;
  const members = {
    toolUseId: block.callId,
    content: block.content.flatMap((content) => writeResultContent(content, context)),
    status,
  };
  return compact({ toolResult: compact(members, inside(left, "toolResult")) }, left);
}

/** One block of a tool's result. There is no place for a mark inside of one. */
export function writeResultContent(
  content: ResultContent,
  context: BlockContext,
): readonly JsonObject[] {
  if (content.type !== "cache_mark" && content.cache !== undefined) {
    context.report({ code: "L-CACHE", path: content.at ?? context.path, action: "dropped" });
  }
  return content.type === "json" ? [{ json: content.value }] : spelled(content, context);
}

function writeCacheMark(cache: CacheMark, left: JsonObject | undefined): JsonObject {
  const mark = compact({ type: markType(left), ttl: cache.ttl }, inside(left, "cachePoint"));
  return compact({ cachePoint: mark }, left);
}

/** The one type there is, unless another was read. */
function markType(left: JsonObject | undefined): Json | undefined {
  return inside(left, "cachePoint")?.["type"] === undefined ? "default" : undefined;
}

function hosted(name: string, { raw, ext }: { raw: JsonObject; ext?: Block["ext"] }): JsonObject {
  return compact({ [name]: raw }, ext?.bedrock);
}

function one(wire: JsonObject | undefined): readonly JsonObject[] {
  return wire === undefined ? [] : [wire];
}

function lost(code: LossCode, block: Block, { report, path }: BlockContext): readonly JsonObject[] {
  report({ code, path: block.at ?? path, action: "dropped" });
  return [];
}

/** Whether a list of wire blocks holds one that has `name`. */
export function hasMember(blocks: Json | undefined, name: string): boolean {
  return isList(blocks) && blocks.some((wire) => (wire as JsonObject)[name] !== undefined);
}
