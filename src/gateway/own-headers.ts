import { plainLabel } from "../config/tenants.ts";
import type { DialectId } from "../core/ids.ts";
import type { Ms } from "../core/units.ts";
import { lossHeader, translatedHeader } from "../protocol/translate/loss-header.ts";
import type { Committed } from "../upstream/committed.ts";
import { wireOf } from "../upstream/prepare.ts";
import { addLimitHeaders } from "./limit-headers.ts";
import type { Visit } from "./visit.ts";

/** Where a protocol's SDKs look for the name of a request, beside ours. */
const REQUEST_ID_OF: { readonly [D in DialectId]?: string } = {
  anthropic: "request-id",
  bedrock: "x-amzn-requestid",
};

/** Adds to an answer's headers a name for it and, unless told to hide, its way and its time. */
export function addOwnHeaders(
  headers: Record<string, string>,
  visit: Visit,
  committed?: Committed,
): Record<string, string> {
  const { config, governor, runtime } = visit.gateway;
  if (governor.draining) headers["connection"] = "close";
  const own = REQUEST_ID_OF[visit.dialect.id];
  if (own !== undefined) headers[own] ??= visit.id;
  addLimitHeaders(headers, visit);
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
  const model = visit.key?.tenant === undefined ? lane.model : plainLabel(lane.model);
  const via = `${visit.target?.label ?? model}/${model}@${lane.backend.name}`;
  headers["x-interlock-route"] = attempts > 1 ? `${via}; attempts=${attempts}` : via;
  addTranslation(headers, visit, committed);
  return headers;
}

/** Tells a caller that its answer was translated, and everything that could not be carried. */
function addTranslation(
  headers: Record<string, string>,
  visit: Visit,
  { lane, translation }: Committed,
): void {
  if (translation === undefined) return;
  const from = visit.dialect.id;
  headers["x-interlock-translated"] = translatedHeader(from, wireOf(lane, from));
  const losses = lossHeader(translation.losses);
  if (losses !== "") headers["x-interlock-loss"] = losses;
}

/** Milliseconds to a hundredth; `toFixed` costs more than the rest of the header. */
function brief(ms: Ms): number {
  return Math.round(ms * 100) / 100;
}
