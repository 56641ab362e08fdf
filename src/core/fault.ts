import type { Ms } from "./units.ts";

/** Every way an upstream fails, by who is at fault. features.md b.1.4; reliability.md §3.3. */
export type Fault =
  | { readonly kind: "rate_limited"; readonly retryAfterMs: Ms | undefined }
  | { readonly kind: "overloaded"; readonly retryAfterMs: Ms | undefined }
  | { readonly kind: "server_error" }
  | { readonly kind: "timeout"; readonly phase: "connect" | "first_event" | "stall" | "total" }
  | { readonly kind: "network"; readonly sent: boolean }
  /** The far end is not who its certificate should say it is. */
  | { readonly kind: "tls" }
  | { readonly kind: "protocol"; readonly what: string }
  | { readonly kind: "redirect" }
  | { readonly kind: "address_refused" }
  | { readonly kind: "auth" }
  | { readonly kind: "billing" }
  | { readonly kind: "context_length" }
  /** 408, 409, 425: the host wants to be asked once more, and blames nobody. */
  | { readonly kind: "not_now" }
  | { readonly kind: "client_error" };

/** What happens next. Exhaustive on purpose: a new Fault does not compile until it is answered. */
export type Disposition =
  | { readonly next: "relay_to_client" }
  | { readonly next: "try_next"; readonly blame: Blame }
  /** It may have run, or would fare no better elsewhere: at most one more attempt. */
  | { readonly next: "try_next_once"; readonly blame: Blame };

/** Who the breaker should hold it against. `none` never counts. */
export type Blame = "provider" | "quota" | "credential" | "none";

export function dispositionOf(fault: Fault): Disposition {
  switch (fault.kind) {
    case "rate_limited":
      return { next: "try_next", blame: "quota" };
    case "overloaded":
    case "server_error":
    case "tls":
    case "protocol":
    case "redirect":
    case "address_refused":
      return { next: "try_next", blame: "provider" };
    case "network":
      return { next: fault.sent ? "try_next_once" : "try_next", blame: "provider" };
    case "timeout":
      return { next: fault.phase === "connect" ? "try_next" : "try_next_once", blame: "provider" };
    case "auth":
    case "billing":
      return { next: "try_next", blame: "credential" };
    case "context_length":
      return { next: "try_next", blame: "none" };
    case "not_now":
      return { next: "try_next_once", blame: "none" };
    case "client_error":
      return { next: "relay_to_client" };
  }
}
