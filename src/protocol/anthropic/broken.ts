import type { Chunk } from "../../core/units.ts";
import type { BrokenStream } from "../dialect.ts";
import type { WireError } from "../wire-error.ts";
import { errorBody } from "./rejection.ts";

const utf8 = new TextEncoder();

/** The ping that Anthropic sends itself; every SDK steps over it. */
export const PING = 'event: ping\ndata: {"type": "ping"}\n\n';
export const heartbeat: Chunk = utf8.encode(PING);

/** Says nothing about what stands behind us: features.md b-R44. */
const MESSAGE = "The response stream was interrupted.";

/** The in-band end of a stream that broke: in both modes the event every SDK throws on. */
export function writeStreamError(broken: BrokenStream): Chunk {
  const { why, requestId } = broken;
  const error: WireError = {
    class: why === "timeout" ? "timeout" : "server",
    status: 500,
    message: MESSAGE,
    code: codeOf(why),
  };
  // A partial event becomes an error event: its last `event` field names it (WHATWG HTML §9.2.6).
  const close = broken.atBoundary ? "" : "\n";
  return utf8.encode(close + errorFrame(errorBody(error, requestId)));
}

/** An error event: the SDKs throw on its name, and read its type and message. */
export function errorFrame(body: object): string {
  return `event: error\ndata: ${JSON.stringify(body)}\n\n`;
}

function codeOf(why: BrokenStream["why"]): string {
  switch (why) {
    case "truncated":
      return "stream_truncated";
    case "timeout":
      return "stream_timeout";
    case "shutdown":
      return "stream_shutdown";
    case "bug":
      return "stream_error";
  }
}
