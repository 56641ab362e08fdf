/** What the words of an error answer can say; the rest its status says. */
export type SaidKind =
  "rate_limited" | "overloaded" | "auth" | "billing" | "context_length" | "client_error";

/** Codes and types that say it whatever the status. Vague ones, as `api_error`, are not here. */
export const KIND_OF_CODE: ReadonlyMap<string, SaidKind> = new Map([
  // details.error_code, as the SDK ≥ 1.0 types them.
  ["ramp_limit_exceeded", "rate_limited"],
  ["contract_spend_limit_reached", "billing"],
  ["enforced_spend_limit_reached", "billing"],
  ["linked_organization_spend_limit_reached", "billing"],
  ["linked_organization_billing_unavailable", "billing"],
  ["organization_on_hold", "auth"],
  ["compaction_unavailable", "overloaded"],
  // error.type
  ["authentication_error", "auth"],
  ["permission_error", "auth"],
  ["billing_error", "billing"],
  ["rate_limit_error", "rate_limited"],
  ["overloaded_error", "overloaded"],
]);

/** Types that name a status only: for errors inside a 200, which have no other. */
export const STATUS_OF_TYPE: ReadonlyMap<string, number> = new Map([
  ["invalid_request_error", 400],
  ["not_found_error", 404],
  ["request_too_large", 413],
  ["timeout_error", 504],
]);

/**
 * How messages that blame the account begin: its exhaustion is a 400 `invalid_request_error`,
 * finding 10. Only the beginning counts, for a caller's own words can be quoted further on.
 */
export const MESSAGE_STARTS: readonly (readonly [string, SaidKind])[] = [
  ["your credit balance is too low", "billing"],
  ["you have reached your specified api usage limits", "billing"],
];

/** Ways to say that the prompt does not fit the model. */
export const CONTEXT_WORDS: readonly string[] = [
  "prompt is too long",
  "exceed context limit", // "input length and `max_tokens` exceed context limit: a + b > c"
  "exceed the context window",
];
