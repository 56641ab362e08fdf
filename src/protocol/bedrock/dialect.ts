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

/** Amazon Bedrock's Converse, and its invoked models so far as they pass through. */
export const bedrock: Dialect = {
  id: "bedrock",
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
  streamType: "application/vnd.amazon.eventstream",
  brokenEnd: "close",
  writeModels,
  writeModel,
  codec,
};

/** Base URLs of this wire are hosts. The model stands in the path, whatever came in. */
function upstreamPath({ head, model, stream }: UpstreamCall): string {
  const query = head.query === "" ? "" : `?${head.query}`;
  switch (head.operation) {
    case "chat":
      return `/model/${encoded(model)}/${stream ? "converse-stream" : "converse"}${query}`;
    case "native":
      return head.tail + query;
    case "invoke":
    case "count_tokens":
    case "completions":
    case "embeddings":
    case "rerank":
    case "moderations":
    case "images":
    case "audio":
      return head.tail.replace(MODEL_SEGMENT, () => `/model/${encoded(model)}/`) + query;
  }
}

/** The model may be a whole ARN, and those who do not encode its slashes mean one, too. */
const MODEL_SEGMENT = /^\/model\/.+\//;

/** As the AWS SDKs encode a path label: all but RFC 3986's unreserved characters. */
function encoded(model: string): string {
  return encodeURIComponent(model).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
