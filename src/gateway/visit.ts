import type { StreamFailure } from "../config/config.ts";
import type { RequestId } from "../core/ids.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Privacy } from "../core/privacy.ts";
import type { Bytes, Ms } from "../core/units.ts";
import type { Permit } from "../governor/governor.ts";
import type { Settled } from "../governor/limit-book.ts";
import type { BodyOptions, Front } from "../ingress/accept.ts";
import type { Key } from "../ingress/authenticate.ts";
import type { CallHead } from "../core/request.ts";
import type { Dialect } from "../protocol/dialect.ts";
import type { Severity } from "../protocol/ir/loss.ts";
import type { Target } from "../router/routes.ts";
import { logRequest, requestLine } from "../telemetry/log-line.ts";
import { recordRequest } from "../telemetry/record.ts";
import type { AttemptFact, SettledRequest } from "../telemetry/settled.ts";
import type { Gateway } from "./assemble.ts";
import type { Bound, Priced } from "./stream-rules.ts";
import { marked, settledOf } from "./cost.ts";
import { factOf } from "./fact.ts";
import { labelOf } from "./view.ts";

/**
 * One request on its way through the stages: what each of them learnt about it. A stream keeps it
 * to its end, so it holds nothing of the client's request itself.
 */
export interface Visit {
  readonly gateway: Gateway;
  readonly id: RequestId;
  /** The client chose the id: another request may have the same. */
  readonly isNamed: boolean;
  readonly startedAt: Ms;
  readonly attempts: AttemptFact[];
  dialect: Dialect;
  key: Key | undefined;
  /** The model as the caller wrote it; for its own eyes and the log, never a label. */
  model: string | undefined;
  target: Target | undefined;
  privacy: Privacy | undefined;
  bodyBytes: Bytes;
  streamed: boolean;
  permit: Permit | undefined;
  /** Its fact's name in the ledger, from when it is admitted; undefined where nobody keeps one. */
  factId: string | undefined;
  /** What it was admitted by, where a running answer is held to that. */
  asked: Priced | undefined;
  /** All that was used of its budgets before one of them ended its answer. */
  bound: Bound | undefined;
  settled: boolean;
}

/** A client may name its request, so that its logs and ours meet; anything else is replaced. */
const CLIENT_ID = /^[\w.-]{8,128}$/;

export function begin(gateway: Gateway, headers: Headers): Visit {
  const { clock, random } = gateway.runtime;
  const given = headers.get("x-request-id");
  const isNamed = given !== null && CLIENT_ID.test(given);
  return {
    gateway,
    id: isNamed ? given : `req_${random.hex(12)}`,
    isNamed,
    startedAt: clock.now(),
    attempts: [],
    dialect: gateway.dialects.openai,
    key: undefined,
    model: undefined,
    target: undefined,
    privacy: undefined,
    bodyBytes: 0,
    streamed: false,
    permit: undefined,
    factId: undefined,
    asked: undefined,
    bound: undefined,
    settled: false,
  };
}

/** What reading this visit's body needs. */
export function bodyOptions(
  { gateway, dialect }: Visit,
  front: Front,
  { head, http }: { readonly head: CallHead; readonly http: globalThis.Request },
): BodyOptions {
  return {
    server: gateway.config.server,
    clock: gateway.runtime.clock,
    dialect,
    front,
    operation: head.operation,
    type: http.headers.get("content-type"),
  };
}

/** What a request's key is charged: what was delivered to it, and nothing for what was not. */
function chargeOf({ gateway, key, model, bound }: Visit, outcome: Outcome): Settled | undefined {
  if (outcome.kind !== "answered") return undefined;
  const { lane } = outcome.delivery;
  const wall = gateway.runtime.clock.wall();
  const billed = lane.upstreamModel ?? model ?? "";
  const settled = settledOf(outcome.delivery, { model: billed, card: gateway.card, wall });
  const charged = { ...settled, nano: marked(settled.nano, key) };
  return bound === undefined ? charged : within(charged, bound);
}

/** An answer that was ended for its budget is never charged more than was reserved for it. */
function within(settled: Settled, bound: Bound): Settled {
  const tokens = Math.min(settled.tokens, bound.tokens);
  return { ...settled, tokens, nano: Math.min(settled.nano, bound.nano) };
}

/** What a broken stream looks like to this caller: its key's word, its pool's, the default. */
export function streamFailureOf(visit: Visit): StreamFailure {
  return (
    visit.key?.streamFailure ??
    visit.target?.streamFailure ??
    visit.gateway.config.relay.streamFailure
  );
}

/** The least loss that ends this caller's request: its key's word, its pool's, the default. */
export function refusedLoss(visit: Visit, strict: string | null): Severity | undefined {
  const { config } = visit.gateway;
  const onLoss = visit.key?.onLoss ?? visit.target?.onLoss ?? config.relay.onLoss;
  if (strict === "semantic" || strict === "degraded") return strict; // A caller may only tighten.
  switch (onLoss) {
    case "allow":
      return undefined;
    case "warn":
      return "refuse";
    case "refuse":
      return "semantic";
  }
}

/**
 * The end of a request, whatever it was: metrics, one log line, its slot given back.
 *
 * @throws when a request ends twice.
 */
export function settle(visit: Visit, outcome: Outcome): void {
  if (visit.settled) throw new Error("a request settled twice");
  visit.settled = true;
  const charge = chargeOf(visit, outcome);
  visit.permit?.release(charge, factOf(visit, outcome, charge));
  const { runtime, recorder } = visit.gateway;
  const at = runtime.clock.now();
  const settled: SettledRequest = {
    id: visit.id,
    outcome,
    at,
    durationMs: at - visit.startedAt,
    dialect: visit.dialect.id,
    key: visit.key?.id,
    tenant: visit.key?.tenant?.id,
    label: labelOf(visit),
    privacy: visit.privacy,
    asked: visit.model,
    streamFailure: streamFailureOf(visit),
    attempts: visit.attempts,
  };
  const names = recordRequest(recorder, settled);
  logRequest(runtime.log, requestLine(settled, names));
}
