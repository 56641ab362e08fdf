import type { Ms } from "../core/units.ts";
import type { DenySet } from "../state/keys/deny-set.ts";
import type { DenyReason } from "../state/keys/deny-source.ts";

/** Why a proven tenant is refused, with the status that says so: features.md d-R3. */
export type Denial =
  | { readonly kind: "denied"; readonly status: 402 | 403; readonly reason: DenyReason }
  | { readonly kind: "deny_set_stale"; readonly status: 503; readonly stalenessMs: Ms };

/** The error type of a denial, and its words: the same ones for each reason. */
export const DENIED_TYPE = "access_denied";
export const DENIED_TEXT = "tenant is over limit or suspended";

/**
 * Whether a tenant may go on. A source out of reach opens nothing that was shut and, up to
 * `stalenessMaxMs`, shuts nothing that was open; Infinity never shuts.
 */
export function judgeTenant(
  tenant: bigint,
  { denied, stalenessMaxMs }: { readonly denied: DenySet; readonly stalenessMaxMs: Ms },
): Denial | undefined {
  const reason = denied.find(tenant);
  if (reason !== undefined) {
    return { kind: "denied", status: reason === "spend" ? 402 : 403, reason };
  }
  const { stalenessMs } = denied;
  if (stalenessMs <= stalenessMaxMs) return undefined;
  return { kind: "deny_set_stale", status: 503, stalenessMs };
}
