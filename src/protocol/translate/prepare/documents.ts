import type { Block, MediaBlock, MediaSource, TextBlock } from "../../ir/block.ts";
import type { Json } from "../../ir/json.ts";
import type { DocumentRef } from "../../ir/request.ts";
import type { Fit } from "./fit.ts";
import { mimeOf } from "./media-types.ts";
import { bare, fitText, pathOf } from "./text.ts";

const TEXT_MIME = "text/plain";
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The same document in the forms the target has: data, text, a list of blocks, or plain text. */
export function asTarget(block: MediaBlock, fit: Fit): readonly Block[] {
  const { source } = block;
  if (source.kind === "url" || source.kind === "reference") return [block];
  switch (fit.target) {
    case "anthropic":
      return [ofAnthropic(block, fit)];
    case "bedrock":
      return ofBedrock(block, fit);
    case "gemini":
      return source.kind === "base64" ? [block] : spread(block, asData, fit);
    case "openai":
    case "responses":
    case "cohere":
      return source.kind === "base64" && textOf(block) === undefined
        ? [block]
        : spread(block, inline, fit);
  }
}

/** A document whose whole content is text, beside the messages; undefined for any other. */
export function asDocument(block: MediaBlock, fit: Fit): DocumentRef | undefined {
  const text = textOf(block);
  if (text === undefined) return undefined;
  const { title, filename, context, at } = bare(block, fit);
  reportNames(block, fit);
  if (context !== undefined) fit.lose("L-DOCCONTEXT", pathOf(block, fit));
  const data: Record<string, Json> = { text };
  const name = title ?? filename;
  if (name !== undefined) data["title"] = name;
  return { data, at };
}

/** Its text, where that is all it is. */
function textOf(block: MediaBlock): string | undefined {
  const { source } = block;
  switch (source.kind) {
    case "text":
      return source.text;
    case "blocks":
      return source.blocks.every(({ type }) => type === "text") ? joined(source.blocks) : undefined;
    case "base64":
      return mimeOf(block)?.startsWith("text/") === true ? decoded(source.data) : undefined;
    case "url":
    case "reference":
      return undefined;
  }
}

function decoded(data: string): string | undefined {
  try {
    return utf8.decode(Buffer.from(data, "base64"));
  } catch {
    return undefined; // It is no text then, whatever it is called, and goes on as data.
  }
}

function joined(blocks: readonly Block[]): string {
  return blocks.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("\n\n");
}

/** Data there is PDF only; text has a source of its own. */
function ofAnthropic(block: MediaBlock, fit: Fit): Block {
  if (block.source.kind === "blocks") return withTexts(block, fit);
  const text = textOf(block);
  if (text === undefined) return block;
  return { ...block, mime: TEXT_MIME, source: { kind: "text", text } };
}

/** Data of any of its formats, text, or a list of texts and nothing else. */
function ofBedrock(block: MediaBlock, fit: Fit): readonly Block[] {
  if (block.source.kind !== "blocks") return [block];
  if (textOf(block) !== undefined) return [withTexts(block, fit)];
  return spread(
    block,
    (document, text) => {
      return { ...document, mime: TEXT_MIME, source: { kind: "text", text } };
    },
    fit,
  );
}

function withTexts(block: MediaBlock, fit: Fit): MediaBlock {
  if (block.source.kind !== "blocks") return block;
  const blocks = block.source.blocks.flatMap((each): readonly Block[] => {
    const kept = each.type === "text" ? fitText(each, fit, "inner") : each;
    return kept === undefined ? [] : [kept];
  });
  return { ...block, source: { kind: "blocks", blocks } };
}

type Shape = (block: MediaBlock, text: string, fit: Fit) => Block;

/** Its text in one shape, and whatever else it holds behind that. */
function spread(block: MediaBlock, shape: Shape, fit: Fit): readonly Block[] {
  const whole = textOf(block);
  if (whole !== undefined) return [shape(block, whole, fit)];
  if (block.source.kind !== "blocks") return [block];
  const { blocks } = block.source;
  return [shape(block, joined(blocks), fit), ...blocks.filter(({ type }) => type !== "text")];
}

function asData(block: MediaBlock, text: string): Block {
  const source: MediaSource = { kind: "base64", data: Buffer.from(text).toString("base64") };
  return { ...block, mime: mimeOf(block) ?? TEXT_MIME, source };
}

/** Text where the target has no document for it, under its title. */
function inline(block: MediaBlock, text: string, fit: Fit): TextBlock {
  const { filename, context, citations, cache, at } = bare(block, fit);
  const path = pathOf(block, fit);
  const title = block.title ?? filename ?? "";
  reportNames(block, fit);
  if (context !== undefined) fit.lose("L-DOCCONTEXT", path);
  if (citations === true) fit.lose("L-CITE", path);
  return { type: "text", text: title === "" ? text : `${title}\n\n${text}`, cache, at };
}

/** A title and a file's name are one name wherever this document goes. */
function reportNames(block: MediaBlock, fit: Fit): void {
  const hasBoth = block.title !== undefined && block.filename !== undefined;
  if (hasBoth) fit.lose("L-DOCNAME", pathOf(block, fit));
}
