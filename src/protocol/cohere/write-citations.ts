import type { Citation, CitedPlace, CitedSource } from "../ir/block.ts";
import { type CitationSlots, saysMore } from "../ir/citation-slots.ts";
import { compact, isList, isObject } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";
import { spellingOf, withOwn } from "./own.ts";

/** What a citation is in, but for those in a plan or in thoughts. */
export const USUAL_TYPE = "TEXT_CONTENT";
/** A source is whatever object it was; where in it something stands has no slot. */
const SLOTS: CitationSlots = { quoted: true, place: true, names: true, data: true };
const ASTRAL = /[\ud800-\udbff]/;

/** Where a citation stands. */
export interface CitedText {
  /** The index of its text among the contents. */
  readonly index: number;
  readonly text: PointText;
  readonly path: string;
  readonly report: Report;
}

/** A text counted in code points, as far as it is known. */
export interface PointText {
  slice(start: number, end: number): string | undefined;
  /** A citation without a place of its own is for all of it. */
  readonly length: number;
}

/** Built once for a text, so that any number of citations in it cost no more. */
export function pointText(text: string): PointText {
  if (!ASTRAL.test(text)) {
    return { slice: (start, end) => text.slice(start, end), length: text.length };
  }
  const points = Array.from(text);
  return { slice: (start, end) => points.slice(start, end).join(""), length: points.length };
}

/** A citation in this wire's form; code points, as every reader counts. */
export function writeCitation(citation: Citation, cited: CitedText): JsonObject {
  const { span, place } = citation;
  const start = span?.start ?? 0;
  const end = span?.end ?? cited.text.length;
  // Within a page, a chunk, a list of blocks: there is no slot for that.
  const isForeign = citation.ext?.cohere === undefined;
  if (place?.start !== undefined || (isForeign && saysMore(citation, SLOTS))) {
    cited.report({ code: "L-CITE", path: cited.path, action: "approximated", detail: place?.kind });
  }
  const { without = [], raw } = spellingOf(citation);
  const own = citation.ext?.cohere;
  const isUsual = (name: string) => own?.[name] === undefined && !without.includes(name);
  return withOwn(
    {
      start,
      end,
      text: isUsual("text") ? cited.text.slice(start, end) : undefined,
      sources: isUsual("sources") ? (raw ?? sourcesOf(citation)) : undefined,
      type: isUsual("type") ? USUAL_TYPE : undefined,
      content_index: span?.of === "message" ? undefined : cited.index,
    },
    citation,
  );
}

/** One source: what a tool gave, or a document. */
export function writeSource(
  { url, title, documentId, data }: CitedSource,
  place: CitedPlace | undefined,
): JsonObject {
  const isTool = place?.kind === "tool";
  const named = documentId ?? url;
  const index = place?.documentIndex;
  const id = named ?? (index === undefined ? undefined : `doc:${index}`);
  // Readers of this wire want a document's title and text, if only empty ones.
  const bare = isTool ? {} : { title: "", text: "" };
  const document = isObject(data)
    ? data
    : { ...bare, ...compact({ title, url, text: textIn(data) }) };
  return compact({
    type: isTool ? "tool" : "document",
    id,
    [isTool ? "tool_output" : "document"]: document,
  });
}

/** What is quoted stands in for a source's data where there is none. */
function sourcesOf({ sources = [], quoted, place }: Citation): JsonObject[] {
  return sources.map((source) => {
    const isBare = source.data === undefined && quoted !== undefined;
    return writeSource(isBare ? { ...source, data: quoted } : source, place);
  });
}

/** What is quoted of a document that is no object. */
function textIn(data: CitedSource["data"]): string | undefined {
  if (typeof data === "string") return data;
  return isList(data) ? JSON.stringify(data) : undefined;
}
