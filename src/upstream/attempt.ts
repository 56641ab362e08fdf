import { dispositionOf, type Fault } from "../core/fault.ts";
import type { Lane } from "../core/pool.ts";
import type { Admits, Privacy } from "../core/privacy.ts";
import { Rejection } from "../core/rejection.ts";
import type { Request } from "../core/request.ts";
import type { Ms } from "../core/units.ts";
import { spliceAll } from "../wire/json-splice.ts";
import type { Committed } from "./committed.ts";
import type { AttemptContext, Failed } from "./context.ts";
import { editsFor } from "./prepare.ts";
import { tryLane } from "./try-lane.ts";

/**
 * Tries the plan's lanes in order until one commits. Everything before the first upstream event may
 * go to the next lane; a request that was sent and not answered goes to one more at most.
 */
export async function attempt<P extends Privacy>(
  request: Request<P>,
  lanes: readonly Lane<Admits<P>>[],
  context: AttemptContext,
): Promise<Committed | Rejection> {
  const startedAt = context.clock.now();
  const tries = lanes.length === 1 ? [lanes[0]!, lanes[0]!] : lanes;
  let last: Failed | undefined;
  let attempts = 0;
  let unansweredMax = 1;
  for (const lane of tries) {
    if (attempts > 0 && !mayTryAgain(last!.fault, lanes.length === 1)) break;
    if (attempts >= context.failover.attemptsMax) break;
    if (attempts > 0 && spent(context, startedAt) > context.failover.deadlineMs) break;
    attempts++;
    const since = context.clock.now();
    const tried = await tryLane(prepare(request, lane, context), lane, context);
    if ("kind" in tried) {
      const firstEventMs = tried.firstEventAt - since;
      context.facts.push({ lane, fault: undefined, firstEventMs });
      return tried;
    }
    const fault = context.client.aborted ? undefined : tried.fault;
    context.facts.push({ lane, fault, firstEventMs: undefined });
    if (fault === undefined) return new Rejection({ kind: "client_gone" });
    last = worthMore(last, tried);
    const disposition = dispositionOf(tried.fault);
    if (disposition.next === "relay_to_client") break;
    if (disposition.next === "try_next_once" && unansweredMax-- === 0) break;
  }
  if (last === undefined) throw new Error("a plan without lanes");
  return last.answer ?? new Rejection({ kind: "upstream_failed", fault: last.fault, attempts });
}

/** The failure to tell the caller of: words that may be passed on, and the soonest retry. */
function worthMore(earlier: Failed | undefined, later: Failed): Failed {
  if (earlier === undefined) return later;
  const answer = later.answer ?? earlier.answer;
  const [before, after] = [earlier.fault, later.fault];
  if (before.kind !== "rate_limited" || after.kind !== "rate_limited") return { ...later, answer };
  const waits = [before.retryAfterMs ?? Infinity, after.retryAfterMs ?? Infinity];
  const soonest = Math.min(...waits);
  return { fault: { ...after, retryAfterMs: soonest === Infinity ? undefined : soonest }, answer };
}

/** A lone lane is asked again only when the connection failed, as a stale pooled one does. */
function mayTryAgain(fault: Fault, alone: boolean): boolean {
  return !alone || (fault.kind === "network" && fault.sent);
}

function spent(context: AttemptContext, startedAt: Ms): Ms {
  return context.clock.now() - startedAt;
}

/** The bytes this lane gets: as they came, but for the model's name and a question for usage. */
function prepare<P extends Privacy>(
  request: Request<P>,
  lane: Lane<Admits<P>>,
  context: AttemptContext,
): Request<P> {
  const edits = editsFor(request.envelope, lane, context);
  return edits === undefined ? request : request.map((body) => spliceAll(body, edits(body)));
}
