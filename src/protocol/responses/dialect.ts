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

/** OpenAI's Responses, and all who speak it: xAI, Azure, DeepSeek, OpenRouter, Bedrock's mantle. */
export const responses: Dialect = {
  id: "responses",
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

/** Base URLs of this wire end in `/v1` already; a stored response has its id in the tail. */
function upstreamPath({ head }: UpstreamCall): string {
  const path = head.operation === "chat" ? "/responses" : head.tail;
  return path + (head.query === "" ? "" : `?${head.query}`);
}
