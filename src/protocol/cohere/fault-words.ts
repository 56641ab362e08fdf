import type { ErrorClass } from "../wire-error.ts";

/** Error types that say it whatever the status: recorded, and of the vendor's document. */
export const CLASS_OF_CODE: ReadonlyMap<string, ErrorClass> = new Map([
  ["too_many_tokens", "context_length"],
  // The model wrote a call that is none: another try may go well.
  ["invalid_tool_generation", "bad_upstream"],
]);

/** How messages begin that say more than their status. Further on they may quote a caller. */
export const MESSAGE_STARTS: readonly (readonly [string, ErrorClass])[] = [
  // Of the output, not of the prompt: it stands before the next, which it begins like.
  ["too many tokens: max tokens must be", "invalid_request"],
  ["too many tokens", "context_length"],
  ["invalid api token", "auth"],
  ["no api key supplied", "auth"],
  ["maximum billing reached", "quota"],
  ["please add or update your payment method", "quota"],
];

/** Ways to say that no waiting of minutes helps; each needs all of its parts. */
export const QUOTA_WORDS: readonly (readonly string[])[] = [
  ["you are using a trial key", "/ month"],
  ["you are using a trial key", "per month"],
];

/** Numbers in the sentence of a prompt that is too long. */
export const TOKEN_NUMBERS = {
  over: /size limit exceeded by (\d{1,9}) tokens/,
  limit: /(?:limit for this model is|cannot exceed) (\d{1,9})/,
  received: /received (\d{1,9})/,
} as const;
