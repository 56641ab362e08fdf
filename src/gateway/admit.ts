import { type BudgetStatus, Rejection } from "../core/rejection.ts";
import type { Envelope } from "../core/request.ts";
import type { Permit } from "../governor/governor.ts";
import type { Target } from "../router/routes.ts";
import { askOf } from "./cost.ts";
import { tagOf } from "./fact.ts";
import type { Visit } from "./visit.ts";

/** Takes all the limits of a request's key, or none: synchronous, from memory. */
export function admit(visit: Visit, envelope: Envelope, target: Target): Permit | Rejection {
  const { gateway, key } = visit;
  const { clock } = gateway.runtime;
  const wall = clock.wall();
  const asked = askOf(envelope, { key: key!, target, card: gateway.card, wall });
  if (asked instanceof Rejection) return asked;
  visit.asked = asked;
  const tag = gateway.keepsFacts ? tagOf(visit, envelope, target) : undefined;
  const permit = gateway.governor.admit({ ...asked, tag }, { nowNs: clock.machine(), wall });
  return permit instanceof Rejection ? withStatus(permit, gateway.config.budgets.status) : permit;
}

/** A spent budget is answered as the operator chose: features.md conflict 6. */
function withStatus(rejection: Rejection, status: BudgetStatus): Rejection {
  const { reason } = rejection;
  if (reason.kind !== "budget_exhausted" || reason.status === status) return rejection;
  return new Rejection({ ...reason, status });
}
