import { budgetLimit } from "../../../src/state/slab/budget.ts";
import type { Limit } from "../../../src/state/slab/holds.ts";
import type { SlabSizes } from "../../../src/state/slab/layout.ts";
import { requestLimit, tokenLimit } from "../../../src/state/slab/rate.ts";
import type { Slab } from "../../../src/state/slab/slab.ts";
import { slotLimit } from "../../../src/state/slab/slots.ts";
import { DAY, type EveryLimit } from "./fixture.ts";

// What the processes that share a slab in these suites agree on.

/** What a worker is told to do. */
export type Order =
  | {
      readonly do: "race";
      readonly races: number;
      readonly runners: number;
      readonly runner: number;
    }
  | { readonly do: "churn"; readonly seed: number }
  | { readonly do: "sweep" }
  | { readonly do: "take"; readonly count: number };

export const FLEET: SlabSizes = {
  limitRows: 32_768,
  records: 16_384,
  stations: 12,
  ringBytes: 65_536,
  factBytes: 64,
  metricCells: 64,
  guardWidth: 16,
};

/** The limits that churning workers share. Slots are few, so much that was taken is given back. */
export function fleetLimits(slab: Slab): EveryLimit {
  const periodAt = (wall: number): number => Math.floor(wall / DAY);
  const money = { unit: "nano", max: 9e15, scheme: "daily", periodAt } as const;
  const window = { unit: "tokens", max: 9e15, scheme: "rolling", periodAt, buckets: 3 } as const;
  return {
    requests: requestLimit(slab, "fleet", { perMinute: 3.75e9 }),
    tokens: tokenLimit(slab, "fleet", { perMinute: 3.75e9, burst: 1e15 }),
    slots: slotLimit(slab, "fleet", 9),
    money: budgetLimit(slab, "fleet", money),
    window: budgetLimit(slab, "fleet", window),
  };
}

export type RaceKind = "requests" | "slots" | "budget" | "aborted";
const KINDS: readonly RaceKind[] = ["budget", "requests", "slots", "aborted"];

/** Race number `each`: 2 to 200 calls at once for 1 to as many places. */
export function raceOf(each: number): Race {
  const calls = 2 + ((Math.imul(each, 40_503) >>> 4) % 199);
  const max = 1 + ((Math.imul(each, 30_011) >>> 3) % calls);
  return { kind: KINDS[each % KINDS.length]!, calls, max };
}
export interface Race {
  readonly kind: RaceKind;
  readonly calls: number;
  readonly max: number;
}

export function limitOf(slab: Slab, race: Omit<Race, "calls"> & { readonly name: string }): Limit {
  const { kind, max, name } = race;
  if (kind === "requests") return requestLimit(slab, name, { perMinute: max });
  if (kind === "slots") return slotLimit(slab, name, max);
  const periodAt = (): number => 0;
  return budgetLimit(slab, name, { unit: "nano", max: max * 10, scheme: "total", periodAt });
}
