import { type Rejection, statusOf } from "../core/rejection.ts";
import { refusalOf } from "../protocol/refusal.ts";
import { addOwnHeaders } from "./own-headers.ts";
import { settle, type Visit } from "./visit.ts";

/** Answers a refusal in the caller's protocol, and settles the request. */
export function refuse(visit: Visit, rejection: Rejection): Response {
  const written = write(visit, rejection);
  const { status } = written;
  settle(visit, { kind: "rejected", reason: rejection.reason, status });
  return answer(visit, written);
}

/** The answer of a refusal whose request is settled elsewhere. */
export function refusal(visit: Visit, rejection: Rejection): Response {
  return answer(visit, write(visit, rejection));
}

function write(visit: Visit, rejection: Rejection) {
  const written = visit.dialect.writeError(refusalOf(rejection), visit.id);
  const own = statusOf(rejection.reason);
  // A bill is one in every protocol, also where its own word for it has another number.
  return own === 402 ? { ...written, status: own } : written;
}

function answer(visit: Visit, { status, headers, body }: ReturnType<typeof write>): Response {
  return new Response(body, { status, headers: addOwnHeaders(headers, visit) });
}
