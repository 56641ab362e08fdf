import type { MediaBlock } from "../ir/block.ts";

type Kind = MediaBlock["kind"];
type Formats = readonly (readonly [format: string, mime: string])[];

/**
 * Bedrock's words for formats and the media types they stand for: `ImageFormat`, `DocumentFormat`,
 * `AudioFormat` and `VideoFormat` in its API model. One to one, so that each comes back as it was.
 */
const FORMATS: Readonly<Record<Kind, Formats>> = {
  image: [
    ["png", "image/png"],
    ["jpeg", "image/jpeg"],
    ["gif", "image/gif"],
    ["webp", "image/webp"],
  ],
  document: [
    ["pdf", "application/pdf"],
    ["csv", "text/csv"],
    ["doc", "application/msword"],
    ["docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
    ["xls", "application/vnd.ms-excel"],
    ["xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
    ["html", "text/html"],
    ["txt", "text/plain"],
    ["md", "text/markdown"],
  ],
  audio: [
    ["mp3", "audio/mp3"],
    ["wav", "audio/wav"],
    ["aac", "audio/aac"],
    ["flac", "audio/flac"],
    ["ogg", "audio/ogg"],
    ["opus", "audio/opus"],
    ["m4a", "audio/m4a"],
    ["mp4", "audio/mp4"],
    ["mpeg", "audio/mpeg"],
    ["mpga", "audio/mpga"],
    ["mka", "audio/x-matroska"],
    ["mkv", "audio/mkv"],
    ["pcm", "audio/pcm"],
    ["webm", "audio/webm"],
    ["x-aac", "audio/x-aac"],
  ],
  video: [
    ["mp4", "video/mp4"],
    ["mov", "video/quicktime"],
    ["mkv", "video/x-matroska"],
    ["webm", "video/webm"],
    ["flv", "video/x-flv"],
    ["mpeg", "video/mpeg"],
    ["mpg", "video/mpg"],
    ["wmv", "video/x-ms-wmv"],
    ["three_gp", "video/3gpp"],
  ],
};

/** Other names for the same. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ["image image/jpg", "jpeg"],
  ["audio audio/x-wav", "wav"],
  ["audio audio/wave", "wav"],
  ["audio audio/vnd.wave", "wav"],
  ["audio audio/x-m4a", "m4a"],
  ["audio audio/x-flac", "flac"],
  ["audio audio/l16", "pcm"],
  ["document text/x-markdown", "md"],
  ["document application/csv", "csv"],
  ["document application/xhtml+xml", "html"],
  ["video video/mov", "mov"],
  ["video video/wmv", "wmv"],
  ["video video/x-mpeg", "mpeg"],
]);

const MIME_OF: ReadonlyMap<string, string> = table(([format, mime]) => [format, mime]);
const FORMAT_OF: ReadonlyMap<string, string> = table(([format, mime]) => [mime, format]);

/** The media type of one of Bedrock's formats. */
export function mimeOf(kind: Kind, format: string | undefined): string | undefined {
  return format === undefined ? undefined : MIME_OF.get(`${kind} ${format}`);
}

/** Bedrock's format for a media type; undefined where it has none. Any other text is `txt`. */
export function formatOf(kind: Kind, mime: string | undefined): string | undefined {
  const bare = (mime ?? "").split(";", 1)[0]!.trim().toLowerCase();
  const format = FORMAT_OF.get(`${kind} ${bare}`) ?? ALIASES.get(`${kind} ${bare}`);
  return format ?? (kind === "document" && bare.startsWith("text/") ? "txt" : undefined);
}

function table(
  pair: (row: Formats[number]) => readonly [from: string, to: string],
): Map<string, string> {
  const all = new Map<string, string>();
  for (const [kind, rows] of Object.entries(FORMATS)) {
    for (const row of rows) {
      const [from, to] = pair(row);
      all.set(`${kind} ${from}`, to);
    }
  }
  return all;
}
