import type { Operation } from "../../core/ids.ts";
import type { Dialect, UpstreamCall } from "../dialect.ts";
import { heartbeat, writeStreamError } from "./broken.ts";
import { codec } from "./codec.ts";
import { includeUsageEdit, readEnvelope } from "./envelope.ts";
import { readFault } from "./fault.ts";
import { writeModel, writeModels } from "./models.ts";
import { readError } from "./read-error.ts";
import { writeError } from "./rejection.ts";
import { stripUsage } from "./strip-usage.ts";
import { streamTap } from "./tap.ts";
import { readUsage } from "./usage.ts";

/** OpenAI's chat completions, legacy completions and embeddings, and all who speak them. */
export const openai: Dialect = {
  id: "openai",
  upstreamPath,
  readEnvelope,
  usageOnRequest: { ask: includeUsageEdit, strip: stripUsage },
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

/** Base URLs of this wire end in `/v1` already. */
function upstreamPath({ head }: UpstreamCall): string {
  return (PATHS[head.operation] ?? head.tail) + (head.query === "" ? "" : `?${head.query}`);
}

const PATHS: { readonly [O in Operation]?: string } = {
  chat: "/chat/completions",
  completions: "/completions",
  embeddings: "/embeddings",
};
