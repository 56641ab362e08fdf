import type { Block, MediaBlock, MediaSource } from "../ir/block.ts";
import { compact, Fields } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";
import { readBreakpoint, writeBreakpoint } from "./cache.ts";

const DATA = "data:";
/** The only form that is spelled the same again. */
const PLAIN = /^data:([^;,]+);base64,/;
const HEAD = /^data:([^;,]*)((?:;[^,]*)?),/i;

/** An `input_image`. A data URL that would not be spelled the same again stays in `ext` as well. */
export function readImage(part: JsonObject, at: string | undefined): MediaBlock | undefined {
  const fields = new Fields(part);
  fields.skip("type");
  const detail = fields.text("detail");
  const cache = readBreakpoint(fields);
  const read = readUrl(fields, "image_url") ?? readFileId(fields);
  if (read === undefined) return undefined;
  return { type: "media", kind: "image", ...read, detail, cache, at, ext: fields.ext("responses") };
}

/** An `input_file`: a document by its bytes, by a URL or by an id that only its vendor knows. */
export function readFile(part: JsonObject, at: string | undefined): MediaBlock | undefined {
  const fields = new Fields(part);
  fields.skip("type");
  const filename = fields.text("filename");
  const detail = fields.text("detail");
  const cache = readBreakpoint(fields);
  const read = readData(fields) ?? readUrl(fields, "file_url") ?? readFileId(fields);
  if (read === undefined) return undefined;
  const ext = fields.ext("responses");
  return { type: "media", kind: "document", ...read, filename, detail, cache, at, ext };
}

interface Source {
  readonly mime?: string | undefined;
  readonly source: MediaSource;
}

function readUrl(fields: Fields, name: string): Source | undefined {
  const url = fields.peek(name);
  if (typeof url !== "string") return undefined;
  if (!isData(url)) return { source: { kind: "url", url: fields.text(name)! } };
  return readDataUrl(fields, name, url);
}

/** Bytes without a data URL around them are what the API took before it wanted one. */
function readData(fields: Fields): Source | undefined {
  const data = fields.peek("file_data");
  if (typeof data !== "string") return undefined;
  if (isData(data)) return readDataUrl(fields, "file_data", data);
  return { source: { kind: "base64", data: fields.text("file_data")! } };
}

function readFileId(fields: Fields): Source | undefined {
  const id = fields.text("file_id");
  if (id === undefined) return undefined;
  return { source: { kind: "reference", vendor: "responses", raw: { file_id: id } } };
}

function isData(url: string): boolean {
  return url.slice(0, DATA.length).toLowerCase() === DATA;
}

function readDataUrl(fields: Fields, name: string, url: string): Source | undefined {
  const [plain, mime] = PLAIN.exec(url) ?? [];
  if (plain !== undefined) {
    fields.skip(name);
    return { mime, source: { kind: "base64", data: url.slice(plain.length) } };
  }
  const [head, type, parameters] = HEAD.exec(url) ?? [];
  const rest = head === undefined ? undefined : percentDecoded(url.slice(head.length));
  if (rest === undefined) return undefined;
  const isBase64 = parameters?.toLowerCase().endsWith(";base64") === true;
  const data = isBase64 ? rest.toString("latin1") : rest.toString("base64");
  return { mime: type === "" ? "text/plain" : type, source: { kind: "base64", data } };
}

/** Undefined when it is no percent-encoding of anything. */
function percentDecoded(text: string): Buffer | undefined {
  try {
    return Buffer.from(decodeURIComponent(text), "utf8");
  } catch {
    return undefined; // The part then stays as it came: it means nothing to any other protocol.
  }
}

/** What a media block becomes here. */
export interface MediaContext {
  /** It was read from this wire, so nothing may be added to it. */
  readonly own: boolean;
  readonly report: Report;
}

/** A picture or a document as a part; undefined, and reported, where this wire has none. */
export function writeMedia(block: MediaBlock, context: MediaContext): JsonObject | undefined {
  const raw = referenceOf(block, context);
  if (raw === "lost") return undefined;
  if (block.kind === "image") return writeImage(block, { ...context, raw });
  if (block.kind === "document") return writeFile(block, { ...context, raw });
  lost(block, context.report);
  return undefined;
}

interface Written extends MediaContext {
  readonly raw: JsonObject | undefined;
}

function writeImage(block: MediaBlock, { own, report, raw }: Written): JsonObject | undefined {
  const url = urlOf(block);
  if (url === undefined && raw === undefined) {
    lost(block, report);
    return undefined;
  }
  const ext = block.ext?.responses;
  const members = {
    type: "input_image",
    image_url: ext?.["image_url"] === undefined ? url : undefined,
    file_id: raw?.["file_id"],
    detail: block.detail ?? (own ? undefined : "auto"),
    prompt_cache_breakpoint: writeBreakpoint(block.cache),
  };
  return compact(members, ext);
}

function writeFile(block: MediaBlock, { own, report, raw }: Written): JsonObject | undefined {
  const url = urlOf(block);
  if (url === undefined && raw === undefined) {
    lost(block, report);
    return undefined;
  }
  const ext = block.ext?.responses;
  const isLink = block.source.kind === "url";
  const isKept = ext?.["file_data"] !== undefined || ext?.["file_url"] !== undefined;
  const members = {
    type: "input_file",
    file_data: isLink || isKept ? undefined : url,
    file_url: isLink && !isKept ? url : undefined,
    file_id: raw?.["file_id"],
    filename: block.filename ?? (own || isLink ? undefined : nameOf(block)),
    detail: own ? block.detail : undefined,
    prompt_cache_breakpoint: writeBreakpoint(block.cache),
  };
  return compact(members, ext);
}

/** The API wants a name with bytes; protocols.md 3.4 puts a title there. */
function nameOf({ title, mime }: MediaBlock): string {
  return title ?? (mime === undefined || mime === "application/pdf" ? "file.pdf" : "file.txt");
}

function urlOf({ source, mime }: MediaBlock): string | undefined {
  switch (source.kind) {
    case "url":
      return source.url;
    case "base64":
      return mime === undefined ? source.data : `data:${mime};base64,${source.data}`;
    case "text":
      return textUrl(source.text);
    case "blocks":
      return textUrl(source.blocks.map(textOf).join("\n"));
    case "reference":
      return undefined;
  }
}

function textUrl(text: string): string {
  return `data:text/plain;base64,${Buffer.from(text, "utf8").toString("base64")}`;
}

function textOf(block: Block): string {
  return block.type === "text" ? block.text : "";
}

function referenceOf(block: MediaBlock, { report }: MediaContext): JsonObject | undefined | "lost" {
  const { source, at } = block;
  if (source.kind !== "reference") return undefined;
  if (source.vendor === "responses") return source.raw;
  report({ code: "L-FILEID", path: at ?? "media", action: "dropped" });
  return "lost";
}

function lost({ at, kind }: MediaBlock, report: Report): void {
  report({ code: "L-UNKNOWN-BLOCK", path: at ?? kind, action: "dropped", detail: kind });
}
