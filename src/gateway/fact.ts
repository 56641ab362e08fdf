import type { Outcome } from "../core/outcome.ts";
import type { Ms } from "../core/units.ts";
import type { Settled } from "../governor/limit-book.ts";
import { type AttemptFact, type Entry, NO_USAGE, plainName } from "../state/ledger/facts.ts";
import { billable } from "../state/rate-card/usage.ts";
import { statusOfOutcome } from "../telemetry/settled.ts";
import type { Visit } from "./visit.ts";

/** What the ledger keeps of a request that was answered; undefined of one that was not. */
export function entryOf(
  visit: Visit,
  outcome: Outcome,
  { charge, wall }: { readonly charge: Settled | undefined; readonly wall: Ms },
): Entry | undefined {
  if (outcome.kind !== "answered") return undefined;
  const { gateway, key, target } = visit;
  const { lane, usage, firstEventMs, attempts } = outcome.delivery;
  const asked = plainName(visit.model ?? "");
  const billed = plainName(lane.upstreamModel ?? visit.model ?? "");
  const used = billable(usage);
  return {
    fact: {
      id: gateway.runtime.random.hex(16),
      requestId: visit.id,
      at: Math.floor(wall),
      tenant: undefined,
      key: key?.id,
      requestedModel: asked === "" ? (target?.label ?? "") : asked,
      billedModel: billed,
      provider: lane.backend.name,
      protocol: visit.dialect.id,
      privacy: visit.privacy,
      stream: visit.streamed,
      usage: used,
      provenance: usage.provenance,
      status: statusOfOutcome(outcome),
      latencyMs: Math.max(0, Math.round(gateway.runtime.clock.now() - visit.startedAt)),
      firstEventMs: Math.max(0, Math.round(firstEventMs)),
      attempts,
      chargedNano: BigInt(charge?.nano ?? 0),
      card: gateway.card.version,
    },
    attempts: visit.attempts.map((attempt, index): AttemptFact => {
      const answered = attempt.fault === undefined && index === visit.attempts.length - 1;
      return {
        n: index + 1,
        at: Math.floor(wall),
        provider: attempt.lane.backend.name,
        model: plainName(attempt.lane.upstreamModel ?? visit.model ?? ""),
        fault: attempt.fault?.kind,
        cost: answered ? usage.provenance : costOfFailure(attempt.fault?.kind),
        usage: answered ? used : NO_USAGE,
        firstEventMs:
          attempt.firstEventMs === undefined ? undefined : Math.round(attempt.firstEventMs),
      };
    }),
  };
}

/** What was sent and never answered may have run all the same: reliability.md §3.3. */
function costOfFailure(fault: string | undefined): "none" | "unknown" {
  return fault === "timeout" || fault === "network" ? "unknown" : "none";
}
