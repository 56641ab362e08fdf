import type { DialectId } from "./ids.ts";
import type { Lane } from "./pool.ts";
import type { Placement } from "./privacy.ts";
import type { Fault } from "./fault.ts";
import type { Reason } from "./rejection.ts";
import type { MeteredUsage } from "./usage.ts";
import type { Bytes, Ms } from "./units.ts";

/** How a relayed answer ended; exactly one for each. */
export type Ending =
  | { readonly kind: "completed" }
  | { readonly kind: "client_gone" }
  /** The upstream itself reported an error inside the stream; its bytes were relayed. */
  | { readonly kind: "upstream_reported" }
  | { readonly kind: "truncated" }
  | { readonly kind: "timeout"; readonly phase: "stall" | "total" }
  | { readonly kind: "client_stalled" }
  /** A rule about the key ended it, and the client was told. */
  | { readonly kind: "stopped"; readonly why: Stopped };

/** Why a rule about its key ends an answer: reliability.md §3.3, rows 39 and 40. */
export type Stopped = "budget_exceeded" | "key_revoked";

/** What `settle` is told, once for each admitted request. */
export type Outcome =
  | { readonly kind: "answered"; readonly ending: Ending; readonly delivery: Delivery }
  /** The upstream refused the request and its refusal was relayed: the caller's fault. */
  | { readonly kind: "relayed_error"; readonly fault: Fault; readonly delivery: Delivery }
  /** `status` is what the caller's protocol answers with, where it has a number of its own. */
  | { readonly kind: "rejected"; readonly reason: Reason; readonly status?: number | undefined }
  /** We answered it ourselves, as the list of models. */
  | { readonly kind: "served" }
  | { readonly kind: "bug" };

/** What reached the client, and from where. */
export interface Delivery {
  readonly lane: Lane<Placement>;
  readonly status: number;
  readonly byteCount: Bytes;
  readonly usage: MeteredUsage;
  readonly firstEventMs: Ms;
  readonly attempts: number;
  /** Set when it was written in another protocol than the upstream's. */
  readonly translated: Translated | undefined;
}

/** Between which protocols an answer was translated, and the code of everything it lost. */
export interface Translated {
  readonly from: DialectId;
  readonly to: DialectId;
  /** Each code once; codes are a closed set, and no client's word is among them. */
  readonly losses: readonly string[];
}
