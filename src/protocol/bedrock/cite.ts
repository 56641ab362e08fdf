import type { Citation, CitedPlace, CitedSource } from "../ir/block.ts";
import { compact, Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";
import { extOf, inside, leftOf } from "./rest.ts";

type PlaceKind = CitedPlace["kind"];

/** The kinds of place and the members they stand in, the index of their source last. */
const PLACES: readonly (readonly [PlaceKind, string, string])[] = [
  ["char", "documentChar", "documentIndex"],
  ["page", "documentPage", "documentIndex"],
  ["block", "documentChunk", "documentIndex"],
  ["search_result", "searchResultLocation", "searchResultIndex"],
];

/** A citation of Converse: protocols.md §4.4. */
export function readCitation(wire: JsonObject): Citation {
  const fields = new Fields(wire);
  const quoted = readQuoted(fields);
  const location = fields.object("location");
  const place = location === undefined ? undefined : readLocation(location);
  const title = fields.text("title");
  const source = fields.text("source");
  const ext = extOf(leftOf(wire, fields, { location: place?.left }));
  const said = readSource({ title, source, url: place?.url, isWeb: place?.place?.kind === "web" });
  return { quoted, place: place?.place, sources: said && [said], ext };
}

export interface CiteContext {
  /** Whether it was read from this wire. */
  readonly own: boolean;
  readonly path: string;
  readonly report: Report;
}

/** A citation as Converse writes it; what it has no place for is reported. */
export function writeCitation(citation: Citation, { own, path, report }: CiteContext): JsonObject {
  const { quoted, place, sources = [], ext } = citation;
  const [source] = sources;
  const left = ext?.bedrock;
  const location = writeLocation(citation, { own, left: inside(left, "location") });
  const isLost = location === undefined && place !== undefined;
  const isMore = sources.length > 1 || source?.data !== undefined || ext !== undefined;
  if (!own && (isLost || isMore)) report({ code: "L-CITE", path, action: "approximated" });
  const members = {
    title: source?.title,
    source: source?.documentId ?? (location?.["web"] === undefined ? source?.url : undefined),
    sourceContent: quoted === undefined ? undefined : [{ text: quoted }],
    location,
  };
  return compact(members, left);
}

/** A text of a citation that is one piece; another number of pieces stays as it came. */
function readQuoted(fields: Fields): string | undefined {
  const pieces = fields.peek("sourceContent");
  const only = isList(pieces) && pieces.length === 1 ? pieces[0] : undefined;
  if (!isObject(only) || typeof only["text"] !== "string" || Object.keys(only).length > 1) {
    return undefined;
  }
  fields.skip("sourceContent");
  return only["text"];
}

interface ReadPlace {
  readonly place?: CitedPlace | undefined;
  readonly url?: string | undefined;
  readonly left: JsonObject | undefined;
}

function readLocation(location: JsonObject): ReadPlace {
  const fields = new Fields(location);
  const web = fields.object("web");
  if (web !== undefined) return readWeb({ location, fields, web });
  for (const [kind, name, indexName] of PLACES) {
    const inner = fields.object(name);
    if (inner === undefined) continue;
    const at = new Fields(inner);
    const [start, end] = [at.number("start"), at.number("end")];
    const place = { kind, start, end, documentIndex: at.number(indexName) };
    return { place, left: leftOf(location, fields, { [name]: leftOf(inner, at) }) };
  }
  return { left: location };
}

interface WebRead {
  readonly location: JsonObject;
  readonly fields: Fields;
  readonly web: JsonObject;
}

function readWeb({ location, fields, web }: WebRead): ReadPlace {
  const at = new Fields(web);
  const url = at.text("url");
  const left = leftOf(location, fields, { web: leftOf(web, at) });
  return { place: { kind: "web" }, url, left };
}

interface SourceRead {
  readonly title: string | undefined;
  readonly source: string | undefined;
  readonly url: string | undefined;
  readonly isWeb: boolean;
}

/** A source that is an address counts as one; every other is the name of a document. */
function readSource({ title, source, url, isWeb }: SourceRead): CitedSource | undefined {
  if (title === undefined && source === undefined && url === undefined) return undefined;
  const isAddress = !isWeb && source !== undefined && /^https?:\/\//.test(source);
  return isAddress ? { title, url: source } : { title, url, documentId: source };
}

interface LocationContext {
  readonly own: boolean;
  readonly left: JsonObject | undefined;
}

function writeLocation(
  { place, sources = [] }: Citation,
  { own, left }: LocationContext,
): JsonObject | undefined {
  const url = sources[0]?.url;
  if (place?.kind === "web" || (place === undefined && url !== undefined && !own)) {
    const domain = own ? undefined : domainOf(url);
    return compact({ web: compact({ url, domain }, inside(left, "web")) }, left);
  }
  const kind = place?.kind === "chunk" ? "block" : place?.kind;
  const row = PLACES.find(([known]) => known === kind);
  if (row === undefined || place === undefined) return left;
  const [, name, indexName] = row;
  const { start, end, documentIndex } = place;
  const members: Record<string, Json | undefined> = { [indexName]: documentIndex, start, end };
  return compact({ [name]: compact(members, inside(left, name)) }, left);
}

function domainOf(url: string | undefined): string | undefined {
  return url === undefined ? undefined : (URL.parse(url)?.hostname ?? undefined);
}
