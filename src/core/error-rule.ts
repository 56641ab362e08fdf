/** What an error can be said to mean: the classes of features.md b.1.4. */
export const ERROR_MEANINGS = [
  "rate_limit",
  "overloaded",
  "server_error",
  "timeout",
  "auth",
  "billing",
  "context_length",
  "content_filter",
  "client_error",
] as const;
export type ErrorMeaning = (typeof ERROR_MEANINGS)[number];

/** One thing known of a host's errors. All that is given must hold; texts are in lower case. */
export interface ErrorRule {
  /** The HTTP status, or the one an error inside a 200 names. */
  readonly status?: number | undefined;
  readonly code?: string | undefined;
  readonly type?: string | undefined;
  /** Stands somewhere in the message. */
  readonly message?: string | undefined;
  readonly means: ErrorMeaning;
}

/** What an error says of itself, in whichever envelope: texts in lower case. */
export interface ErrorWords {
  readonly status: number;
  readonly codes: readonly string[];
  readonly types: readonly string[];
  readonly messages: readonly string[];
}

/** The meaning of the first rule that holds. No broken host passes for a prompt too long. */
export function meaningOf(
  rules: readonly ErrorRule[],
  words: ErrorWords,
): ErrorMeaning | undefined {
  return rules.find(
    (rule) => holds(rule, words) && (rule.means !== "context_length" || words.status < 500),
  )?.means;
}

function holds({ status, code, type, message }: ErrorRule, words: ErrorWords): boolean {
  return (
    (status === undefined || status === words.status) &&
    (code === undefined || words.codes.includes(code)) &&
    (type === undefined || words.types.includes(type)) &&
    (message === undefined || words.messages.some((said) => said.includes(message)))
  );
}
