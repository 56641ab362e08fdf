import type { Fault } from "../core/fault.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Lane } from "../core/pool.ts";
import type { Placement } from "../core/privacy.ts";
import type { Envelope } from "../core/request.ts";
import type { Ms } from "../core/units.ts";
import type { MeteredUsage } from "../core/usage.ts";
import type { Settled } from "../governor/limit-book.ts";
import type { Target } from "../router/routes.ts";
import {
  type AttemptFact,
  FACT_BYTES_MAX,
  NO_USAGE,
  plainName,
  type UsageFact,
} from "../state/ledger/facts.ts";
import { encodeSold, encodeWhose } from "../state/ledger/orphan.ts";
import { encodeEntry } from "../state/ledger/wire.ts";
import { billable } from "../state/rate-card/usage.ts";
import { statusOfOutcome } from "../telemetry/settled.ts";
import { nameFor } from "../upstream/prepare.ts";
import type { Visit } from "./visit.ts";

const NO_BYTES = new Uint8Array();

/**
 * What says whose request it is from when it is admitted, for the fact of one whose process is
 * killed. Gives it the name that its fact has in the ledger, whoever writes it.
 */
export function tagOf(visit: Visit, envelope: Envelope, target: Target): Uint8Array {
  const { gateway, key, dialect } = visit;
  const [lane] = target.shareable.lanes;
  if (lane === undefined) return NO_BYTES; // Nobody will be asked: there is nothing to tell of.
  visit.factId = visit.isNamed ? gateway.runtime.random.hex(12) : visit.id;
  return encodeWhose({
    id: visit.factId,
    requestId: visit.id,
    tenant: key?.tenant?.id,
    key: key?.id,
    requestedModel: requestedOf(visit),
    protocol: dialect.id,
    privacy: visit.privacy,
    stream: visit.streamed,
    card: gateway.card.version,
    sold: { provider: lane.backend.name, model: plainName(nameFor(lane, envelope)) },
  });
}

/** Adds who answers, once that is known: a stream may be killed long after. */
export function noteLane(visit: Visit, lane: Lane<Placement>): void {
  const { permit, factId } = visit;
  if (factId === undefined) return;
  const billed = plainName(billedOf(visit, lane));
  permit?.annotate(encodeSold({ provider: lane.backend.name, model: billed }));
}

/** What the ledger keeps of a request for which somebody was asked, as bytes for a ring. */
export function factOf(
  visit: Visit,
  outcome: Outcome,
  charge: Settled | undefined,
): Uint8Array | undefined {
  const { gateway, factId, attempts } = visit;
  if (factId === undefined || attempts.length === 0) return undefined;
  const at = Math.floor(gateway.wall());
  const delivery = "delivery" in outcome ? outcome.delivery : undefined;
  const lane = delivery?.lane ?? attempts.at(-1)!.lane;
  const answered = outcome.kind === "answered" ? outcome.delivery.usage : undefined;
  const fact: UsageFact = {
    id: factId,
    requestId: visit.id,
    at,
    tenant: visit.key?.tenant?.id,
    key: visit.key?.id,
    requestedModel: requestedOf(visit),
    billedModel: billedOf(visit, lane),
    provider: lane.backend.name,
    protocol: visit.dialect.id,
    privacy: visit.privacy,
    stream: visit.streamed,
    usage: answered === undefined ? NO_USAGE : billable(answered),
    provenance: answered?.provenance ?? "reported",
    status: statusOfOutcome(outcome),
    latencyMs: Math.max(0, Math.round(gateway.runtime.clock.now() - visit.startedAt)),
    firstEventMs: delivery && Math.max(0, Math.round(delivery.firstEventMs)),
    attempts: attempts.length,
    chargedNano: BigInt(charge?.nano ?? 0),
    card: gateway.card.version,
  };
  return encodeEntry({ fact, attempts: attemptsOf(visit, at, answered) }, FACT_BYTES_MAX);
}

function attemptsOf(visit: Visit, at: Ms, answered: MeteredUsage | undefined): AttemptFact[] {
  const facts: AttemptFact[] = [];
  const { attempts } = visit;
  for (let index = 0; index < attempts.length; index++) {
    const { lane, fault, firstEventMs } = attempts[index]!;
    const isLast = index === attempts.length - 1;
    const used = fault === undefined && isLast ? answered : undefined;
    facts.push({
      n: index + 1,
      at,
      provider: lane.backend.name,
      model: billedOf(visit, lane),
      fault: fault?.kind,
      cost: used?.provenance ?? costOfFailure(fault),
      usage: used === undefined ? NO_USAGE : billable(used),
      firstEventMs: firstEventMs === undefined ? undefined : Math.max(0, Math.round(firstEventMs)),
    });
  }
  return facts;
}

function requestedOf({ model, target }: Visit): string {
  const asked = model === undefined ? "" : plainName(model);
  return asked === "" ? (target?.label ?? "") : asked;
}

function billedOf({ model }: Visit, lane: Lane<Placement>): string {
  return lane.upstreamModel ?? model ?? "";
}

/** What was sent and not answered in HTTP's words may have run: reliability.md §3.3. */
function costOfFailure(fault: Fault | undefined): "none" | "unknown" {
  switch (fault?.kind) {
    case undefined:
    case "protocol":
      return "unknown";
    case "network":
      return fault.sent ? "unknown" : "none";
    case "timeout":
      return fault.phase === "connect" ? "none" : "unknown";
    case "rate_limited":
    case "overloaded":
    case "server_error":
    case "tls":
    case "redirect":
    case "address_refused":
    case "auth":
    case "billing":
    case "context_length":
    case "not_now":
    case "client_error":
      return "none";
  }
}
