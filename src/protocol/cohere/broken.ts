import type { Chunk } from "../../core/units.ts";
import { printJson } from "../../wire/exact-json.ts";
import { wordsOfBreak } from "../break-words.ts";
import type { BrokenStream } from "../dialect.ts";
import type { Json } from "../ir/json.ts";

/** A comment is no event: every SSE client steps over it. */
export const heartbeat: Chunk = new TextEncoder().encode(": keep-alive\n\n");

/** What ends every stream of this wire; its documents do not say so, its recordings do. */
export const DONE = "data: [DONE]\n\n";

const utf8 = new TextEncoder();

/**
 * The in-band end of a stream that broke: a last event that is an error. Cohere's SDK does not
 * throw on it, so `surface` has no `[DONE]`, and a reset comes after it: protocols.md 5.6.
 */
export function writeStreamError(broken: BrokenStream): Chunk {
  // A partial event becomes a whole one that does not parse: the SDK throws on that.
  const close = broken.atBoundary ? "" : "\n\n";
  const done = broken.mode === "graceful" ? DONE : "";
  return utf8.encode(close + brokenEnd(broken) + done);
}

/** The last event itself. */
export function brokenEnd({ id, requestId, why }: BrokenStream): string {
  const delta = { finish_reason: "ERROR", error: wordsOfBreak(why).coded };
  return frame({ id: id ?? requestId, type: "message-end", delta });
}

/** One event as this wire spells it: its type stands twice. */
export function frame(event: { readonly type: string; readonly [name: string]: Json }): string {
  return `event: ${event.type}\ndata: ${printJson(event)}\n\n`;
}
