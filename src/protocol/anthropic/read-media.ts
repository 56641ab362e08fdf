import type { Block, MediaBlock, MediaSource } from "../ir/block.ts";
import { isObject } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import { readCacheMark } from "./cache-mark.ts";
import { OwnFields } from "./own-fields.ts";
import { readBlock } from "./read-blocks.ts";

type Media = Pick<MediaBlock, "mime" | "source">;
/** Reads the object in `source`; undefined for one this build does not know. */
type ReadSource = (fields: OwnFields, at: string | undefined) => Media | undefined;

/** An image; undefined when its source is none we know. */
export function readImage(fields: OwnFields, at: string | undefined): Block | undefined {
  const media = readSource(fields, at);
  if (media === undefined) return undefined;
  const cache = readCacheMark(fields);
  return { type: "media", kind: "image", ...media, cache, ext: fields.own(), at };
}

/** A document; undefined when its source is none we know. */
export function readDocument(fields: OwnFields, at: string | undefined): Block | undefined {
  const media = readSource(fields, at);
  if (media === undefined) return undefined;
  return {
    type: "media",
    kind: "document",
    ...media,
    title: fields.text("title"),
    context: fields.text("context"),
    citations: fields.inner("citations", (inner) => inner.flag("enabled")),
    cache: readCacheMark(fields),
    ext: fields.own(),
    at,
  };
}

/** A file put into the container of code execution: only Anthropic can read it. */
export function readContainerUpload(fields: OwnFields, at: string | undefined): Block | undefined {
  const file = fields.text("file_id");
  if (file === undefined) return undefined;
  const raw = { type: "container_upload", file_id: file };
  const source: MediaSource = { kind: "reference", vendor: "anthropic", raw };
  const cache = readCacheMark(fields);
  return { type: "media", kind: "document", source, cache, ext: fields.own(), at };
}

function readSource(fields: OwnFields, at: string | undefined): Media | undefined {
  const object = fields.peek("source");
  if (!isObject(object) || typeof object["type"] !== "string") return undefined;
  const read = SOURCES.get(object["type"]);
  if (read === undefined || read(new OwnFields(object), at) === undefined) return undefined;
  return fields.inner("source", (inner) => {
    inner.skip("type");
    return read(inner, at);
  });
}

const SOURCES: ReadonlyMap<string, ReadSource> = new Map([
  ["base64", readBase64],
  ["url", readUrl],
  ["text", readText],
  ["content", readContent],
  ["file", readFile],
]);

function readBase64(fields: OwnFields): Media | undefined {
  const data = fields.text("data");
  if (data === undefined) return undefined;
  return { mime: fields.text("media_type"), source: { kind: "base64", data } };
}

function readUrl(fields: OwnFields): Media | undefined {
  const url = fields.text("url");
  return url === undefined ? undefined : { source: { kind: "url", url } };
}

function readText(fields: OwnFields): Media | undefined {
  const text = fields.text("data");
  if (text === undefined) return undefined;
  return { mime: fields.text("media_type"), source: { kind: "text", text } };
}

/** A bare string is text of no media type; a list is blocks. */
function readContent(fields: OwnFields, at: string | undefined): Media | undefined {
  const text = fields.text("content");
  if (text !== undefined) return { source: { kind: "text", text } };
  const blocks = fields
    .objects("content")
    ?.map((raw, index) => readBlock(raw, at && `${at}.source.content[${index}]`));
  return blocks && { source: { kind: "blocks", blocks } };
}

function readFile(fields: OwnFields): Media | undefined {
  const file = fields.text("file_id");
  if (file === undefined) return undefined;
  const raw: JsonObject = { type: "file", file_id: file };
  return { source: { kind: "reference", vendor: "anthropic", raw } };
}
