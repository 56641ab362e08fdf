import type { StreamFailure } from "../config/config.ts";
import { dispositionOf, type Fault } from "../core/fault.ts";
import type { DialectId, KeyId, RequestId, TenantId } from "../core/ids.ts";
import type { Ending, Outcome } from "../core/outcome.ts";
import type { Lane } from "../core/pool.ts";
import type { Placement, Privacy } from "../core/privacy.ts";
import { statusOf } from "../core/rejection.ts";
import type { Ms } from "../core/units.ts";

/** One try at one lane. */
export interface AttemptFact {
  readonly lane: Lane<Placement>;
  /** Why it failed; undefined when its first event came, or the client left before. */
  readonly fault: Fault | undefined;
  /** From the attempt's start to the upstream's first event; undefined when none came. */
  readonly firstEventMs: Ms | undefined;
}

/** All that settle knows when a request is over: metrics and the log line are made of this. */
export interface SettledRequest {
  readonly id: RequestId;
  readonly outcome: Outcome;
  /** When it settled, on the monotonic clock. */
  readonly at: Ms;
  /** From the request's arrival to its end. */
  readonly durationMs: Ms;
  /** The client's protocol. */
  readonly dialect: DialectId;
  readonly key: KeyId | undefined;
  readonly tenant?: TenantId | undefined;
  /** What a model that a tenant asked for is counted under; undefined where `asked` says it. */
  readonly label?: string | undefined;
  /** Undefined when it was refused before it was classified. */
  readonly privacy: Privacy | undefined;
  /** The model or pool asked for, as the client wrote it. Shown only when it is configured. */
  readonly asked: string | undefined;
  readonly streamFailure: StreamFailure;
  /** Every try in order. The last one's fault is the outcome's where the outcome has one. */
  readonly attempts: readonly AttemptFact[];
}

/** How a backend last behaved, as far as it is to blame. `nothing`: this says nothing about it. */
export type Conduct = "answered" | "failed" | "nothing";

/** Nginx's word for a client that closed its connection before the answer. */
const CLIENT_CLOSED = 499;

/**
 * The status the request counts under. A stream that broke after its 200 counts as what it would
 * have been before it: a cut answer in the 2xx column would hide the very failures to look for.
 */
export function statusOfOutcome(outcome: Outcome): number {
  switch (outcome.kind) {
    case "answered":
      return statusOfEnding(outcome.ending, outcome.delivery.status);
    case "relayed_error":
      return outcome.delivery.status;
    case "rejected":
      return outcome.status ?? statusOf(outcome.reason);
    case "served":
      return 200;
    case "bug":
      return 500;
  }
}

function statusOfEnding(ending: Ending, sent: number): number {
  switch (ending.kind) {
    case "completed":
      return sent;
    case "client_gone":
    case "client_stalled":
      return CLIENT_CLOSED;
    case "upstream_reported":
    case "truncated":
      return 502;
    case "timeout":
      return 504;
    case "stopped":
      return ending.why === "budget_exceeded" ? 429 : 401;
  }
}

/** The lane that answered, or failing that the last one tried. */
export function laneOf({ outcome, attempts }: SettledRequest): Lane<Placement> | undefined {
  switch (outcome.kind) {
    case "answered":
    case "relayed_error":
      return outcome.delivery.lane;
    case "rejected":
    case "served":
    case "bug":
      return attempts.at(-1)?.lane;
  }
}

/** How the upstream failed after its first event; undefined when it did not. */
export function lateFailure(outcome: Outcome): "truncated" | "timeout" | "reported" | undefined {
  if (outcome.kind !== "answered") return undefined;
  switch (outcome.ending.kind) {
    case "completed":
    case "client_gone":
    case "client_stalled":
    case "stopped":
      return undefined;
    case "upstream_reported":
      return "reported";
    case "truncated":
    case "timeout":
      return outcome.ending.kind;
  }
}

/** What an attempt says about its backend. The caller's own mistakes say that it answers. */
export function conductOf({ fault, firstEventMs }: AttemptFact): Conduct {
  if (fault === undefined) return firstEventMs === undefined ? "nothing" : "answered";
  const disposition = dispositionOf(fault);
  if (disposition.next === "relay_to_client" || disposition.blame === "none") return "answered";
  return "failed";
}
