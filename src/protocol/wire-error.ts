import type { Ms } from "../core/units.ts";

/** What an error is, whoever reports it: protocols.md 6.2. */
export type ErrorClass =
  | "invalid_request"
  | "context_length"
  | "request_too_large"
  | "unsupported"
  | "not_found"
  | "model_not_found"
  | "auth"
  | "permission"
  | "rate_limit"
  | "quota"
  | "overloaded"
  | "server"
  | "bad_upstream"
  | "timeout"
  | "content_filter"
  | "conflict"
  | "cancelled";

/** An error on its way to a caller, before it is spelled in the caller's own protocol. */
export interface WireError {
  readonly class: ErrorClass;
  /** The status where the protocol has no own one for the class. */
  readonly status: number;
  readonly message: string;
  /** A stable word for programs; a protocol without a slot for it leaves it out. */
  readonly code?: string | undefined;
  /** The field of the caller's body that is wrong. */
  readonly param?: string | undefined;
  /** Which of a caller's rates is used up. */
  readonly limit?: "requests" | "tokens" | undefined;
  /** The numbers of a prompt that is too long, for the native sentence. */
  readonly tokens?: TokenLimits | undefined;
  readonly retryAfterMs?: Ms | undefined;
  /** Said where an SDK would decide wrongly by the status alone. */
  readonly shouldRetry?: boolean | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}
export interface TokenLimits {
  readonly requested?: number | undefined;
  readonly max?: number | undefined;
}
