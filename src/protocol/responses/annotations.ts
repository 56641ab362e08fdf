import type { Citation, CitedPlace, CitedSource, CitedSpan } from "../ir/block.ts";
import { type CitationSlots, saysMore } from "../ir/citation-slots.ts";
import { compact, Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";

const URL = "url_citation";

/** The annotations of a text; undefined where the list is none of objects. */
export function readAnnotations(value: Json | undefined): readonly Citation[] | undefined {
  if (!isList(value) || !value.every(isObject)) return undefined;
  return value.map(readAnnotation);
}

/** One of them. Offsets count characters of the part (protocols.md 4.4). */
export function readAnnotation(annotation: JsonObject): Citation {
  const fields = new Fields(annotation);
  const isUrl = fields.peek("type") === URL;
  if (isUrl) fields.skip("type");
  const span = readSpan(fields);
  const source: CitedSource = isUrl
    ? { url: fields.text("url"), title: fields.text("title") }
    : { documentId: fields.text("file_id"), title: fields.text("filename") };
  const place: CitedPlace = { kind: isUrl ? "web" : "file" };
  return { span, place, sources: [source], ext: fields.ext("responses") };
}

function readSpan(fields: Fields): CitedSpan | undefined {
  const isWhole =
    typeof fields.peek("start_index") === "number" && typeof fields.peek("end_index") === "number";
  if (!isWhole) return undefined;
  return { start: fields.number("start_index")!, end: fields.number("end_index")!, of: "block" };
}

/** Where the text that a citation supports stands in its part. */
export interface TextRange {
  /** Code points before the block, in its part and in the whole answer. */
  readonly inPart: number;
  readonly inAnswer: number;
  /** Code points of the block. */
  readonly length: number;
}

/** A citation that this wire wrote itself. */
export function writeOwnAnnotation({ span, place, sources, ext }: Citation): JsonObject {
  const [source] = sources ?? [];
  const range = { start_index: span?.start, end_index: span?.end };
  return place?.kind === "web"
    ? compact({ type: URL, ...range, url: source?.url, title: source?.title }, ext?.responses)
    : compact({ ...range, file_id: source?.documentId, filename: source?.title }, ext?.responses);
}

/** A web citation is an address and a title. */
const SLOTS: CitationSlots = { quoted: false, place: false, names: false, data: false };

/**
 * Another's citation: one annotation for each of its web sources. What has none is reported, and so
 * is whatever else it says of a source.
 */
export function writeAnnotations(
  citation: Citation,
  range: TextRange,
  at: { readonly report: Report; readonly path: string },
): readonly JsonObject[] {
  const span = placed(citation.span, range);
  const all = citation.sources ?? [];
  const sources = span === undefined ? [] : all.filter(({ url }) => url !== undefined);
  if (sources.length === 0) {
    at.report({ code: "L-CITE", path: at.path, action: "dropped" });
  } else if (sources.length < all.length || saysMore(citation, SLOTS)) {
    at.report({ code: "L-CITE", path: at.path, action: "approximated" });
  }
  return sources.map(({ url, title }) => ({
    type: URL,
    start_index: span!.start,
    end_index: span!.end,
    url: url!,
    title: title ?? "",
  }));
}

/** In the part; undefined when it stands in another one. The whole block where nothing is said. */
function placed(
  span: CitedSpan | undefined,
  { inPart, inAnswer, length }: TextRange,
): { readonly start: number; readonly end: number } | undefined {
  if (span === undefined) return { start: inPart, end: inPart + length };
  const shift = span.of === "block" ? inPart : inPart - inAnswer;
  return span.start + shift < 0 ? undefined : { start: span.start + shift, end: span.end + shift };
}

/** How many code points a text has; half a pair at its end counts with its other half. */
export function codePoints(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0xdc00 || unit > 0xdfff) count++;
  }
  return count;
}
