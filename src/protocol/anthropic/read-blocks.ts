import type {
  Block,
  MediaBlock,
  OpaqueBlock,
  ReasoningBlock,
  ResultContent,
  SearchResultBlock,
  Signed,
  TextBlock,
  ToolResultBlock,
} from "../ir/block.ts";
import type { JsonObject } from "../ir/json.ts";
import { readCacheMark } from "./cache-mark.ts";
import { OwnFields } from "./own-fields.ts";
import { readCitation } from "./read-citations.ts";
import { readContainerUpload, readDocument, readImage } from "./read-media.ts";
import { spelled } from "./spelling.ts";

/** Reads the rest of a block of one type; undefined when it is not shaped as that type is. */
type ReadBlock = (fields: OwnFields, at: string | undefined, raw: JsonObject) => Block | undefined;

/** A content block, of a request or of an answer. One this build does not know is kept whole. */
export function readBlock(raw: JsonObject, at?: string): Block {
  const fields = new OwnFields(raw);
  const type = fields.text("type") ?? "";
  const read = READERS.get(type) ?? (type.endsWith("_tool_result") ? readHostedResult : undefined);
  return read?.(fields, at, raw) ?? opaque(raw, at);
}

/** The blocks of a content list. */
export function readBlocks(list: readonly JsonObject[], at: string): readonly Block[] {
  return list.map((raw, index) => readBlock(raw, `${at}[${index}]`));
}

function opaque(raw: JsonObject, at: string | undefined): OpaqueBlock {
  const type = raw["type"];
  const wireType = typeof type === "string" ? type : "";
  return { type: "opaque", vendor: "anthropic", wireType, raw, at };
}

function readText(fields: OwnFields, at: string | undefined): TextBlock | undefined {
  const text = fields.text("text");
  if (text === undefined) return undefined;
  return {
    type: "text",
    text,
    citations: fields.objects("citations")?.map(readCitation),
    cache: readCacheMark(fields),
    ext: fields.own(),
    at,
  };
}

function readThinking(fields: OwnFields, at: string | undefined): Block | undefined {
  const text = fields.text("thinking");
  if (text === undefined) return undefined;
  const signature = fields.text("signature");
  const block: ReasoningBlock = {
    type: "reasoning",
    text,
    signature: signature === "" ? undefined : signed(signature), // An empty one signs nothing.
    cache: readCacheMark(fields),
    ext: fields.own(),
    at,
  };
  return signature === "" ? spelled(block, { beside: { signature } }) : block;
}

function readRedacted(fields: OwnFields, at: string | undefined): Block | undefined {
  const sealed = signed(fields.text("data"));
  if (sealed === undefined) return undefined;
  return { type: "reasoning", sealed, cache: readCacheMark(fields), ext: fields.own(), at };
}

/** A proof as this wire spells it. */
export function signed(value: string): Signed;
export function signed(value: string | undefined): Signed | undefined;
export function signed(value: string | undefined): Signed | undefined {
  return value === undefined ? undefined : { value, encoding: "plain", family: "anthropic" };
}

function readToolUse(fields: OwnFields, at: string | undefined): Block | undefined {
  const name = fields.text("name");
  if (name === undefined) return undefined;
  return {
    type: "tool_call",
    callId: fields.text("id"),
    name,
    argsValue: fields.any("input"),
    cache: readCacheMark(fields),
    ext: fields.own(),
    at,
  };
}

function readToolResult(fields: OwnFields, at: string | undefined): Block | undefined {
  const callId = fields.text("tool_use_id");
  const isAbsent = fields.peek("content") === undefined;
  const bare = fields.text("content");
  const list = bare === undefined ? fields.objects("content") : undefined;
  if (!isAbsent && bare === undefined && list === undefined) return undefined;
  const block: ToolResultBlock = {
    type: "tool_result",
    callId,
    content:
      bare === undefined
        ? (list ?? []).map((raw, index) => resultContent(raw, at && `${at}.content[${index}]`))
        : [{ type: "text", text: bare }],
    bareString: bare === undefined ? undefined : true,
    isError: fields.flag("is_error"),
    cache: readCacheMark(fields),
    ext: fields.own(),
    at,
  };
  return isAbsent ? spelled(block, { without: "content" }) : block;
}

function resultContent(raw: JsonObject, at: string | undefined): ResultContent {
  const block = readBlock(raw, at);
  return isResultContent(block) ? block : opaque(raw, at);
}

function isResultContent(
  block: Block,
): block is TextBlock | MediaBlock | SearchResultBlock | OpaqueBlock {
  return ["text", "media", "search_result", "opaque"].includes(block.type);
}

function readSearchResult(fields: OwnFields, at: string | undefined): Block | undefined {
  const source = fields.text("source");
  const content = fields.objects("content")?.map((raw, index) => {
    const block = readBlock(raw, at && `${at}.content[${index}]`);
    return block.type === "text" ? block : undefined;
  });
  if (source === undefined || content === undefined || content.includes(undefined))
    return undefined;
  return {
    type: "search_result",
    source,
    title: fields.text("title"),
    content: content.filter((block) => block !== undefined),
    citations: fields.inner("citations", (inner) => inner.flag("enabled")),
    cache: readCacheMark(fields),
    ext: fields.own(),
    at,
  };
}

function readHostedCall(
  fields: OwnFields,
  at: string | undefined,
  raw: JsonObject,
): Block | undefined {
  const isMcp = fields.peek("type") === "mcp_tool_use";
  const toolType = isMcp ? "mcp" : (fields.text("name") ?? "");
  const callId = fields.text("id");
  return { type: "hosted_call", vendor: "anthropic", toolType, callId, raw, at };
}

function readHostedResult(
  fields: OwnFields,
  at: string | undefined,
  raw: JsonObject,
): Block | undefined {
  const toolType = String(fields.peek("type")).replace(/_tool_result$/, "");
  const callId = fields.text("tool_use_id");
  return { type: "hosted_result", vendor: "anthropic", toolType, callId, raw, at };
}

function readCompaction(_: OwnFields, at: string | undefined, raw: JsonObject): Block {
  return { type: "compaction", vendor: "anthropic", raw, at };
}

const READERS: ReadonlyMap<string, ReadBlock> = new Map<string, ReadBlock>([
  ["text", readText],
  ["thinking", readThinking],
  ["redacted_thinking", readRedacted],
  ["tool_use", readToolUse],
  ["tool_result", readToolResult],
  ["image", readImage],
  ["document", readDocument],
  ["container_upload", readContainerUpload],
  ["search_result", readSearchResult],
  ["server_tool_use", readHostedCall],
  ["mcp_tool_use", readHostedCall],
  ["compaction", readCompaction],
]);
