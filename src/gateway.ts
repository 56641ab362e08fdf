import type { Privacy } from "./core/privacy.ts";
import { Rejection } from "./core/rejection.ts";
import type { AnyRequest, Request } from "./core/request.ts";
import type { Pool } from "./core/pool.ts";
import { answerProbe, isProbe } from "./gateway/probes.ts";
import { answerModels } from "./gateway/models.ts";
import { findCallFor } from "./gateway/named.ts";
import { answerTranslate } from "./gateway/translate.ts";
import type { Gateway } from "./gateway/assemble.ts";
import { deliver } from "./gateway/deliver.ts";
import { refuse } from "./gateway/refuse.ts";
import { admit } from "./gateway/admit.ts";
import { attemptContext } from "./gateway/attempt-context.ts";
import { begin, bodyOptions, settle } from "./gateway/visit.ts";
import { routesOf } from "./gateway/view.ts";

import { accept, type Front, readBody, readCall } from "./ingress/accept.ts";
import { authenticate } from "./ingress/authenticate.ts";
import { classify } from "./ingress/classify.ts";
import { nameIn } from "./ingress/path.ts";
import { onlyCalls, prove, unknown } from "./ingress/signature.ts";
import { decide } from "./router/decide.ts";
import { findTarget, renamed, type Target } from "./router/routes.ts";
import { attempt } from "./upstream/attempt.ts";
import type { AttemptContext } from "./upstream/context.ts";
import type { Committed } from "./upstream/committed.ts";

/**
 * One request, top to bottom: accept, authenticate, classify, admit, route, attempt, relay, settle.
 *
 * It waits for the client's body, the upstream's first event and, in the relay, its next chunk.
 */
export async function handle(
  gateway: Gateway,
  http: globalThis.Request,
  front: Front,
): Promise<Response> {
  const visit = begin(gateway, http.headers);

  const arrival = accept(http, gateway.config.server);
  if (arrival instanceof Rejection) return refuse(visit, arrival);
  visit.dialect = gateway.dialects[arrival.dialect];
  const { route, query } = arrival;
  if (isProbe(route)) return answerProbe(gateway, route, { query, headers: http.headers });

  if (!gateway.governor.allows(front.address())) return refuse(visit, new Rejection(FLOOD));
  const key = authenticate(http.headers, gateway.keys, { query, named: nameIn(route) });
  if (key instanceof Rejection) return refuse(visit, key);
  visit.key = key.claim === undefined ? key : undefined; // Whose it is, its signature will say.
  if (key.claim !== undefined && route.kind !== "call") return refuse(visit, onlyCalls());
  if (route.kind === "models") return answerModels(gateway, visit, route);
  if (route.kind === "translate") return answerTranslate(visit, http, front);
  const routes = routesOf(gateway, key);
  const asked = findCallFor(gateway, route, { method: http.method, routes });
  if (asked instanceof Rejection) return refuse(visit, key.claim ? unknown() : asked);
  visit.dialect = gateway.dialects[asked.dialect];

  const options = bodyOptions(visit, front, { head: asked.head, http });
  const body = await readBody(http, options);
  if (body instanceof Rejection) return refuse(visit, body);
  const unproven = key.claim && prove(key.claim, http, { body, at: gateway.keys.wall() });
  if (unproven !== undefined) return refuse(visit, unproven);
  visit.key = key;
  front.setIdleTimeout(0); // From here on the attempt and the relay have their own clocks.

  const call = readCall(body, asked.head, options);
  if (call instanceof Rejection) return refuse(visit, call);
  const envelope = asked.named === undefined ? call.envelope : renamed(call.envelope, asked.named);
  visit.model = envelope.model;
  visit.bodyBytes = body.byteLength;
  visit.streamed = envelope.stream;

  const target = findTarget(routes, { model: envelope.model, key, named: asked.named });
  if (target instanceof Rejection) return refuse(visit, target);
  visit.target = target;

  const request = classify(
    { envelope, body },
    {
      fallback: gateway.config.privacy.default,
      key: key.privacy,
      target: target.privacy,
      header: http.headers.get("x-privacy"),
      body: call.privacyMark,
    },
  );
  visit.privacy = request.privacy;

  const permit = admit(visit, request.envelope, target);
  if (permit instanceof Rejection) return refuse(visit, permit);
  visit.permit = permit;

  try {
    const committed = await commit(request, target, attemptContext(visit, http, asked.head));
    if (committed instanceof Rejection) return refuse(visit, committed);
    // From here on nothing can retry: `deliver` has no request, no plan and no pool.
    return deliver(visit, committed, http.signal);
  } catch (bug) {
    settle(visit, { kind: "bug" }); // Or its slot is gone for good.
    throw bug;
  }
}

/** Told before any key is looked at, so it says nothing of one. */
const FLOOD = { kind: "rate_limited", limit: "rpm", retryAfterMs: 5000 } as const;

/** The only branch on privacy. The arms are the same; the types are not. */
function commit(
  request: AnyRequest,
  target: Target,
  context: AttemptContext,
): Promise<Committed | Rejection> | Rejection {
  switch (request.privacy) {
    case "private":
      return routeAndAttempt(request, target.private, context);
    case "shareable":
      return routeAndAttempt(request, target.shareable, context);
  }
}

function routeAndAttempt<P extends Privacy>(
  request: Request<P>,
  pool: Pool<P>,
  context: AttemptContext,
): Promise<Committed | Rejection> | Rejection {
  const plan = decide(pool, request.envelope, context.random);
  if (plan instanceof Rejection) return plan;
  return attempt(request, plan.lanes, context);
}
