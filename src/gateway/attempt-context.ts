import type { RelayConfig } from "../config/config.ts";
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
    relay: relayOf(visit),
    userAgent: gateway.userAgent,
    clientHeaders: http.headers,
    own: visit.key?.own,
    method: http.method,
    client: http.signal,
    facts: attempts,
  };
}

/** Nobody's usage is asked for with a key that is not ours: features.md conflict 12. */
function relayOf({ gateway, key }: Visit): RelayConfig {
  const { relay } = gateway.config;
  return key?.own === undefined ? relay : { ...relay, injectIncludeUsage: false };
}

/** Gemini streams one JSON array unless asked for events: features.md b-R22. */
function framingOf({ tail, query, stream }: CallHead): Framing {
  const isGemini = stream === true && tail.includes(":streamGenerateContent");
  return isGemini && !/(?:^|&)alt=sse(?:&|$)/.test(query) ? "json-array" : "events";
}
