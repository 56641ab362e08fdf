import type { MediaBlock } from "../ir/block.ts";
import { compact } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import { writeCacheMark } from "./cache-mark.ts";
import { innerObject } from "./own-fields.ts";
import { writeBlocks } from "./write-blocks.ts";
import type { Writing } from "./writing.ts";

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** An image, a document or a file in the container; undefined, and reported, for anything else. */
export function writeMedia(block: MediaBlock, writing: Writing): JsonObject | undefined {
  const { source, kind, at } = block;
  const own = block.ext?.anthropic;
  const cache_control = writeCacheMark(block.cache);
  if (kind !== "image" && kind !== "document") {
    return lose(writing, { code: "L-MODALITY", path: at ?? kind });
  }
  if (source.kind === "reference") {
    if (source.vendor !== "anthropic") {
      return lose(writing, { code: "L-FILEID", path: at ?? kind });
    }
    if (source.raw["type"] === "container_upload") {
      return compact(compact({ cache_control }, source.raw), own);
    }
  }
  const written = innerObject(writeSource(block, writing), { own, name: "source" });
  if (kind === "image") return compact({ type: "image", source: written, cache_control }, own);
  return compact(
    {
      type: "document",
      source: written,
      title: block.title ?? block.filename,
      context: block.context,
      citations: innerObject({ enabled: block.citations }, { own, name: "citations" }),
      cache_control,
    },
    own,
  );
}

function writeSource(block: MediaBlock, writing: Writing): JsonObject {
  const { source, mime } = block;
  switch (source.kind) {
    case "base64": {
      const text = isText(block) ? decoded(source.data) : undefined;
      if (text !== undefined) return { type: "text", media_type: "text/plain", data: text };
      return compact({ type: "base64", media_type: mime, data: source.data });
    }
    case "url":
      return { type: "url", url: source.url };
    case "text":
      // Without a media type it is the content of a block.
      if (mime === undefined) return { type: "content", content: source.text };
      return { type: "text", media_type: "text/plain", data: source.text };
    case "blocks":
      return { type: "content", content: writeBlocks(source.blocks, writing) };
    case "reference":
      return source.raw;
  }
}

/** Anthropic takes bytes of PDFs only; a document of text goes as text. */
function isText({ kind, mime }: MediaBlock): boolean {
  return kind === "document" && mime !== undefined && /^text\/|^application\/json\b/.test(mime);
}

function decoded(base64: string): string | undefined {
  try {
    return utf8.decode(Buffer.from(base64, "base64"));
  } catch {
    return undefined; // Not UTF-8: it goes as the bytes it is, and the vendor judges.
  }
}

function lose(
  { report }: Writing,
  { code, path }: { readonly code: "L-MODALITY" | "L-FILEID"; readonly path: string },
): undefined {
  report({ code, path, action: "dropped" });
}
