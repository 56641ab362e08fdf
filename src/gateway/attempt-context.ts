import type { CallHead } from "../core/request.ts";
import type { Framing } from "../protocol/codec.ts";
import type { AttemptContext } from "../upstream/context.ts";
import { proofsOf } from "./view.ts";
import { refusedLoss, type Visit } from "./visit.ts";

/** What the attempt stage may use: no key, no privacy, nothing to settle with. */
export function attemptContext(
  visit: Visit,
  http: globalThis.Request,
  head: CallHead,
): AttemptContext {
  const { gateway, dialect, attempts } = visit;
  return {
    clock: gateway.runtime.clock,
    random: gateway.runtime.random,
    dialect,
    dialects: gateway.dialects,
    requestId: visit.id,
    translation: {
      proofs: proofsOf(visit),
      framing: framingOf(head),
      refuse: refusedLoss(visit, http.headers.get("x-interlock-strict")),
      hidesLosses: gateway.config.stealth,
    },
    egressOf: gateway.egressOf,
    failover: gateway.config.failover,
    relay: gateway.config.relay,
    userAgent: gateway.userAgent,
    clientHeaders: http.headers,
    method: http.method,
    client: http.signal,
    facts: attempts,
  };
}

/** Gemini streams one JSON array unless asked for events: features.md b-R22. */
function framingOf({ tail, query, stream }: CallHead): Framing {
  const isGemini = stream === true && tail.includes(":streamGenerateContent");
  return isGemini && !/(?:^|&)alt=sse(?:&|$)/.test(query) ? "json-array" : "events";
}
