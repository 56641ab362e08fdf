import type { Citation, CitedPlace, CitedSource } from "../ir/block.ts";
import type { JsonObject } from "../ir/json.ts";
import { OwnFields } from "./own-fields.ts";

type Located = Omit<Citation, "ext" | "quoted">;

/**
 * A citation of this wire. It supports the whole block it stands on, so it has no span; what of it
 * nobody else understands (`encrypted_index`, nulls) rides in `ext`: protocols.md 4.4.
 */
export function readCitation(raw: JsonObject): Citation {
  const fields = new OwnFields(raw);
  const type = fields.peek("type");
  const read = typeof type === "string" ? READERS.get(type) : undefined;
  if (read === undefined) return { ext: fields.own() };
  fields.skip("type");
  const located = read(fields);
  return { ...located, quoted: fields.text("cited_text"), ext: fields.own() };
}

const READERS: ReadonlyMap<string, (fields: OwnFields) => Located> = new Map([
  ["char_location", (fields) => inDocument(fields, "char", ["start_char_index", "end_char_index"])],
  [
    "page_location",
    (fields) => inDocument(fields, "page", ["start_page_number", "end_page_number"]),
  ],
  [
    "content_block_location",
    (fields) => inDocument(fields, "block", ["start_block_index", "end_block_index"]),
  ],
  ["web_search_result_location", onTheWeb],
  ["search_result_location", inSearchResult],
]);

type Edges = readonly [start: string, end: string];

function inDocument(fields: OwnFields, kind: CitedPlace["kind"], [start, end]: Edges): Located {
  return {
    place: {
      kind,
      start: fields.number(start),
      end: fields.number(end),
      documentIndex: fields.number("document_index"),
    },
    sources: sourcesOf({
      title: fields.text("document_title"),
      documentId: fields.text("file_id"),
    }),
  };
}

function onTheWeb(fields: OwnFields): Located {
  return {
    place: { kind: "web" },
    sources: sourcesOf({ url: fields.text("url"), title: fields.text("title") }),
  };
}

function inSearchResult(fields: OwnFields): Located {
  const source = fields.text("source");
  const isUrl = source !== undefined && /^https?:\/\//.test(source);
  return {
    place: {
      kind: "search_result",
      start: fields.number("start_block_index"),
      end: fields.number("end_block_index"),
      documentIndex: fields.number("search_result_index"),
    },
    sources: sourcesOf({
      url: isUrl ? source : undefined,
      documentId: isUrl ? undefined : source,
      title: fields.text("title"),
    }),
  };
}

function sourcesOf(source: CitedSource): readonly CitedSource[] | undefined {
  return Object.values(source).some((value) => value !== undefined) ? [source] : undefined;
}
