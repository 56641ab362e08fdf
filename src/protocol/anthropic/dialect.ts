import type { Dialect, UpstreamCall } from "../dialect.ts";
import { heartbeat, writeStreamError } from "./broken.ts";
import { codec } from "./codec.ts";
import { readEnvelope } from "./envelope.ts";
import { readFault } from "./fault.ts";
import { writeModel, writeModels } from "./models.ts";
import { readError } from "./read-error.ts";
import { writeError } from "./rejection.ts";
import { streamTap } from "./tap.ts";
import { readUsage } from "./usage.ts";

/** Anthropic's Messages, and all who speak it. */
export const anthropic: Dialect = {
  id: "anthropic",
  upstreamPath,
  readEnvelope,
  usageOnRequest: undefined,
  streamTap,
  readUsage,
  readFault,
  readError,
  writeError,
  writeStreamError,
  heartbeat,
  streamType: "text/event-stream",
  brokenEnd: "close",
  writeModels,
  writeModel,
  codec,
};

/** Base URLs of this wire are the host: the version is in the path. */
function upstreamPath({ head }: UpstreamCall): string {
  return pathOf(head) + (head.query === "" ? "" : `?${head.query}`);
}

function pathOf({ operation, tail }: UpstreamCall["head"]): string {
  switch (operation) {
    case "chat":
      return "/v1/messages";
    case "count_tokens":
      return "/v1/messages/count_tokens";
    case "native":
      return tail; // A native call's tail is its whole path.
    case "completions":
    case "embeddings":
    case "rerank":
    case "moderations":
    case "images":
    case "audio":
    case "invoke":
      return `/v1${tail}`;
  }
}
