import type { Block, MediaBlock, MediaSource, TextBlock } from "../ir/block.ts";
import { Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import { mimeOf } from "./formats.ts";
import { leftOf } from "./rest.ts";

/** A block, and what of its object nobody took. */
export interface ReadBlock<B extends Block = Block> {
  readonly block: B;
  readonly left?: JsonObject | undefined;
}

type Kind = MediaBlock["kind"];
/** The media of Converse and the members they stand in. */
export const MEDIA_KINDS = [
  "image",
  "document",
  "video",
  "audio",
] as const satisfies readonly Kind[];

/** An image, document, video or audio block; undefined when its source is of no known kind. */
export function readMedia(kind: Kind, wire: JsonObject): ReadBlock<MediaBlock> | undefined {
  const fields = new Fields(wire);
  const source = readSource(fields.object("source"));
  if (source === undefined) return undefined;
  const format = fields.peek("format");
  const mime = mimeOf(kind, typeof format === "string" ? format : undefined);
  if (mime !== undefined) fields.skip("format");
  const media = { type: "media", kind, mime, source } as const;
  if (kind !== "document") return { block: media, left: leftOf(wire, fields) };
  const block: MediaBlock = {
    ...media,
    title: fields.text("name"),
    context: fields.text("context"),
    citations: readSwitch(fields),
  };
  return { block, left: leftOf(wire, fields) };
}

/** `citations: {enabled}` with nothing else in it; anything else is left where it stands. */
export function readSwitch(fields: Fields): boolean | undefined {
  const config = fields.peek("citations");
  if (!isObject(config) || Object.keys(config).length !== 1) return undefined;
  const { enabled } = config;
  if (typeof enabled !== "boolean") return undefined;
  fields.skip("citations");
  return enabled;
}

/** Texts with nothing beside them; undefined when one is something else. */
export function readTexts(list: Json | undefined): readonly TextBlock[] | undefined {
  if (!isList(list)) return undefined;
  const blocks: TextBlock[] = [];
  for (const piece of list) {
    if (!isObject(piece) || typeof piece["text"] !== "string") return undefined;
    if (Object.keys(piece).length > 1) return undefined;
    blocks.push({ type: "text", text: piece["text"] });
  }
  return blocks;
}

function readSource(source: JsonObject | undefined): MediaSource | undefined {
  if (source === undefined || Object.keys(source).length !== 1) return undefined;
  const { bytes, text, content, s3Location } = source;
  if (typeof bytes === "string") return { kind: "base64", data: bytes };
  if (typeof text === "string") return { kind: "text", text };
  if (isObject(s3Location)) return { kind: "reference", vendor: "bedrock", raw: source };
  const blocks = readTexts(content);
  return blocks && { kind: "blocks", blocks };
}
