import type { MediaSource } from "../ir/block.ts";

/** What a data URL holds, and whether writing it anew gives the very same text. */
export interface DataUrl {
  readonly mime: string | undefined;
  readonly source: Extract<MediaSource, { kind: "base64" }>;
  readonly isPlain: boolean;
}

const SCHEME = "data:";
const BASE64 = ";base64";
/** No media type with parameters is longer. */
const HEAD_LENGTH_MAX = 1024;

/** Undefined when the text is no data URL, or one that does not decode (RFC 2397). */
export function readDataUrl(url: string): DataUrl | undefined {
  if (url.slice(0, SCHEME.length).toLowerCase() !== SCHEME) return undefined;
  const comma = url.slice(0, HEAD_LENGTH_MAX).indexOf(",");
  if (comma < 0) return undefined;
  const head = url.slice(SCHEME.length, comma);
  const body = url.slice(comma + 1);
  const isBase64 = head.toLowerCase().endsWith(BASE64);
  const type = isBase64 ? head.slice(0, -BASE64.length) : head;
  const [mime = ""] = type.split(";", 1);
  const data = isBase64 ? body : percentDecoded(body);
  if (data === undefined) return undefined;
  const source = { kind: "base64", data } as const;
  return { mime: mime === "" ? undefined : mime, source, isPlain: dataUrl(mime, data) === url };
}

/** The data URL of base64 data. */
export function dataUrl(mime: string, data: string): string {
  return `${SCHEME}${mime}${BASE64},${data}`;
}

function percentDecoded(text: string): string | undefined {
  try {
    return Buffer.from(decodeURIComponent(text)).toString("base64");
  } catch {
    return undefined; // It stays a URL: the far end says what is wrong with it.
  }
}
