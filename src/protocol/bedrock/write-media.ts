import type { MediaBlock, SearchResultBlock, TextBlock } from "../ir/block.ts";
import { compact } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { LossCode } from "../ir/loss.ts";
import { formatOf } from "./formats.ts";
import { inside } from "./rest.ts";
import type { BlockContext } from "./write-blocks.ts";

/** An image, document, video or audio; undefined, and reported, where the wire cannot say it. */
export function writeMedia(block: MediaBlock, context: BlockContext): JsonObject | undefined {
  const { kind } = block;
  const left = block.ext?.bedrock;
  const source = sourceOf(block);
  if (source === undefined) return lost(block, context);
  const format = formatFor(block, context);
  if (format === undefined && !context.own && kind !== "document") return lost(block, context);
  const media = { format, source };
  const members = kind === "document" ? { ...media, ...documentOf(block, context) } : media;
  return compact({ [kind]: compact(members, inside(left, kind)) }, left);
}

export function writeSearchResult(block: SearchResultBlock, { own }: BlockContext): JsonObject {
  const left = block.ext?.bedrock;
  const members = {
    source: block.source,
    // The type wants one; a source without a title is called by its address.
    title: block.title ?? (own ? undefined : block.source),
    content: block.content.map(textOf),
    citations: switchOf(block.citations),
  };
  return compact({ searchResult: compact(members, inside(left, "searchResult")) }, left);
}

function sourceOf({ kind, source }: MediaBlock): JsonObject | undefined {
  switch (source.kind) {
    case "base64":
      return { bytes: source.data };
    case "text":
      return kind === "document" ? { text: source.text } : undefined;
    case "blocks": {
      const texts = source.blocks.filter((block): block is TextBlock => block.type === "text");
      return kind === "document" ? { content: texts.map(textOf) } : undefined;
    }
    case "reference":
      return source.vendor === "bedrock" ? source.raw : undefined;
    case "url":
      return source.url.startsWith("s3://") ? { s3Location: { uri: source.url } } : undefined;
  }
}

/** A foreign image of a type Bedrock has no word for is called a PNG: features.md b-R58. */
function formatFor(block: MediaBlock, { own, report, path }: BlockContext): string | undefined {
  const format = formatOf(block.kind, block.mime);
  if (format !== undefined || own) return format;
  const isText = block.source.kind === "text" || block.source.kind === "blocks";
  if (block.kind === "document" && isText) return "txt";
  if (block.kind !== "image") return undefined;
  report({ code: "L-UNKNOWN-BLOCK", path: block.at ?? path, action: "approximated" });
  return "png";
}

function documentOf(
  block: MediaBlock,
  { own, names, report, path }: BlockContext,
): { readonly [name: string]: Json | undefined } {
  const wanted = block.title ?? block.filename;
  const name = own ? wanted : names.fit(wanted);
  if (name !== wanted) {
    const action = wanted === undefined ? "defaulted" : "approximated";
    report({ code: "L-DOCNAME", path: block.at ?? path, action });
  }
  return { name, context: block.context, citations: switchOf(block.citations) };
}

function switchOf(enabled: boolean | undefined): JsonObject | undefined {
  return enabled === undefined ? undefined : { enabled };
}

function textOf({ text }: TextBlock): JsonObject {
  return { text };
}

function lost(block: MediaBlock, { report, path }: BlockContext): undefined {
  const isFile = block.source.kind === "reference";
  const code: LossCode = isFile ? "L-FILEID" : "L-UNKNOWN-BLOCK";
  report({ code, path: block.at ?? path, action: "dropped" });
  return undefined;
}
