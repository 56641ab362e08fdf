import type { Chunk } from "../../core/units.ts";
import { wordsOfBreak } from "../break-words.ts";
import type { BrokenStream } from "../dialect.ts";
import type { JsonObject } from "../ir/json.ts";
import { errorObject } from "./rejection.ts";

const utf8 = new TextEncoder();
/** A comment in a block of its own is the one thing the SDK steps over: protocols.md finding 18. */
export const heartbeat: Chunk = utf8.encode(": keep-alive\n\n");

/**
 * The in-band end of a stream that broke. `surface` is the error every reader throws on; `graceful`
 * is a last chunk that none throws on. An array is left unclosed where it was cut in an element, so
 * that it does not parse.
 */
export function writeStreamError(broken: BrokenStream): Chunk {
  const last = printed(lastChunk(broken));
  if (broken.framing === "json-array") return utf8.encode(`,\r\n${last}]`);
  // A partial event becomes a whole one that does not parse: the SDK throws on that, too.
  const close = broken.atBoundary ? "" : "\r\n\r\n";
  return utf8.encode(`${close}data: ${last}\r\n\r\n`);
}

/** The chunk itself, for a writer that frames by itself. */
export function lastChunk(broken: BrokenStream): JsonObject {
  switch (broken.mode) {
    case "surface":
      return { error: interruption(broken) };
    case "graceful":
      return gracefulChunk(broken);
  }
}

function interruption({ why, requestId }: BrokenStream): JsonObject {
  const { class: kind, status, coded } = wordsOfBreak(why);
  return errorObject({ class: kind, status, message: coded }, requestId);
}

function gracefulChunk({ id, model, why }: BrokenStream): JsonObject {
  const finishMessage = wordsOfBreak(why).coded;
  const content = { parts: [{ text: "" }], role: "model" };
  const candidate = { content, finishReason: "OTHER", finishMessage, index: 0 };
  return {
    candidates: [candidate],
    ...(model === undefined ? {} : { modelVersion: model }),
    ...(id === undefined ? {} : { responseId: id }),
  };
}

function printed(value: JsonObject): string {
  return JSON.stringify(value);
}
