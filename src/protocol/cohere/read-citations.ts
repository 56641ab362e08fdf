import type { Block, Citation, CitedSource, TextBlock } from "../ir/block.ts";
import { Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import { owned, spelled, spellingOf } from "./own.ts";
import { type PointText, pointText, USUAL_TYPE, writeSource } from "./write-citations.ts";

/** Members that the writer gives every citation. */
const DEFAULTED = ["text", "type", "sources"];

/** A citation, and which of the answer's contents it is in; undefined where it does not say. */
export interface ReadCitation {
  readonly citation: Citation;
  readonly contentIndex: number | undefined;
}

/** Finds the text a citation is in, where it is at hand. */
export type FindText = (contentIndex: number | undefined) => PointText | undefined;

/** Undefined when it has no place in the text. */
export function readCitation(raw: Json, findText?: FindText): ReadCitation | undefined {
  if (!isObject(raw)) return undefined;
  const fields = new Fields(raw);
  const start = fields.number("start");
  const end = fields.number("end");
  if (start === undefined || end === undefined) return undefined;
  const contentIndex = fields.number("content_index");
  const of = contentIndex === undefined ? "message" : "block";
  const kinds = sourceKinds(fields.peek("sources"));
  const list = kinds && fields.list("sources");
  const isTool = kinds !== undefined && kinds.length > 0 && kinds.every((kind) => kind === "tool");
  // What both say again is said by the place and by the wire.
  const said = fields.peek("text");
  if (said !== undefined && said === findText?.(contentIndex)?.slice(start, end))
    fields.skip("text");
  if (fields.peek("type") === USUAL_TYPE) fields.skip("type");
  const citation: Citation = {
    span: { start, end, of },
    place: isTool ? { kind: "tool" } : undefined,
    sources: list?.map((source) => readSource(source as JsonObject)),
  };
  return { citation: keptExact(owned(citation, fields), raw), contentIndex };
}

/** A whole message's citations on the texts they stand in; undefined when one has none there. */
export function placeCitations(
  blocks: readonly Block[],
  { list, contents }: { readonly list: readonly Json[]; readonly contents: readonly Block[] },
): readonly Block[] | undefined {
  const texts = contents.filter((block) => block.type === "text");
  const points = new Map<Block | undefined, PointText>();
  const blockAt = (index: number | undefined) => (index === undefined ? texts[0] : contents[index]);
  const findText: FindText = (index) => {
    const block = blockAt(index);
    const known = points.get(block) ?? (block?.type === "text" ? pointText(block.text) : undefined);
    if (known !== undefined) points.set(block, known);
    return known;
  };
  const placed = new Map<Block, Citation[]>();
  let last = -1;
  for (const raw of list) {
    const read = readCitation(raw, findText);
    if (read === undefined) return undefined;
    const { contentIndex, citation } = read;
    const block = blockAt(contentIndex);
    if (block === undefined || block.type !== "text") return undefined;
    // Written again they come text by text.
    const at = contents.indexOf(block);
    if (at < last) return undefined;
    last = at;
    const there = placed.get(block);
    if (there === undefined) placed.set(block, [citation]);
    else there.push(citation);
  }
  return blocks.map((block) => withCitations(block, placed.get(block)));
}

function withCitations(block: Block, citations: readonly Citation[] | undefined): Block {
  if (citations === undefined || block.type !== "text") return block;
  const cited: TextBlock = { ...block, citations };
  return spelled(cited, spellingOf(block));
}

/** The kinds of sources, where all are objects of the two there are. */
function sourceKinds(sources: Json | undefined): readonly string[] | undefined {
  if (!isList(sources)) return undefined;
  const kinds = sources.map((source) => (isObject(source) ? source["type"] : undefined));
  const areKnown = kinds.every((kind) => kind === "tool" || kind === "document");
  return areKnown ? (kinds as readonly string[]) : undefined;
}

function readSource(source: JsonObject): CitedSource {
  const data = source[source["type"] === "tool" ? "tool_output" : "document"];
  const inside = isObject(data) ? data : undefined;
  return {
    documentId: textOf(source["id"]),
    title: textOf(inside?.["title"]),
    url: textOf(inside?.["url"]),
    data,
  };
}

/** Sources that would not come out as they came in are remembered as they came. */
function keptExact(citation: Citation, raw: JsonObject): Citation {
  const { sources, place } = citation;
  const without = DEFAULTED.filter((name) => raw[name] === undefined || raw[name] === null);
  const again = sources?.map((source) => writeSource(source, place));
  const isExact = again === undefined || Bun.deepEquals(again, raw["sources"]);
  if (isExact && without.length === 0) return citation;
  const kept = isExact ? undefined : raw["sources"];
  return spelled(citation, { ...spellingOf(citation), raw: kept, without });
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
