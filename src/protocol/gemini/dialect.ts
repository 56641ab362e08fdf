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

/** Google's generateContent, at its own API and at Vertex, and what stands beside it there. */
export const gemini: Dialect = {
  id: "gemini",
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

/** The end of a path of this wire: what holds the model, the model as it is spelled, the method. */
const TAIL = /(?:^|\/)(models|tunedModels|endpoints)\/([^/:]+):([A-Za-z]+)$/;
/** Names that say themselves where they stand. */
const RESOURCE = /^(?:models|tunedModels|endpoints|publishers|projects)\//;

/**
 * Base URLs of this wire end in the API's version, or at Vertex in `/publishers/google`. A call
 * that was another protocol's asks for events: that is the framing every reader knows.
 */
function upstreamPath({ head, model, stream }: UpstreamCall): string {
  const [, collection = "models", , method] = TAIL.exec(head.tail) ?? [];
  if (method === undefined && head.operation !== "chat") return withQuery(head.tail, head.query);
  const own = method !== undefined && head.operation !== "chat" ? method : chatMethod(stream);
  const isRenamed = head.model !== model;
  const resource = RESOURCE.test(model) ? model : `${isRenamed ? "models" : collection}/${model}`;
  const query = head.model === undefined && stream ? "alt=sse" : head.query;
  return withQuery(`/${encodedPath(resource)}:${own}`, query);
}

function chatMethod(stream: boolean): string {
  return stream ? "streamGenerateContent" : "generateContent";
}

function withQuery(path: string, query: string): string {
  return query === "" ? path : `${path}?${query}`;
}

/** Slashes stay, as in the SDK's own paths, unless one would lead out of the path. */
function encodedPath(resource: string): string {
  const name = resource.toWellFormed();
  const segments = name.split("/");
  const isPlain = segments.every((segment) => segment !== "" && !/^\.{1,2}$/.test(segment));
  const encoded = (isPlain ? segments : [name]).map(encodeURIComponent).join("/");
  return encoded.replaceAll("%40", "@"); // Vertex: `gemini-2.5-flash@001`.
}
