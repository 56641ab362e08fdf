/** What the words of an error answer can say; the rest its status says. */
export type SaidKind =
  "rate_limited" | "overloaded" | "auth" | "billing" | "context_length" | "client_error";

/** Codes and types that say it whatever the status. Vague ones, as `api_error`, are not here. */
export const KIND_OF_CODE: ReadonlyMap<string, SaidKind> = new Map([
  ["context_length_exceeded", "context_length"],
  // llama.cpp, Perplexity, Cohere behind a relay.
  ["exceed_context_size_error", "context_length"],
  ["too_many_prompt_tokens", "context_length"],
  ["too_many_tokens", "context_length"],
  ["insufficient_quota", "billing"],
  ["billing_hard_limit_reached", "billing"],
  ["billing_not_active", "billing"],
  ["billing_error", "billing"],
  // Moonshot.
  ["exceeded_current_quota_error", "billing"],
  ["invalid_api_key", "auth"],
  ["authentication_error", "auth"],
  ["api_key_invalid", "auth"],
  ["account_deactivated", "auth"],
  // Mistral, and Moonshot and Azure after it.
  ["service_tier_capacity_exceeded", "overloaded"],
  ["3505", "overloaded"],
  ["engine_overloaded_error", "overloaded"],
  ["nocapacity", "overloaded"],
  ["overloaded", "overloaded"],
  ["overloaded_error", "overloaded"],
  ["rate_limit_exceeded", "rate_limited"],
  ["rate_limit_error", "rate_limited"],
  ["rate_limited", "rate_limited"],
  ["ratelimitreached", "rate_limited"],
  ["1300", "rate_limited"],
  ["content_filter", "client_error"],
  ["content_policy_violation", "client_error"],
  // With 403 too, when the key may not use the model the caller named.
  ["model_not_found", "client_error"],
]);

/** Types that name a status only: for errors inside a 200, which have no other. */
export const STATUS_OF_TYPE: ReadonlyMap<string, number> = new Map([
  ["invalid_request_error", 400],
  ["badrequesterror", 400],
  ["bad request", 400],
  ["permission_error", 403],
  ["not_found_error", 404],
  ["tokens", 429],
  ["requests", 429],
]);

/**
 * How messages that blame a credential or its account begin. Only the beginning counts: a caller's
 * own words can be quoted further on, and must not cost the operator a credential.
 */
export const MESSAGE_STARTS: readonly (readonly [string, SaidKind])[] = [
  ["you exceeded your current quota", "billing"],
  ["insufficient balance", "billing"],
  ["insufficient credits", "billing"],
  ["your credit balance is too low", "billing"],
  ["your account is not active", "billing"],
  ["incorrect api key provided", "auth"],
  ["api key not valid", "auth"],
  ["service tier capacity exceeded", "overloaded"],
];

/** Ways to say that the prompt does not fit the model; each needs all of its parts. */
export const CONTEXT_WORDS: readonly (readonly string[])[] = [
  ["maximum context length"], // OpenAI, DeepSeek, OpenRouter, vLLM, Mistral
  ["context length of only"], // LM Studio
  ["exceeds the context window"], // OpenAI
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

/** A request larger than a whole window of the limit: no waiting helps. OpenAI, and Groq as 413. */
export const TOO_LARGE_START = "request too large for";
