/** The six wire protocols. A provider is a row of data; a dialect is code. */
export type DialectId = "openai" | "anthropic" | "gemini" | "bedrock" | "responses" | "cohere";
export const DIALECT_IDS = [
  "openai",
  "anthropic",
  "gemini",
  "bedrock",
  "responses",
  "cohere",
] as const satisfies readonly DialectId[];

/**
 * What the caller asks a model to do; decides the upstream path and which limits apply. Only `chat`
 * is translated; `native` is a call to a provider's own path, passed on as it came.
 */
export type Operation =
  | "chat"
  | "completions"
  | "embeddings"
  | "count_tokens"
  | "rerank"
  | "moderations"
  | "images"
  | "audio"
  | "invoke"
  | "native";

/** The name of a virtual key as configured. Not a secret; safe in logs and labels. */
export type KeyId = string;
/** The name of a tenant as configured, or the number its signed keys carry. Not a secret. */
export type TenantId = string;
/** One request's identity on every line, event and response that speaks of it. */
export type RequestId = string;
