import type { DialectId, Operation } from "../core/ids.ts";
import type { CallHead } from "../core/request.ts";

/** A call as its path tells it. */
export interface FoundCall {
  readonly dialect: DialectId;
  readonly head: CallHead;
}

interface Fixed {
  readonly dialect: DialectId;
  readonly operation: Operation;
}

type Method = Pick<CallHead, "operation" | "stream">;

/** Paths that are whole: the model stands in the body. */
const FIXED: ReadonlyMap<string, Fixed> = new Map<string, Fixed>([
  ["/v1/chat/completions", { dialect: "openai", operation: "chat" }],
  ["/v1/completions", { dialect: "openai", operation: "completions" }],
  ["/v1/embeddings", { dialect: "openai", operation: "embeddings" }],
  ["/v1/moderations", { dialect: "openai", operation: "moderations" }],
  ["/v1/images/generations", { dialect: "openai", operation: "images" }],
  ["/v1/images/edits", { dialect: "openai", operation: "images" }],
  ["/v1/images/variations", { dialect: "openai", operation: "images" }],
  ["/v1/audio/speech", { dialect: "openai", operation: "audio" }],
  ["/v1/audio/transcriptions", { dialect: "openai", operation: "audio" }],
  ["/v1/audio/translations", { dialect: "openai", operation: "audio" }],
  ["/v1/rerank", { dialect: "openai", operation: "rerank" }],
  ["/v1/responses", { dialect: "responses", operation: "chat" }],
  ["/v1/responses/input_tokens", { dialect: "responses", operation: "count_tokens" }],
  ["/v1/messages", { dialect: "anthropic", operation: "chat" }],
  ["/v1/messages/count_tokens", { dialect: "anthropic", operation: "count_tokens" }],
  ["/v2/chat", { dialect: "cohere", operation: "chat" }],
  ["/v2/embed", { dialect: "cohere", operation: "embeddings" }],
  ["/v2/rerank", { dialect: "cohere", operation: "rerank" }],
]);

/** Gemini's `models/{m}:{method}`, below its versions and below Vertex's project paths. */
const GEMINI = new RegExp(
  String.raw`^/(?:v1|v1beta|v1alpha)` +
    String.raw`((?:/projects/[^/]+/locations/[^/]+(?:/publishers/google)?)?` +
    String.raw`/(?:models|tunedModels|endpoints)/([^/:]+):([A-Za-z]+))$`,
);
const GEMINI_METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ["generateContent", { operation: "chat", stream: false }],
  ["streamGenerateContent", { operation: "chat", stream: true }],
  ["countTokens", { operation: "count_tokens", stream: false }],
  ["embedContent", { operation: "embeddings", stream: false }],
  ["batchEmbedContents", { operation: "embeddings", stream: false }],
  ["predict", { operation: "images", stream: false }],
]);

/** Bedrock's model is one segment, a whole ARN among them. */
const BEDROCK = /^\/model\/([^/]+)\/([a-z-]+)$/;
const BEDROCK_METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ["converse", { operation: "chat", stream: false }],
  ["converse-stream", { operation: "chat", stream: true }],
  ["invoke", { operation: "invoke", stream: false }],
  ["invoke-with-response-stream", { operation: "invoke", stream: true }],
  ["count-tokens", { operation: "count_tokens", stream: false }],
]);

/** The path of every call there is, for one model: what must be shut is tried by this list. */
export function callPaths(model: string): readonly string[] {
  return [
    ...FIXED.keys(),
    ...[...GEMINI_METHODS.keys()].map((method) => `/v1beta/models/${model}:${method}`),
    ...[...BEDROCK_METHODS.keys()].map((method) => `/model/${model}/${method}`),
  ];
}

/** The call a canonical path makes; undefined when it is none of the six protocols'. */
export function findCall(path: string, query: string): FoundCall | undefined {
  const fixed = FIXED.get(path);
  if (fixed !== undefined) {
    const { dialect, operation } = fixed;
    const tail = dialect === "cohere" ? path : path.slice("/v1".length);
    const head = { operation, tail, query: withoutKey(query), model: undefined, stream: undefined };
    return { dialect, head };
  }
  return findGemini(path, withoutKey(query)) ?? findBedrock(path, withoutKey(query));
}

function findGemini(path: string, query: string): FoundCall | undefined {
  const [, tail, name, method] = GEMINI.exec(path) ?? [];
  const found = method === undefined ? undefined : GEMINI_METHODS.get(method);
  const model = name === undefined ? undefined : decoded(name);
  if (found === undefined || tail === undefined || model === undefined) return undefined;
  return { dialect: "gemini", head: { ...found, tail, query, model } };
}

function findBedrock(path: string, query: string): FoundCall | undefined {
  const [, name, method] = BEDROCK.exec(path) ?? [];
  const found = method === undefined ? undefined : BEDROCK_METHODS.get(method);
  const model = name === undefined ? undefined : decoded(name);
  if (found === undefined || model === undefined) return undefined;
  return { dialect: "bedrock", head: { ...found, tail: path, query, model } };
}

/** The query without `key`, by which any caller may authenticate: it is for us alone. */
export function withoutKey(query: string): string {
  if (!query.includes("key=")) return query;
  return query
    .split("&")
    .filter((pair) => !pair.startsWith("key="))
    .join("&");
}

/** The protocol a path looks like, for the envelope of a refusal. */
export function dialectOfPath(path: string): DialectId {
  if (path.includes("/messages")) return "anthropic";
  if (path.includes("/responses")) return "responses";
  if (/:[a-z]+[A-Z]\w*$|\/v1beta\//.test(path)) return "gemini";
  if (path.includes("/model/")) return "bedrock";
  return path.startsWith("/v2/") ? "cohere" : "openai";
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // Not an encoding of any name.
  }
}
