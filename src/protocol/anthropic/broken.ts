import type { Chunk } from "../../core/units.ts";
import { isStopped, wordsOfBreak } from "../break-words.ts";
import type { BrokenStream } from "../dialect.ts";
import type { WireError } from "../wire-error.ts";
import { errorBody } from "./rejection.ts";

const utf8 = new TextEncoder();

/** The ping that Anthropic sends itself; every SDK steps over it. */
export const PING = 'event: ping\ndata: {"type": "ping"}\n\n';
export const heartbeat: Chunk = utf8.encode(PING);

/** The in-band end of a stream that broke: in both modes the event every SDK throws on. */
export function writeStreamError(broken: BrokenStream): Chunk {
  const { why, requestId } = broken;
  const { class: kind, status, code, message } = wordsOfBreak(why);
  const named = why === "timeout" || isStopped(why); // Another failure is the server's here.
  const error: WireError = { class: named ? kind : "server", status, message, code };
  // A partial event becomes an error event: its last `event` field names it (WHATWG HTML §9.2.6).
  const close = broken.atBoundary ? "" : "\n";
  return utf8.encode(close + errorFrame(errorBody(error, requestId)));
}

/** An error event: the SDKs throw on its name, and read its type and message. */
export function errorFrame(body: object): string {
  return `event: error\ndata: ${JSON.stringify(body)}\n\n`;
}
