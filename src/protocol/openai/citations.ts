import type { Citation } from "../ir/block.ts";
import { type CitationSlots, saysMore } from "../ir/citation-slots.ts";
import { compact, Fields, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import { restOf, ownExt, ownExtAt } from "./rest.ts";

const TYPE = "url_citation";

/** The citations of `annotations`; undefined where one is of another kind. */
export function readAnnotations(list: readonly Json[]): readonly Citation[] | undefined {
  const citations: Citation[] = [];
  for (const annotation of list) {
    const citation = readAnnotation(annotation);
    if (citation === undefined) return undefined;
    citations.push(citation);
  }
  return citations.length === 0 ? undefined : citations;
}

/** One citation of a web page; undefined when it is none. */
export function readAnnotation(annotation: Json): Citation | undefined {
  if (!isObject(annotation) || annotation["type"] !== TYPE) return undefined;
  const fields = new Fields(annotation);
  fields.skip("type");
  const given = fields.object(TYPE);
  if (given === undefined) return undefined;
  const inner = new Fields(given);
  const start = inner.number("start_index");
  const end = inner.number("end_index");
  const url = inner.text("url");
  if (start === undefined || end === undefined || url === undefined) return undefined;
  return {
    span: { start, end, of: "message" },
    place: { kind: "web" },
    sources: [{ url, title: inner.text("title") }],
    quoted: inner.text("content"),
    ext: restOf(fields, { [TYPE]: inner }),
  };
}

/** A web citation may hold what it quotes; a source is its address and title. */
const SLOTS: CitationSlots = { quoted: true, place: false, names: false, data: false };

/** What becomes of another's citation: undefined where all of it has a place. */
export function citationLoss(
  citation: Citation,
  written: readonly JsonObject[],
): "dropped" | "approximated" | undefined {
  if (written.length === 0) return "dropped";
  const isQuoted = citation.place?.kind === "web";
  return saysMore(citation, { ...SLOTS, quoted: isQuoted }) ? "approximated" : undefined;
}

export interface CitedRange {
  /** Where the cited block begins and ends in the message's text, in code points. */
  readonly start: number;
  readonly end: number;
}

/** The annotations that say a citation: one for each source with a URL; none where none has. */
export function writeAnnotations(citation: Citation, block: CitedRange): readonly JsonObject[] {
  const { span } = citation;
  const offset = span?.of === "block" ? block.start : 0;
  const { start, end } = span ?? block;
  const place = { start_index: start + offset, end_index: end + offset };
  const isOwn = ownExt(citation) !== undefined;
  const quoted = citation.place?.kind === "web" ? citation.quoted : undefined;
  return (citation.sources ?? []).flatMap(({ url, title }) => {
    if (url === undefined) return [];
    // The type has a title for every page, and readers hold on to that.
    const named = isOwn ? title : (title ?? "");
    const members = { ...place, url, title: named, content: quoted };
    const cited = compact(members, ownExtAt(citation, TYPE));
    return [compact({ type: TYPE, [TYPE]: cited }, ownExt(citation))];
  });
}

/** Unicode code points of a text, as OpenAI counts characters: protocols.md finding 23. */
export function codePoints(text: string): number {
  let count = text.length;
  for (let index = 1; index < text.length; index++) {
    const isTrail = (text.charCodeAt(index) & 0xfc00) === 0xdc00;
    if (isTrail && (text.charCodeAt(index - 1) & 0xfc00) === 0xd800) count--;
  }
  return count;
}
