import type { Block, OpaqueBlock, ResultContent } from "../ir/block.ts";
import { Fields } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import { readAnnotations } from "./annotations.ts";
import { readBreakpoint } from "./cache.ts";
import { readLogprobs } from "./logprobs.ts";
import { readFile, readImage } from "./media.ts";

/** Whose words a part holds decides which type its text has. */
export type Speaker = "assistant" | "other";
/** The type of a text part unless `ext` says another. */
export const TEXT_TYPES: Readonly<Record<Speaker, string>> = {
  assistant: "output_text",
  other: "input_text",
};

interface Where {
  readonly speaker: Speaker;
  readonly at?: string | undefined;
}

/** One part of a message's content. */
export function readPart(part: JsonObject, where: Where): Block {
  return known(part, where) ?? opaquePart(part, where.at);
}

/** One part of what a tool gave back. */
export function readResultPart(part: JsonObject, at: string | undefined): ResultContent {
  const block = known(part, { speaker: "other", at });
  return block?.type === "text" || block?.type === "media" ? block : opaquePart(part, at);
}

function known(part: JsonObject, where: Where): Block | undefined {
  switch (part["type"]) {
    case "input_text":
    case "output_text":
      return readText(part, where);
    case "refusal":
      return readRefusal(part, where.at);
    case "input_image":
      return readImage(part, where.at);
    case "input_file":
      return readFile(part, where.at);
    default:
      return undefined;
  }
}

function readText(part: JsonObject, { speaker, at }: Where): Block | undefined {
  const fields = new Fields(part);
  const text = fields.text("text");
  if (text === undefined) return undefined;
  if (fields.peek("type") === TEXT_TYPES[speaker]) fields.skip("type");
  const cache = readBreakpoint(fields);
  const citations = readAnnotations(fields.peek("annotations"));
  if (citations !== undefined) fields.skip("annotations");
  const logprobs = readLogprobs(fields.peek("logprobs"));
  if (logprobs !== undefined) fields.skip("logprobs");
  return { type: "text", text, citations, logprobs, cache, at, ext: fields.ext("responses") };
}

function readRefusal(part: JsonObject, at: string | undefined): Block | undefined {
  const fields = new Fields(part);
  fields.skip("type");
  const text = fields.text("refusal");
  if (text === undefined) return undefined;
  return { type: "refusal", text, at, ext: fields.ext("responses") };
}

function opaquePart(raw: JsonObject, at: string | undefined): OpaqueBlock {
  const type = raw["type"];
  const wireType = typeof type === "string" ? type : "";
  return { type: "opaque", vendor: "responses", wireType, raw, at };
}
