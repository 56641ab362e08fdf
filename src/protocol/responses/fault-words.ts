import type { ErrorClass } from "../wire-error.ts";

/** Codes and types that say it whatever the status. Vague ones, as `server_error`, are not here. */
export const CLASS_OF_CODE: ReadonlyMap<string, ErrorClass> = new Map([
  ["context_length_exceeded", "context_length"],
  // llama.cpp, Perplexity, Cohere behind a relay.
  ["exceed_context_size_error", "context_length"],
  ["too_many_prompt_tokens", "context_length"],
  ["too_many_tokens", "context_length"],
  ["insufficient_quota", "quota"],
  ["billing_hard_limit_reached", "quota"],
  ["billing_not_active", "quota"],
  ["billing_error", "quota"],
  ["exceeded_current_quota_error", "quota"],
  ["invalid_api_key", "auth"],
  ["authentication_error", "auth"],
  ["account_deactivated", "auth"],
  ["service_tier_capacity_exceeded", "overloaded"],
  ["engine_overloaded_error", "overloaded"],
  ["overloaded", "overloaded"],
  ["overloaded_error", "overloaded"],
  ["nocapacity", "overloaded"],
  ["slow_down", "overloaded"],
  ["rate_limit_exceeded", "rate_limit"],
  ["rate_limit_error", "rate_limit"],
  ["rate_limited", "rate_limit"],
  ["ratelimitreached", "rate_limit"],
  ["content_filter", "content_filter"],
  ["content_policy_violation", "content_filter"],
  ["image_content_policy_violation", "content_filter"],
  // OpenAI's word for a prompt that its usage policy forbids.
  ["invalid_prompt", "content_filter"],
  ["bio_policy", "content_filter"],
  ["misalignment_policy_violation", "content_filter"],
  // With 403 too, when the key may not use the model the caller named.
  ["model_not_found", "model_not_found"],
  ["deploymentnotfound", "model_not_found"],
]);

/** Types that name a status only: for errors inside a 200, which have no other. */
export const STATUS_OF_TYPE: ReadonlyMap<string, number> = new Map([
  ["invalid_request_error", 400],
  ["badrequesterror", 400],
  ["invalid-argument", 400],
  ["permission_error", 403],
  ["not_found_error", 404],
  ["tokens", 429],
  ["requests", 429],
]);

/**
 * How messages that blame a credential or its account begin. Only the beginning counts: a caller's
 * own words can be quoted further on, and must not cost the operator a credential.
 */
export const MESSAGE_STARTS: readonly (readonly [string, ErrorClass])[] = [
  // A request larger than a whole window of the limit: no waiting helps (protocols.md finding 11).
  ["request too large for", "request_too_large"],
  ["you exceeded your current quota", "quota"],
  ["insufficient balance", "quota"],
  ["insufficient credits", "quota"],
  ["your credit balance is too low", "quota"],
  ["your account is not active", "quota"],
  ["incorrect api key provided", "auth"],
  ["api key not valid", "auth"],
  ["service tier capacity exceeded", "overloaded"],
];

/** Ways to say that the prompt does not fit the model; each needs all of its parts. */
export const CONTEXT_WORDS: readonly (readonly string[])[] = [
  ["exceeds the context window"], // OpenAI
  ["maximum context length"], // DeepSeek, OpenRouter, vLLM
  ["context length of only"], // LM Studio
  ["exceeds the available context size"], // llama.cpp
  ["exceeded max context length"], // Ollama
  ["longer than the model's context length"], // SGLang
  ["maximum prompt length is"], // xAI
  ["exceeded model token limit"], // Moonshot
  ["current length is", "while limit is"], // Cerebras
  ["prompt is too long"], // Anthropic, and below it others that relays pass on
  ["exceed context limit"],
  ["input token count", "exceeds the maximum"], // Gemini
  ["input is too long for requested model"], // Bedrock
  ["too many tokens: size limit exceeded"], // Cohere
];
