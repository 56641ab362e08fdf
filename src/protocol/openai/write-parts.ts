import type { Capabilities } from "../../core/capabilities.ts";
import type { Block, MediaBlock, ReasoningBlock } from "../ir/block.ts";
import { compact } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { LossCode, Report } from "../ir/loss.ts";
import { writeCacheMark } from "./cache-mark.ts";
import { dataUrl } from "./data-url.ts";
import { AUDIO_MIMES } from "./read-parts.ts";
import { ownExt, ownExtAt } from "./rest.ts";
import { spellingOf } from "./spelling.ts";

/** What a content list needs to know to be written. */
export interface PartContext {
  readonly capabilities: Capabilities;
  readonly report: Report;
  /** Read from this very wire: then nothing is added that was not there. */
  readonly isOwn: boolean;
}

/** OpenAI wants a name beside the data of a file. */
const FILENAME = "document.pdf";
const UNKNOWN_MIME = "application/octet-stream";

/** The parts of a content list; a block this wire cannot say is reported and left out. */
export function writeParts(blocks: readonly Block[], context: PartContext): readonly JsonObject[] {
  return blocks.flatMap((block) => writePart(block, context));
}

function writePart(block: Block, context: PartContext): readonly JsonObject[] {
  switch (block.type) {
    case "text":
    case "refusal":
      return [textPart(block, context)];
    case "reasoning":
      return [thinkingPart(block)];
    case "media":
      return mediaParts(block, context);
    case "opaque":
      return block.vendor === "openai" ? [block.raw] : lost(block, "L-UNKNOWN-BLOCK", context);
    case "hosted_call":
    case "hosted_result":
      return lost(block, "L-HOSTED", context);
    case "cache_mark":
      return lost(block, "L-CACHE", context);
    case "search_result":
    case "compaction":
    case "tool_call":
    case "tool_result":
      return lost(block, "L-UNKNOWN-BLOCK", context);
  }
}

/** Reports a block that is left out. */
export function lost(block: Block, code: LossCode, { report }: PartContext): readonly [] {
  report({ code, path: block.at ?? block.type, action: "dropped", detail: block.type });
  return [];
}

function textPart(
  block: Extract<Block, { type: "text" | "refusal" }>,
  { capabilities }: PartContext,
): JsonObject {
  const { type, text, cache } = block;
  const said = type === "text" ? { type, text } : { type, refusal: text };
  return compact({ ...said, ...writeCacheMark(cache, capabilities) }, ownExt(block));
}

function thinkingPart(block: ReasoningBlock): JsonObject {
  const raw: Json = spellingOf(block).raw ?? [{ type: "text", text: block.text ?? "" }];
  return compact({ type: "thinking", thinking: raw }, ownExt(block));
}

function mediaParts(block: MediaBlock, context: PartContext): readonly JsonObject[] {
  const { source } = block;
  if (source.kind === "blocks") return writeParts(source.blocks, context);
  const said = mediaPart(block, context);
  if (typeof said === "string") return lost(block, said, context);
  const mark = writeCacheMark(block.cache, context.capabilities);
  return [compact({ ...said, ...mark }, ownExt(block))];
}

type Part = Readonly<Record<string, Json>>;

/** The part of a medium without its mark, or the code of its loss. */
function mediaPart(block: MediaBlock, context: PartContext): Part | LossCode {
  const { kind, source } = block;
  if (source.kind === "text") return { type: "text", text: source.text };
  if (source.kind === "reference") {
    const id = source.vendor === "openai" ? source.raw["file_id"] : undefined;
    return id === undefined ? "L-FILEID" : { type: "file", file: fileOf(block, { file_id: id }) };
  }
  switch (kind) {
    case "image":
      return { type: "image_url", image_url: imageOf(block) };
    case "document":
      // Only OpenRouter takes a URL here, and only a caller of this wire can have meant it.
      if (source.kind === "url" && !context.isOwn) return "L-UNKNOWN-BLOCK";
      return { type: "file", file: documentOf(block, context) };
    case "audio": {
      const format = formatOf(block.mime);
      if (format === undefined || source.kind !== "base64") return "L-MODALITY";
      const audio = { data: source.data, format };
      return { type: "input_audio", input_audio: compact(audio, ownExtAt(block, "input_audio")) };
    }
    case "video":
      return "L-MODALITY";
  }
}

function documentOf(block: MediaBlock, { isOwn }: PartContext): JsonObject {
  const filename = block.filename ?? block.title ?? (isOwn ? undefined : FILENAME);
  return fileOf(block, { filename, file_data: urlOf(block) });
}

function imageOf(block: MediaBlock): Json {
  const url = urlOf(block);
  if (spellingOf(block).slot === "bare") return url;
  return compact({ url, detail: block.detail }, ownExtAt(block, "image_url"));
}

/** The URL of a medium, data or not, as it came where it came in an odd spelling. */
function urlOf(block: MediaBlock): string {
  const { source, mime } = block;
  const { raw } = spellingOf(block);
  if (typeof raw === "string") return raw;
  if (source.kind === "url") return source.url;
  return source.kind === "base64" ? dataUrl(mime ?? UNKNOWN_MIME, source.data) : "";
}

function fileOf(block: MediaBlock, members: { readonly [name: string]: Json | undefined }) {
  return compact({ filename: block.filename, ...members }, ownExtAt(block, "file"));
}

function formatOf(mime: string | undefined): string | undefined {
  const type = mime?.toLowerCase();
  if (type === "audio/mp3") return "mp3";
  if (type === "audio/x-wav" || type === "audio/wave") return "wav";
  return [...AUDIO_MIMES].find(([, known]) => known === type)?.[0];
}
