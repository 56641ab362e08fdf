import type { MediaBlock } from "../ir/block.ts";
import { compact, Fields, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Ext } from "../ir/node.ts";

/** Files of Google's own, which nobody else can read; any other address is public. */
const OWN_FILE = /^(?:gs:\/\/|files\/|https:\/\/generativelanguage\.googleapis\.com\/)/;
const VIDEO_SITE = /^https?:\/\/(?:www\.|m\.)?(?:youtube\.com|youtu\.be)\//;

/** What a part leaves over once its kind was taken: beside it, and inside it. */
export function partExt(part: Fields, name: string, inner: Fields): Ext | undefined {
  const beside = part.ext("gemini")?.gemini;
  const inside = inner.ext("gemini")?.gemini;
  if (inside === undefined) return beside && { gemini: beside };
  return { gemini: compact({ [name]: inside }, beside) };
}

/** A part of data or a file; undefined when it holds neither. */
export function readMedia(part: Fields): MediaBlock | undefined {
  const inline = part.object("inlineData");
  if (inline !== undefined) return readInline(part, inline);
  const file = part.object("fileData");
  return file === undefined ? undefined : readFile(part, file);
}

function readInline(part: Fields, inline: JsonObject): MediaBlock | undefined {
  const fields = new Fields(inline);
  const data = fields.text("data");
  if (data === undefined) return undefined;
  const mime = fields.text("mimeType");
  const filename = fields.text("displayName");
  const source = { kind: "base64", data } as const;
  const ext = partExt(part, "inlineData", fields);
  return { type: "media", kind: kindOf(mime), mime, source, filename, ext };
}

function readFile(part: Fields, file: JsonObject): MediaBlock | undefined {
  const fields = new Fields(file);
  const url = fields.text("fileUri");
  if (url === undefined) return undefined;
  const mime = fields.text("mimeType");
  const kind = mime === undefined && VIDEO_SITE.test(url) ? "video" : kindOf(mime);
  if (OWN_FILE.test(url)) {
    const source = { kind: "reference", vendor: "gemini", raw: file } as const;
    return { type: "media", kind, mime, source, ext: part.ext("gemini") };
  }
  const filename = fields.text("displayName");
  const source = { kind: "url", url } as const;
  return { type: "media", kind, mime, source, filename, ext: partExt(part, "fileData", fields) };
}

function kindOf(mime: string | undefined): MediaBlock["kind"] {
  const family = mime?.slice(0, mime.indexOf("/")).toLowerCase();
  return family === "image" || family === "audio" || family === "video" ? family : "document";
}

export interface MediaWriting {
  /** It came in this protocol: what only some of its hosts take is written too. */
  readonly own: boolean;
}

/** The part; undefined for what the wire cannot say: a file of another vendor's. */
export function writeMedia(
  { source, mime, kind, filename, ext }: MediaBlock,
  { own }: MediaWriting,
): JsonObject | undefined {
  const rest = ext?.gemini;
  // Google's own API refuses `displayName`; Vertex takes it.
  const displayName = own ? filename : undefined;
  const inline = (data: string, mimeType: string | undefined): JsonObject =>
    compact({ inlineData: compact({ mimeType, data, displayName }, inside(rest, "inlineData")) });
  const spelled = own ? mime : (mime ?? DEFAULT_MIMES[kind]);
  switch (source.kind) {
    case "base64":
      return compact(inline(source.data, spelled), rest);
    case "url": {
      const file = { fileUri: source.url, mimeType: mime, displayName };
      return compact({ fileData: compact(file, inside(rest, "fileData")) }, rest);
    }
    case "text":
      return inline(Buffer.from(source.text).toString("base64"), "text/plain");
    case "reference":
      return source.vendor === "gemini" ? compact({ fileData: source.raw }, rest) : undefined;
    case "blocks":
      return undefined;
  }
}

/** The type is required with data; these are what hosts mostly mean that leave it out. */
const DEFAULT_MIMES: Readonly<Record<MediaBlock["kind"], string>> = {
  image: "image/png",
  document: "application/pdf",
  audio: "audio/wav",
  video: "video/mp4",
};

/** What stood beside the known members of a part's own object. */
export function inside(ext: JsonObject | undefined, name: string): JsonObject | undefined {
  const value: Json | undefined = ext?.[name];
  return isObject(value) ? value : undefined;
}
