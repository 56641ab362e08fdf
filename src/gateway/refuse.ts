import { type Rejection, statusOf } from "../core/rejection.ts";
import { refusalOf } from "../protocol/refusal.ts";
import { addOwnHeaders } from "./own-headers.ts";
import { settle, type Visit } from "./visit.ts";

/** Answers a refusal in the caller's protocol, and settles the request. */
export function refuse(visit: Visit, rejection: Rejection): Response {
  settle(visit, { kind: "rejected", reason: rejection.reason });
  return refusal(visit, rejection);
}

/** The answer of a refusal whose request is settled elsewhere. */
export function refusal(visit: Visit, rejection: Rejection): Response {
  const { status, headers, body } = visit.dialect.writeError(refusalOf(rejection), visit.id);
  const own = statusOf(rejection.reason);
  return new Response(body, {
    // A bill is one in every protocol, also where its own word for it has another number.
    status: own === 402 ? own : status,
    headers: addOwnHeaders(headers, visit),
  });
}
