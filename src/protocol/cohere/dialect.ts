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

/** Cohere's v2 chat, with embed and rerank beside it. */
export const cohere: Dialect = {
  id: "cohere",
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
  brokenEnd: "reset",
  writeModels,
  writeModel,
  codec,
};

/** Base URLs of this wire are the bare host: the version is part of the path. */
function upstreamPath({ head }: UpstreamCall): string {
  return pathOf(head) + (head.query === "" ? "" : `?${head.query}`);
}

/** Version 1 of embed and rerank has bodies of its own, so it stays version 1. */
function pathOf({ operation, tail }: UpstreamCall["head"]): string {
  switch (operation) {
    case "chat":
      return "/v2/chat";
    case "embeddings":
      return tail === "/v1/embed" ? tail : "/v2/embed";
    case "rerank":
      return tail === "/v1/rerank" ? tail : "/v2/rerank";
    case "completions":
    case "count_tokens":
    case "moderations":
    case "images":
    case "audio":
    case "invoke":
    case "native":
      return tail;
  }
}
