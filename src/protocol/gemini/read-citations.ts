import type { Citation, CitedSource, CitedSpan } from "../ir/block.ts";
import { isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import { lastAtMost, TextPlaces } from "./text-places.ts";

/** A text of the answer: the block's place, and its part's where the answer is whole. */
export interface PlacedText {
  readonly block: number;
  readonly part?: number;
  readonly text: string;
}
/** A citation and the block it belongs to. */
export interface PlacedCitation {
  readonly block: number;
  readonly citation: Citation;
}

/** Texts that are searched for because their offsets do not fit: each search costs the answer. */
const SEARCHES_MAX = 64;

/**
 * What a candidate cites: grounding by search, and recitation. Offsets are UTF-8 bytes of the text
 * (finding 23); where they do not fit the text they name, the text is looked for. `of` says where
 * places are counted from, so far as they lie in one block.
 */
export function readCitations(
  candidate: JsonObject,
  texts: readonly PlacedText[],
  of: CitedSpan["of"],
): readonly PlacedCitation[] {
  const grounding = candidate["groundingMetadata"];
  const recitation = candidate["citationMetadata"];
  if (!isObject(grounding) && !isObject(recitation)) return [];
  const [last] = texts.slice(-1);
  if (last === undefined) return [];
  const answer = new CitedText(texts, of);
  const citations: PlacedCitation[] = [];
  for (const { segment, citation } of [...groundings(grounding), ...recitations(recitation)]) {
    citations.push(answer.place(segment, citation));
  }
  return citations;
}

interface Cited {
  readonly segment: JsonObject;
  readonly citation: Citation;
}

function groundings(grounding: Json | undefined): Cited[] {
  if (!isObject(grounding)) return [];
  const chunks = objectsIn(grounding["groundingChunks"], "keep");
  return objectsIn(grounding["groundingSupports"]).flatMap((support) => {
    const indexes = support["groundingChunkIndices"];
    const cited = (isList(indexes) ? indexes : []).flatMap((index) => {
      const chunk = typeof index === "number" ? chunks[index] : undefined;
      return chunk === undefined ? [] : [chunk];
    });
    const segment = support["segment"];
    if (cited.length === 0 || !isObject(segment)) return [];
    const sources = cited.map(sourceOf);
    const [first] = cited;
    const isFile = isObject(first?.["retrievedContext"]);
    return [{ segment, citation: { sources, place: { kind: isFile ? "file" : "web" } } }];
  });
}

/** A chunk is of the web, of a map or of the caller's own documents. */
function sourceOf(chunk: JsonObject): CitedSource {
  const inner = chunk["web"] ?? chunk["maps"] ?? chunk["retrievedContext"] ?? chunk["image"];
  if (!isObject(inner)) return {};
  const { uri, sourceUri, title, documentName } = inner;
  return {
    url: text(uri) ?? text(sourceUri),
    title: text(title),
    documentId: text(documentName),
  };
}

/** `citationSources` is what the first version of the API called them. */
function recitations(recitation: Json | undefined): Cited[] {
  if (!isObject(recitation)) return [];
  return objectsIn(recitation["citations"] ?? recitation["citationSources"]).map((cited) => {
    const source = { url: text(cited["uri"]), title: text(cited["title"]) };
    return { segment: cited, citation: { sources: [source], place: { kind: "web" } } };
  });
}

/** All the text of an answer, joined. */
class CitedText {
  readonly #texts: readonly PlacedText[];
  readonly #of: CitedSpan["of"];
  readonly #places: TextPlaces;
  /** The first byte of each text, and the end. */
  readonly #starts: readonly number[];
  readonly #byPart: ReadonlyMap<number | undefined, number>;
  #searches = 0;

  constructor(texts: readonly PlacedText[], of: CitedSpan["of"]) {
    this.#texts = texts;
    this.#of = of;
    this.#places = new TextPlaces(texts.map((each) => each.text).join(""));
    let at = 0;
    this.#starts = [0, ...texts.map((each) => (at += Buffer.byteLength(each.text)))];
    this.#byPart = new Map(texts.map(({ part }, index) => [part, index]));
  }

  place(segment: JsonObject, citation: Citation): PlacedCitation {
    const range = this.#rangeOf(segment);
    const last = this.#texts.length - 1;
    if (range === undefined) return { block: this.#texts[last]!.block, citation };
    const [start, end] = range;
    const index = Math.min(last, lastAtMost(this.#starts, start));
    const span = this.#spanOf({ start, end }, index);
    return { block: this.#texts[index]!.block, citation: { ...citation, span } };
  }

  #spanOf({ start, end }: { start: number; end: number }, index: number): CitedSpan {
    const places = this.#places;
    const isInside = this.#of === "block" && end <= this.#starts[index + 1]!;
    const base = isInside ? places.codePointOf(this.#starts[index]!) : 0;
    return {
      start: places.codePointOf(start) - base,
      end: places.codePointOf(end) - base,
      of: isInside ? "block" : "message",
    };
  }

  /** Bytes of the joined text; undefined when the segment is not in it. */
  #rangeOf(segment: JsonObject): readonly [number, number] | undefined {
    const said = text(segment["text"]);
    const start = offset(segment["startIndex"]) ?? 0;
    const end = offset(segment["endIndex"]);
    const part = offset(segment["partIndex"]) ?? 0;
    const own = this.#byPart.get(part);
    const bases = part > 0 && own !== undefined ? [this.#starts[own]!, 0] : [0];
    for (const base of bases) {
      if (end === undefined || end < start || base + end > this.#places.byteLength) continue;
      const range = [base + start, base + end] as const;
      if (said === undefined || this.#places.holds(said, ...range)) return range;
    }
    if (said === undefined || this.#searches++ >= SEARCHES_MAX) return undefined;
    const found = this.#places.find(said);
    return found < 0 ? undefined : [found, found + Buffer.byteLength(said)];
  }
}

/** `keep` holds the places of what is no object, for whom others count by. */
function objectsIn(value: Json | undefined, others: "keep" | "drop" = "drop"): JsonObject[] {
  if (!isList(value)) return [];
  if (others === "keep") return value.map((each) => (isObject(each) ? each : {}));
  return value.filter(isObject);
}

function text(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
function offset(value: Json | undefined): number | undefined {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 ? value : undefined;
}
