import { type BudgetStatus, Rejection } from "../core/rejection.ts";
import type { Envelope } from "../core/request.ts";
import type { Permit } from "../governor/governor.ts";
import { OWN_KEY_ID } from "../ingress/own-key.ts";
import type { Target } from "../router/routes.ts";
import { askOf } from "./cost.ts";
import { tagOf } from "./fact.ts";
import { keeps } from "./unledgered.ts";
import type { Visit } from "./visit.ts";

/** Takes all the limits of a request's key, or none: synchronous, from memory. */
export function admit(visit: Visit, envelope: Envelope, target: Target): Permit | Rejection {
  const { gateway, key } = visit;
  const { clock } = gateway.runtime;
  if (isTooOften(visit)) return new Rejection(OFTEN);
  const wall = gateway.wall();
  const asked = askOf(envelope, { key: key!, target, card: gateway.card, wall });
  if (asked instanceof Rejection) return asked;
  visit.asked = asked;
  const nowNs = clock.machine();
  const kept = keeps(visit, { asked, envelope, target, nowNs, wall });
  if (kept instanceof Rejection) return kept;
  const tag = kept ? tagOf(visit, envelope, target) : undefined;
  const permit = gateway.governor.admit({ ...asked, tag }, { nowNs, wall });
  return permit instanceof Rejection ? withStatus(permit, gateway.config.budgets.status) : permit;
}

const OFTEN = { kind: "rate_limited", limit: "rpm", retryAfterMs: 5000 } as const;

function isTooOften({ gateway, key }: Visit): boolean {
  if (key?.own === undefined || key.id !== OWN_KEY_ID) return false;
  const rateMax = gateway.config.ownKeys?.requestsPerMinute;
  return rateMax !== undefined && !gateway.governor.allows(`own ${key.own.digest}`, rateMax);
}

/** A spent budget is answered as the operator chose: features.md conflict 6. */
function withStatus(rejection: Rejection, status: BudgetStatus): Rejection {
  const { reason } = rejection;
  if (reason.kind !== "budget_exhausted" || reason.status === status) return rejection;
  return new Rejection({ ...reason, status });
}
