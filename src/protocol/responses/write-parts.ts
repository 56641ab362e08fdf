import type { Block, RefusalBlock, TextBlock } from "../ir/block.ts";
import { compact } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import { writeOwnAnnotation } from "./annotations.ts";
import { writeBreakpoint } from "./cache.ts";
import { writeLogprobs } from "./logprobs.ts";
import { type MediaContext, writeMedia } from "./media.ts";
import { OF_ITEM } from "./read-items.ts";
import { type Speaker, TEXT_TYPES } from "./read-parts.ts";

interface PartContext extends MediaContext {
  readonly speaker: Speaker;
}

/** The parts that blocks become; those that become none are left out. */
export function writeParts(blocks: readonly Block[], context: PartContext): readonly JsonObject[] {
  return blocks.map((block) => writePart(block, context)).filter((part) => part !== undefined);
}

/** One block as a part of a message's content; undefined, and reported, where there is none. */
export function writePart(block: Block, context: PartContext): JsonObject | undefined {
  switch (block.type) {
    case "text":
      return writeText(block, context.speaker);
    case "refusal":
      return writeRefusal(block);
    case "media":
      return writeMedia(block, context);
    case "opaque":
      if (block.vendor === "responses") return block.raw;
      break;
    default:
      break;
  }
  const path = block.at ?? block.type;
  context.report({ code: "L-UNKNOWN-BLOCK", path, action: "dropped", detail: block.type });
  return undefined;
}

/** A text of a request: citations and probabilities of this wire's own making only. */
export function writeText(block: TextBlock, speaker: Speaker): JsonObject {
  const { text, citations, logprobs, cache } = block;
  const ext = withoutItem(block.ext?.responses);
  const members = {
    type: ext?.["type"] === undefined ? TEXT_TYPES[speaker] : undefined,
    text,
    annotations: citations?.map(writeOwnAnnotation),
    logprobs: logprobs && writeLogprobs(logprobs),
    prompt_cache_breakpoint: writeBreakpoint(cache),
  };
  return compact(members, ext);
}

/** A refusal, which is spelled alike in requests and answers. */
export function writeRefusal({ text, ext }: RefusalBlock): JsonObject {
  return compact({ type: "refusal", refusal: text }, withoutItem(ext?.responses));
}

/** What the part itself said besides, without what its message said. */
function withoutItem(ext: JsonObject | undefined): JsonObject | undefined {
  return split(ext, (name) => (name.startsWith(OF_ITEM) ? undefined : name));
}

/** What a message said besides, which its first block holds. */
export function itemOf(ext: JsonObject | undefined): JsonObject | undefined {
  return split(ext, (name) => (name.startsWith(OF_ITEM) ? name.slice(1) : undefined));
}

function split(
  ext: JsonObject | undefined,
  rename: (name: string) => string | undefined,
): JsonObject | undefined {
  if (ext === undefined) return undefined;
  const part: Record<string, Json> = Object.create(null);
  for (const name of Object.keys(ext)) {
    const kept = rename(name);
    if (kept !== undefined) part[kept] = ext[name]!;
  }
  return part;
}
