import type { Ms } from "../core/units.ts";
import type { Committed } from "../upstream/committed.ts";
import type { Visit } from "./visit.ts";

/** Adds to an answer's headers a name for it and, unless told to hide, its way and its time. */
export function addOwnHeaders(
  headers: Record<string, string>,
  visit: Visit,
  committed?: Committed,
): Record<string, string> {
  const { config, governor, runtime } = visit.gateway;
  if (governor.draining) headers["connection"] = "close";
  if (config.stealth) return headers;
  headers["x-request-id"] = visit.id;
  const totalMs = runtime.clock.now() - visit.startedAt;
  if (committed === undefined) {
    headers["server-timing"] = `gateway;dur=${brief(totalMs)}`;
    return headers;
  }
  const upstreamMs = visit.attempts.at(-1)?.firstEventMs ?? 0;
  const ownMs = Math.max(0, totalMs - upstreamMs);
  headers["server-timing"] = `gateway;dur=${brief(ownMs)}, upstream;dur=${brief(upstreamMs)}`;
  const { lane, attempts } = committed;
  const via = `${visit.target?.label ?? lane.model}/${lane.model}@${lane.backend.name}`;
  headers["x-interlock-route"] = attempts > 1 ? `${via}; attempts=${attempts}` : via;
  return headers;
}

/** Milliseconds to a hundredth; `toFixed` costs more than the rest of the header. */
function brief(ms: Ms): number {
  return Math.round(ms * 100) / 100;
}
