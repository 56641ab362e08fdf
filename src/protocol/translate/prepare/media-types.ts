import type { DialectId } from "../../../core/ids.ts";
import type { MediaBlock } from "../../ir/block.ts";
import type { Fit } from "./fit.ts";

/** Types of documents each wire takes as data: protocols.md §3.4. Those not named take any. */
const DOCUMENTS: Partial<Readonly<Record<DialectId, readonly string[]>>> = {
  anthropic: ["application/pdf"],
  bedrock: [
    "application/pdf",
    "application/msword",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.ms-excel",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  ],
};
/** Chat's `input_audio.format` knows two. */
const CHAT_AUDIO = ["audio/wav", "audio/x-wav", "audio/wave", "audio/mp3", "audio/mpeg"];

/** How data of a type that nobody named begins in base64. */
const BEGINNINGS: readonly (readonly [start: string, mime: string])[] = [
  ["iVBORw0KGgo", "image/png"],
  ["/9j/", "image/jpeg"],
  ["R0lGOD", "image/gif"],
  ["UklGR", "image/webp"],
  ["JVBERi0", "application/pdf"],
];

/** The media type without its parameters, in the vendors' spelling; undefined when unknown. */
export function mimeOf({ mime, source }: MediaBlock): string | undefined {
  const bare = (mime ?? "").split(";", 1)[0]!.trim().toLowerCase();
  if (bare === "image/jpg") return "image/jpeg";
  if (bare !== "") return bare;
  if (source.kind !== "base64") return undefined;
  return BEGINNINGS.find(([start]) => source.data.startsWith(start))?.[1];
}

/** Whether the target takes data of this type; what is behind a URL is its own to see. */
export function takesMime(
  { kind, source }: MediaBlock,
  mime: string | undefined,
  { target, capabilities }: Fit,
): boolean {
  if (source.kind !== "base64") return true;
  switch (kind) {
    case "image":
      return mime === undefined ? target !== "bedrock" : capabilities.imageMimes.includes(mime);
    case "audio":
      return target !== "openai" || (mime !== undefined && CHAT_AUDIO.includes(mime));
    case "document": {
      const mimes = DOCUMENTS[target];
      if (mimes === undefined || mime === undefined) return true;
      return mimes.includes(mime) || (target === "bedrock" && mime.startsWith("text/"));
    }
    case "video":
      return true;
  }
}
