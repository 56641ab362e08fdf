import { Rejection } from "../core/rejection.ts";
import type { Envelope } from "../core/request.ts";
import type { Ms } from "../core/units.ts";
import type { Asked } from "../governor/limit-book.ts";
import { ANONYMOUS } from "../ingress/authenticate.ts";
import type { Target } from "../router/routes.ts";
import { mostNano } from "./cost.ts";
import type { Visit } from "./visit.ts";

/** How soon a ledger may take facts again: its writer tries twice a second. */
const RETRY_MS: Ms = 2000;

export interface Starting {
  readonly asked: Asked;
  readonly envelope: Envelope;
  readonly target: Target;
  readonly nowNs: bigint;
  readonly wall: Ms;
}

/**
 * Whether a request's fact is kept, or its refusal. While the ledger takes none, keys start nothing
 * that `ledger.on_failure` does not let them; where there are no keys nobody is billed, and what
 * finds no room is only counted.
 */
export function keeps(visit: Visit, { asked, nowNs, ...rest }: Starting): boolean | Rejection {
  const { key, gateway } = visit;
  const { ledger, card } = gateway;
  // What a caller's own key uses is between it and its provider: features.md d-R6.
  if (ledger === undefined || key?.own !== undefined) return false;
  const judged = ledger.judge({
    key: key === ANONYMOUS ? undefined : asked.key.id,
    nano: () => (asked.nano > 0 ? asked.nano : mostNano(asked, { ...rest, key: key!, card })),
    nowNs,
  });
  if (judged !== "refused") return judged === "kept";
  return new Rejection({ kind: "overloaded", retryAfterMs: RETRY_MS, what: "ledger" });
}
