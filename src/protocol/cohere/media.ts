import type { MediaBlock, MediaSource } from "../ir/block.ts";
import { Fields, isObject } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";
import { owned, spelled, spellingOf, withOwn } from "./own.ts";

/** The usual spelling; the data behind it is not looked at, so that megabytes cost nothing. */
const PLAIN = /^data:([^;,\s]+\/[^;,\s]+);base64,/;
/** RFC 2397: a type with parameters, perhaps base64, then the data. */
const ANY = /^data:([^,;]*)((?:;[^,;]*)*),/i;

/** An `image_url` part; undefined when it is none that can be read. */
export function readImage(part: JsonObject, at: string | undefined): MediaBlock | undefined {
  const image = part["image_url"];
  if (!isObject(image) || typeof image["url"] !== "string") return undefined;
  const fields = new Fields(part);
  const inner = new Fields(image);
  fields.skip("type", "image_url");
  const url = inner.text("url")!;
  const detail = inner.text("detail");
  const { mime, source } = readUrl(url);
  const block: MediaBlock = { type: "media", kind: "image", mime, source, detail, at };
  const whole = owned(block, fields, { image_url: inner });
  if (urlOf(whole) === url) return whole;
  const { beside } = spellingOf(whole);
  return spelled(whole, { beside, raw: url });
}

/** The part again; undefined and reported when only its vendor can read the image. */
export function writeImage(
  block: MediaBlock,
  { path, report }: { readonly path: string; readonly report: Report },
): JsonObject | undefined {
  const { raw } = spellingOf(block);
  const url = typeof raw === "string" ? raw : urlOf(block);
  if (block.kind !== "image" || url === undefined) {
    const code = block.source.kind === "reference" ? "L-FILEID" : "L-UNKNOWN-BLOCK";
    report({ code, path, action: "dropped", detail: block.kind });
    return undefined;
  }
  const detail = block.detail;
  const image = detail === undefined ? { url } : { url, detail };
  return withOwn({ type: "image_url", image_url: image }, block);
}

function readUrl(url: string): {
  readonly mime: string | undefined;
  readonly source: MediaSource;
} {
  const plain = PLAIN.exec(url);
  if (plain !== null) {
    return { mime: plain[1], source: { kind: "base64", data: url.slice(plain[0].length) } };
  }
  const [head, mime = "", parameters = ""] = ANY.exec(url) ?? [];
  const data = head === undefined ? undefined : dataOf(url.slice(head.length), parameters);
  if (data === undefined) return { mime: undefined, source: { kind: "url", url } };
  return { mime: mime === "" ? undefined : mime.toLowerCase(), source: { kind: "base64", data } };
}

function dataOf(text: string, parameters: string): string | undefined {
  const isBase64 = parameters.toLowerCase().endsWith(";base64");
  try {
    const plain = decodeURIComponent(text);
    return isBase64 ? plain : Buffer.from(plain).toString("base64");
  } catch {
    return undefined; // It stays a URL, and whoever gets it says what is wrong with it.
  }
}

function urlOf({ mime, source }: MediaBlock): string | undefined {
  switch (source.kind) {
    case "url":
      return source.url;
    case "base64":
      return `data:${mime ?? "image/png"};base64,${source.data}`;
    case "text":
    case "blocks":
    case "reference":
      return undefined;
  }
}
