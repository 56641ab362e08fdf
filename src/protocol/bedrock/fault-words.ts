import type { ErrorClass } from "../wire-error.ts";

/**
 * What an exception's name means: Bedrock's API reference, common errors and errors of Converse.
 * In lower case: an answer says `ThrottlingException`, a stream `throttlingException`.
 */
export const CLASS_OF_NAME: ReadonlyMap<string, ErrorClass> = new Map<string, ErrorClass>([
  ["throttlingexception", "rate_limit"],
  ["throttledexception", "rate_limit"],
  ["toomanyrequestsexception", "rate_limit"],
  ["requestlimitexceeded", "rate_limit"],
  ["servicequotaexceededexception", "quota"],
  ["serviceunavailableexception", "overloaded"],
  ["serviceunavailable", "overloaded"],
  ["modelnotreadyexception", "overloaded"],
  ["internalserverexception", "server"],
  ["internalservererror", "server"],
  ["internalfailure", "server"],
  ["modelerrorexception", "bad_upstream"],
  ["modelstreamerrorexception", "bad_upstream"],
  ["modeltimeoutexception", "timeout"],
  ["requesttimeoutexception", "timeout"],
  ["validationexception", "invalid_request"],
  ["validationerror", "invalid_request"],
  ["resourcenotfoundexception", "model_not_found"],
  ["unknownoperationexception", "not_found"],
  ["conflictexception", "conflict"],
  ["accessdeniedexception", "permission"],
  ["notauthorized", "permission"],
  ["optinrequired", "permission"],
  ["unrecognizedclientexception", "auth"],
  ["invalidsignatureexception", "auth"],
  ["signaturedoesnotmatch", "auth"],
  ["incompletesignature", "auth"],
  ["incompletesignatureexception", "auth"],
  ["missingauthenticationtoken", "auth"],
  ["missingauthenticationtokenexception", "auth"],
  ["invalidclienttokenid", "auth"],
  ["expiredtoken", "auth"],
  ["expiredtokenexception", "auth"],
  ["requestexpired", "auth"],
]);

/** What Bedrock puts before the words of a model's own host. */
export const HOST_PREFIX = "the model returned the following errors: ";

/**
 * How messages begin that say it where no name does. Only the beginning counts: a caller's own
 * words can be quoted further on, and must not cost the operator a credential.
 */
export const MESSAGE_STARTS: readonly (readonly [string, ErrorClass])[] = [
  ["the security token included in the request is", "auth"],
  ["the request signature we calculated does not match", "auth"],
  ["signature expired", "auth"],
  ["you don't have access to the model", "permission"],
  ["user: arn:", "permission"],
  ["too many tokens", "rate_limit"],
  ["too many requests", "rate_limit"],
  ["too many connections", "overloaded"],
  ["bedrock is unable to process your request", "overloaded"],
];

/** Said of a validation error that is about the model's name. */
export const MODEL_WORDS: readonly string[] = [
  "the provided model identifier is invalid",
  "could not resolve the foundation model",
];

/** Ways to say that the prompt does not fit the model; each needs all of its parts. */
export const CONTEXT_WORDS: readonly (readonly string[])[] = [
  ["input is too long for requested model"],
  ["input tokens exceeded"], // Nova
  ["prompt is too long"], // Claude
  ["exceed context limit"], // Claude
  ["input is longer than the maximum number of tokens"], // b-R31
  ["maximum context length"], // Mistral, gpt-oss, Qwen
  ["maximum prompt length"], // Llama
  ["too many input tokens", "max input tokens"], // Titan
  ["too many tokens: size limit exceeded"], // Cohere
];

/** Throttled by the day: no waiting that a caller would do helps. */
export const DAILY_WORDS = "per day";
