import type {
  Block,
  ReasoningBlock,
  ResultContent,
  SearchResultBlock,
  TextBlock,
} from "../ir/block.ts";
import { Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import { readCitation } from "./cite.ts";
import { MEDIA_KINDS, type ReadBlock, readMedia, readSwitch, readTexts } from "./read-media.ts";
import { extOf, leftOf } from "./rest.ts";

/** Reads what one member of a union holds; undefined when it is not of the known kind. */
type Reader = (value: Json, at: string | undefined) => ReadBlock | undefined;

/** A block of a message, in a request (then `at` says where) or an answer. */
export function readBlock(wire: JsonObject, at?: string): Block {
  for (const name of Object.keys(wire)) {
    const read = READERS.get(name)?.(wire[name]!, at);
    if (read !== undefined) return completed(wire, { name, read, at });
  }
  return opaque(wire, at);
}

/** A block of a tool's result. */
export function readResultContent(wire: JsonObject, at?: string): ResultContent {
  const block = readBlock(wire, at);
  switch (block.type) {
    case "text":
    case "media":
    case "search_result":
    case "cache_mark":
    case "opaque":
      return block;
    case "refusal":
    case "reasoning":
    case "tool_call":
    case "tool_result":
    case "hosted_call":
    case "hosted_result":
    case "compaction":
      break;
  }
  return opaque(wire, at);
}

/** A block this build does not know, whole. */
export function opaque(wire: JsonObject, at?: string): Block & { readonly type: "opaque" } {
  const [wireType = ""] = Object.keys(wire);
  return { type: "opaque", vendor: "bedrock", wireType, raw: wire, at };
}

interface Found {
  readonly name: string;
  readonly read: ReadBlock;
  readonly at: string | undefined;
}

/** Puts what stood beside the block's member, and what is left in it, into the block. */
function completed(wire: JsonObject, { name, read, at }: Found): Block {
  const outer = new Fields(wire);
  outer.skip(name);
  return { ...read.block, at, ext: extOf(leftOf(wire, outer, { [name]: read.left })) };
}

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["text", readText],
  ["toolUse", inObject(readToolUse)],
  ["toolResult", inObject(readToolResult)],
  ["reasoningContent", inObject(readReasoning)],
  ["citationsContent", inObject(readCited)],
  ["searchResult", inObject(readSearchResult)],
  ["cachePoint", inObject(readCachePoint)],
  ...MEDIA_KINDS.map(
    (kind) => [kind, inObject((wire) => readMedia(kind, wire))] satisfies [string, Reader],
  ),
]);

function inObject(
  read: (wire: JsonObject, at: string | undefined) => ReadBlock | undefined,
): Reader {
  return (value, at) => (isObject(value) ? read(value, at) : undefined);
}

function readText(value: Json): ReadBlock | undefined {
  return typeof value === "string" ? { block: { type: "text", text: value } } : undefined;
}

/** Nova's code interpreter and grounding say `server_tool_use`; Nova's other calls `tool_use`. */
export function isVendorRun(type: Json | undefined): boolean {
  return typeof type === "string" && type !== "tool_use";
}

function readToolUse(wire: JsonObject): ReadBlock | undefined {
  const fields = new Fields(wire);
  const callId = fields.text("toolUseId");
  const name = fields.text("name");
  const argsValue = fields.any("input");
  if (callId === undefined || name === undefined) return undefined;
  if (isVendorRun(wire["type"])) {
    return { block: { type: "hosted_call", vendor: "bedrock", toolType: name, callId, raw: wire } };
  }
  if (argsValue === undefined) return undefined;
  return { block: { type: "tool_call", callId, name, argsValue }, left: leftOf(wire, fields) };
}

function readToolResult(wire: JsonObject, at: string | undefined): ReadBlock | undefined {
  const fields = new Fields(wire);
  const callId = fields.text("toolUseId");
  const { type } = wire;
  if (typeof type === "string") {
    const block = { type: "hosted_result", vendor: "bedrock", toolType: type } as const;
    return { block: { ...block, callId, raw: wire } };
  }
  const content = readContents(fields.list("content"), at);
  if (callId === undefined || content === undefined) return undefined;
  const status = fields.text("status");
  const isError = status === undefined ? undefined : status === "error";
  const block = { type: "tool_result", callId, content, status, isError } as const;
  return { block, left: leftOf(wire, fields) };
}

function readContents(
  list: readonly Json[] | undefined,
  at: string | undefined,
): readonly ResultContent[] | undefined {
  if (list === undefined || !list.every(isObject)) return undefined;
  return list.map((wire, index) => {
    const place = at === undefined ? undefined : `${at}.toolResult.content[${index}]`;
    const isJson = Object.keys(wire).length === 1 && wire["json"] !== undefined;
    if (isJson) return { type: "json", value: wire["json"]!, at: place };
    return readResultContent(wire, place);
  });
}

function readReasoning(wire: JsonObject): ReadBlock | undefined {
  const fields = new Fields(wire);
  const said = fields.object("reasoningText");
  if (said === undefined) {
    const sealed = fields.text("redactedContent");
    if (sealed === undefined) return undefined;
    return { block: { type: "reasoning", sealed: seal(sealed) }, left: leftOf(wire, fields) };
  }
  const inner = new Fields(said);
  const text = inner.text("text");
  const signature = inner.text("signature");
  const block: ReasoningBlock = {
    type: "reasoning",
    text,
    signature: signature === undefined ? undefined : sign(signature),
  };
  return { block, left: leftOf(wire, fields, { reasoningText: leftOf(said, inner) }) };
}

/** Only Claude signs: protocols.md §3.9. */
export function sign(value: string): NonNullable<ReasoningBlock["signature"]> {
  return { value, encoding: "plain", family: "anthropic" };
}

/** Claude's sealed text with one more layer of base64: protocols.md §1, finding 13. */
export function seal(value: string): NonNullable<ReasoningBlock["sealed"]> {
  return { value, encoding: "base64-of-plain", family: "anthropic" };
}

/**
 * A text with its citations. The writer makes one piece of a text, none of an empty one, and no
 * list of no citations: what came otherwise stays as it was.
 */
function readCited(wire: JsonObject): ReadBlock | undefined {
  const { content, citations } = wire;
  const pieces = content === undefined ? [] : readTexts(content);
  const cited = citations === undefined ? [] : citations;
  if (pieces === undefined || !isList(cited) || !cited.every(isObject)) return undefined;
  const text = pieces.map((piece) => piece.text).join("");
  const fields = new Fields(wire);
  if (pieces.length === 1 && text !== "") fields.skip("content");
  if (cited.length > 0) fields.skip("citations");
  const block: TextBlock = { type: "text", text, citations: cited.map(readCitation) };
  return { block, left: leftOf(wire, fields) };
}

function readSearchResult(wire: JsonObject): ReadBlock | undefined {
  const fields = new Fields(wire);
  const source = fields.text("source");
  const content = readTexts(fields.list("content"));
  if (source === undefined || content === undefined) return undefined;
  const block: SearchResultBlock = {
    type: "search_result",
    source,
    title: fields.text("title"),
    content,
    citations: readSwitch(fields),
  };
  return { block, left: leftOf(wire, fields) };
}

/** Also a tool list's: its one type is `default`. */
export function readCachePoint(
  wire: JsonObject,
): ReadBlock<Block & { readonly type: "cache_mark" }> {
  const fields = new Fields(wire);
  if (fields.peek("type") === "default") fields.skip("type");
  const ttl = fields.text("ttl");
  return { block: { type: "cache_mark", cache: { ttl } }, left: leftOf(wire, fields) };
}
