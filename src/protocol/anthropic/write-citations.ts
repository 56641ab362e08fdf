import type { Citation, CitedSource } from "../ir/block.ts";
import { type CitationSlots, saysMore } from "../ir/citation-slots.ts";
import { compact } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import { required, type Writing } from "./writing.ts";

/**
 * A citation as this wire has it, one for each source. None when no location of this wire fits, as
 * for what a file or a tool said: protocols.md 4.4.
 */
export function writeCitation(citation: Citation, writing: Writing): readonly JsonObject[] {
  const own = citation.ext?.anthropic;
  const { place, sources = [] } = citation;
  if (place === undefined && own?.["type"] !== undefined) return [own];
  switch (place?.kind) {
    case "char":
    case "page":
    case "block":
    case "chunk":
      return [inDocument(citation, LOCATIONS[place.kind], writing)];
    case "search_result":
      return [inSearchResult(citation, writing)];
    case "web":
    case "file":
    case "tool":
    case undefined:
      return onTheWeb(citation, sources, writing);
  }
}

/** Places in documents have a location; what else a source says has none. */
const SLOTS: CitationSlots = { quoted: true, place: true, names: true, data: false };

/** Whether a citation of another protocol says what this wire cannot. */
export function losesPart(citation: Citation, { isOwn }: Writing): boolean {
  return !isOwn && saysMore(citation, SLOTS);
}

interface Location {
  readonly type: string;
  readonly start: string;
  readonly end: string;
}
const BLOCK: Location = {
  type: "content_block_location",
  start: "start_block_index",
  end: "end_block_index",
};
const LOCATIONS: Readonly<Record<"char" | "page" | "block" | "chunk", Location>> = {
  char: { type: "char_location", start: "start_char_index", end: "end_char_index" },
  page: { type: "page_location", start: "start_page_number", end: "end_page_number" },
  block: BLOCK,
  chunk: BLOCK,
};

function inDocument(citation: Citation, at: Location, writing: Writing): JsonObject {
  const { place, sources, quoted, ext } = citation;
  const [source] = sources ?? [];
  return compact(
    {
      type: at.type,
      cited_text: quoted ?? required(writing, ""),
      document_index: place?.documentIndex ?? required(writing, 0),
      document_title: source?.title ?? required(writing, null),
      [at.start]: place?.start ?? required(writing, 0),
      [at.end]: place?.end ?? required(writing, 0),
      file_id: source?.documentId ?? required(writing, null),
    },
    ext?.anthropic,
  );
}

function inSearchResult({ place, sources, quoted, ext }: Citation, writing: Writing): JsonObject {
  const [source] = sources ?? [];
  return compact(
    {
      type: "search_result_location",
      cited_text: quoted ?? required(writing, ""),
      source: source?.url ?? source?.documentId ?? required(writing, ""),
      title: source?.title ?? required(writing, null),
      search_result_index: place?.documentIndex ?? required(writing, 0),
      start_block_index: place?.start ?? required(writing, 0),
      end_block_index: place?.end ?? required(writing, 0),
    },
    ext?.anthropic,
  );
}

function onTheWeb(
  { quoted, ext }: Citation,
  sources: readonly CitedSource[],
  writing: Writing,
): readonly JsonObject[] {
  // Anthropic takes back only web citations that it sealed itself.
  if (!writing.isOwn && !writing.isAnswer) return [];
  const named = sources.filter(({ url }) => url !== undefined);
  const written = writing.isOwn ? [sources[0] ?? {}] : named;
  return written.map(({ url, title }) =>
    compact(
      {
        type: "web_search_result_location",
        cited_text: quoted ?? required(writing, ""),
        url,
        title: title ?? required(writing, null),
        encrypted_index: required(writing, ""),
      },
      ext?.anthropic,
    ),
  );
}
