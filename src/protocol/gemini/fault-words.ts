/** What an error can say beyond its status. */
export type SaidKind = "auth" | "billing" | "context_length" | "region";

/**
 * `google.rpc.ErrorInfo` reasons that blame a credential or its project (googleapis'
 * google/api/error_reason.proto). A bare PERMISSION_DENIED is none of them: features.md b-R32.
 */
export const KIND_OF_REASON: ReadonlyMap<string, SaidKind> = new Map([
  ["API_KEY_INVALID", "auth"],
  ["API_KEY_EXPIRED", "auth"],
  ["API_KEY_SERVICE_BLOCKED", "auth"],
  ["API_KEY_HTTP_REFERRER_BLOCKED", "auth"],
  ["API_KEY_IP_ADDRESS_BLOCKED", "auth"],
  ["API_KEY_ANDROID_APP_BLOCKED", "auth"],
  ["API_KEY_IOS_APP_BLOCKED", "auth"],
  ["SERVICE_DISABLED", "auth"],
  ["CONSUMER_SUSPENDED", "auth"],
  ["CONSUMER_INVALID", "auth"],
  ["USER_PROJECT_DENIED", "auth"],
  ["ACCOUNT_STATE_INVALID", "auth"],
  ["ACCESS_TOKEN_EXPIRED", "auth"],
  ["ACCESS_TOKEN_SCOPE_INSUFFICIENT", "auth"],
  ["ACCESS_TOKEN_TYPE_UNSUPPORTED", "auth"],
  ["CREDENTIALS_MISSING", "auth"],
  ["IAM_PERMISSION_DENIED", "auth"],
  ["BILLING_DISABLED", "billing"],
  ["LOCATION_POLICY_VIOLATED", "region"],
]);

/** How such messages begin: a caller's own words can be quoted further on. All in lower case. */
export const MESSAGE_STARTS: readonly (readonly [string, SaidKind])[] = [
  ["api key not valid", "auth"],
  ["api key not found", "auth"],
  ["api key expired", "auth"],
  ["your api key was reported as leaked", "auth"],
  ["method doesn't allow unregistered callers", "auth"],
  ["request had invalid authentication credentials", "auth"],
  ["request is missing required authentication credential", "auth"],
  ["your project has been denied access", "auth"],
  ["your prepayment credits are depleted", "billing"],
  ["this api method requires billing to be enabled", "billing"],
  ["gemini api free tier is not available in your country", "billing"],
  ["user location is not supported for the api use", "region"],
];

/** Ways to say that the prompt does not fit the model; each needs all of its parts. */
export const CONTEXT_WORDS: readonly (readonly string[])[] = [
  ["input token count", "exceeds the maximum"],
  ["input token count", "model only supports up to"],
];

/** Which numbers such a message holds: what was sent, then what is allowed. */
export const CONTEXT_NUMBERS: readonly RegExp[] = [
  /input token count \((\d{1,12})\) exceeds the maximum number of tokens allowed \((\d{1,12})\)/i,
  /input token count is (\d{1,12}) but (?:the )?model only supports up to (\d{1,12})/i,
];

/** Inline data above the limit of a request comes as a 400. */
export const TOO_LARGE_START = "request payload size exceeds the limit";
/** A quota of a day, in a violation's id: waiting out a minute does not help. */
export const DAILY_QUOTA = "PerDay";
