import type { Citation, CitedSource } from "../ir/block.ts";
import { type CitationSlots, saysMore } from "../ir/citation-slots.ts";
import { compact } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";
import { lastAtMost, TextPlaces } from "./text-places.ts";

/** A stretch of the answer's text that a block was, with what it cites. */
export interface CitingText {
  readonly text: string;
  readonly citations: readonly Citation[];
  /** The part its text became a part of, where the answer is whole. */
  readonly part?: number;
  readonly path: string;
}

/** A chunk of grounding is an address and a title. */
const SLOTS: CitationSlots = { quoted: false, place: false, names: false, data: false };

/**
 * Web citations as grounding by search; undefined when there is none. Offsets are UTF-8 bytes from
 * the start of the part. Citations of documents have no place here.
 */
export function writeCitations(
  texts: readonly CitingText[],
  report: Report,
): JsonObject | undefined {
  const chunks = new SourceList();
  const supports: JsonObject[] = [];
  const whole = new CitingTexts(texts);
  for (const [index, { citations, path }] of texts.entries()) {
    for (const [place, citation] of citations.entries()) {
      const indices = chunks.add(citation.sources ?? []);
      const at = `${path}.citations[${place}]`;
      if (indices.length === 0) {
        report({ code: "L-CITE", path: at, action: "dropped" });
        continue;
      }
      if (saysMore(citation, SLOTS)) report({ code: "L-CITE", path: at, action: "approximated" });
      supports.push({ segment: whole.segment(index, citation), groundingChunkIndices: indices });
    }
  }
  if (supports.length === 0) return undefined;
  return { groundingChunks: chunks.written, groundingSupports: supports };
}

/** Sources with an address, each once. */
class SourceList {
  readonly #places = new Map<string, number>();
  readonly written: JsonObject[] = [];

  add(sources: readonly CitedSource[]): number[] {
    return sources.flatMap(({ url, title }) => {
      if (url === undefined) return [];
      const key = JSON.stringify([url, title]);
      let place = this.#places.get(key);
      if (place === undefined) {
        this.#places.set(key, (place = this.written.length));
        this.written.push({ web: compact({ uri: url, title }) });
      }
      return [place];
    });
  }
}

/** Where the blocks stand in the answer and in their parts, worked out when something is cited. */
class CitingTexts {
  readonly #texts: readonly CitingText[];
  readonly #places = new Map<number, TextPlaces>();
  /** In characters: the first of each block, in the answer and in its part, and how many. */
  readonly #inAnswer: number[] = [];
  readonly #inPart: number[] = [];
  readonly #lengths: number[] = [];

  constructor(texts: readonly CitingText[]) {
    this.#texts = texts;
  }

  segment(index: number, { span }: Citation): JsonObject {
    this.#measure();
    const isOfAnswer = span?.of === "message";
    const at = isOfAnswer ? Math.max(0, lastAtMost(this.#inAnswer, span.start)) : index;
    const first = this.#inPart[at]! - (isOfAnswer ? this.#inAnswer[at]! : 0);
    const part = partOf(this.#texts[at]!);
    const places = this.#placesOf(part);
    const startIndex = places.byteOf(Math.max(0, first + (span?.start ?? 0)));
    const end = places.byteOf(Math.max(0, first + (span?.end ?? this.#lengths[index]!)));
    const endIndex = Math.max(startIndex, end);
    const text = places.slice(startIndex, endIndex);
    return compact({ partIndex: part === 0 ? undefined : part, startIndex, endIndex, text });
  }

  #measure(): void {
    if (this.#lengths.length > 0) return;
    const partLengths = new Map<number, number>();
    let before = 0;
    for (const each of this.#texts) {
      const length = [...each.text].length;
      const inPart = partLengths.get(partOf(each)) ?? 0;
      this.#inAnswer.push(before);
      this.#inPart.push(inPart);
      this.#lengths.push(length);
      partLengths.set(partOf(each), inPart + length);
      before += length;
    }
  }

  #placesOf(part: number): TextPlaces {
    let places = this.#places.get(part);
    if (places === undefined) {
      const texts = this.#texts.filter((each) => partOf(each) === part);
      places = new TextPlaces(texts.map(({ text }) => text).join(""));
      this.#places.set(part, places);
    }
    return places;
  }
}

function partOf({ part = 0 }: CitingText): number {
  return part;
}
