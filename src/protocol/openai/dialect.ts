import type { Operation } from "../../core/ids.ts";
import type { Dialect } from "../dialect.ts";
import { heartbeat, writeStreamError } from "./broken.ts";
import { includeUsageEdit, readEnvelope } from "./envelope.ts";
import { readFault } from "./fault.ts";
import { writeRejection } from "./rejection.ts";
import { stripUsage } from "./strip-usage.ts";
import { streamTap } from "./tap.ts";
import { readUsage } from "./usage.ts";

/** OpenAI's chat completions, legacy completions and embeddings, and all who speak them. */
export const openai: Dialect = {
  id: "openai",
  upstreamPath,
  readEnvelope,
  askForUsage: includeUsageEdit,
  stripUsage,
  streamTap,
  readUsage,
  readFault,
  writeRejection,
  writeStreamError,
  heartbeat,
};

/** Base URLs of this wire end in `/v1` already. */
function upstreamPath(operation: Operation): string {
  switch (operation) {
    case "chat":
      return "/chat/completions";
    case "completions":
      return "/completions";
    case "embeddings":
      return "/embeddings";
  }
}
