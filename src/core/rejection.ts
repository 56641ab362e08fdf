import type { Fault } from "./fault.ts";
import type { Bytes, Ms } from "./units.ts";

/** A request the gateway refuses. A value, not an exception: every stage returns it by name. */
export class Rejection {
  readonly reason: Reason;
  constructor(reason: Reason) {
    this.reason = reason;
  }
}

/** Which of a key's rates is used up. */
export type RateKind = "rpm" | "tpm" | "concurrency";

/** Whose limit refused: the key's own, or that of the tenant it shares with others. */
export type Whose = "key" | "tenant";

/** What a spent budget is answered with: as an over-full quota, or as a bill. */
export type BudgetStatus = 402 | 429;

export type Reason =
  | { readonly kind: "malformed"; readonly param: string | undefined; readonly detail: string }
  | { readonly kind: "bad_path"; readonly detail: string }
  | { readonly kind: "not_found"; readonly path: string }
  | { readonly kind: "method_not_allowed"; readonly allow: string }
  | { readonly kind: "unsupported_media_type"; readonly detail: string }
  | { readonly kind: "too_large"; readonly limit: Bytes }
  | { readonly kind: "unauthenticated"; readonly detail: string }
  /** A tenant that is shut out, or nobody knows any more whether it is: features.md d-R3. */
  | { readonly kind: "denied"; readonly status: 402 | 403 | 503 }
  | { readonly kind: "forbidden_model"; readonly model: string }
  | { readonly kind: "model_not_found"; readonly model: string }
  /** A budget in money cannot hold where nobody knows the price. */
  | { readonly kind: "unpriced_model"; readonly model: string }
  | { readonly kind: "no_eligible_backend"; readonly model: string }
  | { readonly kind: "cannot_translate"; readonly model: string; readonly dialect: string }
  /** The caller's request holds what the target's protocol cannot say, and may not do without. */
  | { readonly kind: "loss_refused"; readonly path: string; readonly detail: string }
  | {
      readonly kind: "rate_limited";
      readonly limit: RateKind;
      readonly retryAfterMs: Ms;
      readonly whose?: Whose | undefined;
    }
  | {
      readonly kind: "budget_exhausted";
      readonly retryAfterMs: Ms | undefined;
      readonly status: BudgetStatus;
      readonly whose?: Whose | undefined;
    }
  | {
      readonly kind: "overloaded";
      readonly retryAfterMs: Ms;
      /** Set when it is the ledger that takes no more. */
      readonly what?: "ledger" | undefined;
    }
  | { readonly kind: "draining" }
  | { readonly kind: "upstream_failed"; readonly fault: Fault; readonly attempts: number }
  | { readonly kind: "client_gone" }
  | { readonly kind: "bug" };

/** The HTTP status of each refusal: features.md conflicts 6 and 7, reliability.md §3.3. */
export function statusOf(reason: Reason): number {
  switch (reason.kind) {
    case "malformed":
    case "bad_path":
    case "loss_refused":
      return 400;
    case "unauthenticated":
      return 401;
    case "denied":
      return reason.status;
    case "forbidden_model":
    case "unpriced_model":
      return 403;
    case "not_found":
    case "model_not_found":
    case "cannot_translate":
      return 404;
    case "method_not_allowed":
      return 405;
    case "too_large":
      return 413;
    case "unsupported_media_type":
      return 415;
    case "rate_limited":
      return 429;
    case "budget_exhausted":
      return reason.status;
    case "client_gone":
      return 499;
    case "bug":
      return 500;
    case "no_eligible_backend":
    case "overloaded":
    case "draining":
      return 503;
    case "upstream_failed":
      return statusOfFault(reason.fault);
  }
}

function statusOfFault(fault: Fault): number {
  switch (fault.kind) {
    case "rate_limited":
      return 429;
    case "overloaded":
      return 503;
    case "timeout":
    case "not_now":
      return 504;
    case "context_length":
    case "client_error":
      return 400;
    case "server_error":
    case "network":
    case "tls":
    case "protocol":
    case "redirect":
    case "address_refused":
    case "auth":
    case "billing":
      return 502;
  }
}
