import type { AttemptContext } from "../upstream/context.ts";
import type { Visit } from "./visit.ts";

/** What the attempt stage may use: no key, no privacy, nothing to settle with. */
export function attemptContext(visit: Visit, http: globalThis.Request): AttemptContext {
  const { gateway, dialect, attempts } = visit;
  return {
    clock: gateway.runtime.clock,
    random: gateway.runtime.random,
    dialect,
    egressOf: gateway.egressOf,
    failover: gateway.config.failover,
    relay: gateway.config.relay,
    userAgent: gateway.userAgent,
    clientHeaders: http.headers,
    client: http.signal,
    facts: attempts,
  };
}
