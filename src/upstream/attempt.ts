import { dispositionOf, type Fault } from "../core/fault.ts";
import type { Lane } from "../core/pool.ts";
import type { Admits, Placement, Privacy } from "../core/privacy.ts";
import { Rejection } from "../core/rejection.ts";
import type { Request } from "../core/request.ts";
import type { Chunk, Ms } from "../core/units.ts";
import { translate, type Translation } from "../protocol/translate/translate.ts";
import { spliceAll } from "../wire/json-splice.ts";
import { capabilitiesOf } from "./capabilities.ts";
import type { Committed } from "./committed.ts";
import type { AttemptContext, Failed } from "./context.ts";
import { editsFor, nameFor, wireOf } from "./prepare.ts";
import { type Prepared, tryLane } from "./try-lane.ts";

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
  let unsayable: Rejection | undefined;
  let attempts = 0;
  let unansweredMax = 1;
  let failed: Attempted | undefined;
  for (const lane of tries) {
    if (failed !== undefined && !mayTryAgain(failed.fault, lanes.length === 1)) break;
    if (failed !== undefined && failsAlike(lane, failed)) continue;
    if (attempts >= context.failover.attemptsMax) break;
    if (attempts > 0 && spent(context, startedAt) > context.failover.deadlineMs) break;
    const prepared = prepare(request, lane, context);
    if (prepared instanceof Rejection) {
      unsayable ??= prepared; // Another lane may speak the caller's own protocol.
      continue;
    }
    attempts++;
    const since = context.clock.now();
    const tried = await tryLane(prepared, lane, context);
    if ("kind" in tried) {
      const firstEventMs = tried.firstEventAt - since;
      context.facts.push({ lane, fault: undefined, firstEventMs });
      return tried;
    }
    const fault = context.client.aborted ? undefined : tried.fault;
    context.facts.push({ lane, fault, firstEventMs: undefined });
    if (fault === undefined) return new Rejection({ kind: "client_gone" });
    failed = { lane, fault };
    last = worthMore(last, tried);
    const disposition = dispositionOf(tried.fault);
    if (disposition.next === "relay_to_client") break;
    if (disposition.next === "try_next_once" && unansweredMax-- === 0) break;
  }
  if (last !== undefined) {
    return last.answer ?? new Rejection({ kind: "upstream_failed", fault: last.fault, attempts });
  }
  if (unsayable === undefined) throw new Error("a plan without lanes");
  return unsayable;
}

interface Attempted {
  readonly lane: Lane<Placement>;
  readonly fault: Fault;
}

/** A window no larger does not hold the prompt either; a host that was forged is that for all. */
function failsAlike(lane: Lane<Placement>, { lane: before, fault }: Attempted): boolean {
  if (fault.kind === "tls") return lane.backend.baseUrl.host === before.backend.baseUrl.host;
  if (fault.kind !== "context_length") return false;
  const [there, here] = [before.contextMax, lane.contextMax];
  return there !== undefined && here !== undefined && here <= there;
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

/** What this lane gets: the bytes as they came, but for a name and a question; or a translation. */
function prepare<P extends Privacy>(
  request: Request<P>,
  lane: Lane<Admits<P>>,
  context: AttemptContext,
): Prepared<P> | Rejection {
  const wire = context.dialects[wireOf(lane, context.dialect.id)];
  const { head, carriesProofs } = request.envelope;
  const isForeign = wire.id !== context.dialect.id || carriesProofs === true;
  if (isForeign && head.verbatim !== true && head.operation === "chat") {
    return translated(request, lane, { ...context, wire });
  }
  const edits = editsFor(request.envelope, lane, { dialect: wire, relay: context.relay });
  const sent = edits === undefined ? request : request.map((body) => spliceAll(body, edits(body)));
  return { request: sent, wire, translation: undefined };
}

function translated<P extends Privacy>(
  request: Request<P>,
  lane: Lane<Admits<P>>,
  context: AttemptContext & Pick<Prepared<P>, "wire">,
): Prepared<P> | Rejection {
  const { dialect: from, wire: to, requestId, translation: options, clock } = context;
  const { envelope } = request;
  const model = nameFor(lane, envelope);
  let translation: Translation | Rejection | undefined;
  const sent = request.map((body) => {
    translation = translate(body, {
      ...{ from, to, requestId, ...options },
      head: { model: envelope.model, stream: envelope.stream },
      model,
      capabilities: capabilitiesOf(lane, { wire: to, model }),
      createdAt: Math.floor(clock.wall() / 1000),
    });
    return translation instanceof Rejection ? NOTHING : translation.body;
  });
  if (translation instanceof Rejection) return translation;
  return { request: sent, wire: to, translation };
}

const NOTHING: Chunk = new Uint8Array();
