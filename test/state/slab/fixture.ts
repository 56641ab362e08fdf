import type { Actor } from "../../../src/state/slab/actor.ts";
import { budgetLimit, type BudgetLimit, peekBudget } from "../../../src/state/slab/budget.ts";
import { readFacts, releaseFacts } from "../../../src/state/slab/facts.ts";
import { recordsTaken } from "../../../src/state/slab/journal.ts";
import type { SlabSizes } from "../../../src/state/slab/layout.ts";
import type { Ask, Truth } from "../../../src/state/slab/limits.ts";
import { slabInMemory } from "../../../src/state/slab/open.ts";
import {
  peekRate,
  requestLimit,
  tokenLimit,
  type RateLimit,
} from "../../../src/state/slab/rate.ts";
import type { Orphan } from "../../../src/state/slab/record.ts";
import type { Slab } from "../../../src/state/slab/slab.ts";
import { type SlotLimit, slotLimit, slotsTaken } from "../../../src/state/slab/slots.ts";
import { joinSlab, ownersOf } from "../../../src/state/slab/stations.ts";
import { sweep, type Swept } from "../../../src/state/slab/sweep.ts";

/** Small enough to make thousands of. */
export const SMALL: SlabSizes = {
  limitRows: 64,
  records: 16,
  stations: 6,
  ringBytes: 1024,
  factBytes: 64,
  metricCells: 64,
  guardWidth: 16,
};
/** An instant at which no time passes: what is taken of a rate then stays visible to the tick. */
export const NOW = 5_000_000_000_000n;
export const DAY = 86_400_000;
const TAG = new Uint8Array(0);

export function smallSlab(sizes: Partial<SlabSizes> = {}): Slab {
  return slabInMemory({ sizes: { ...SMALL, ...sizes }, bootId: "boot", seed: 77n });
}

export function join(slab: Slab, pid: number): Actor {
  const actor = joinSlab(slab, { pid, born: pid });
  if (actor === undefined) throw new Error("no station is free");
  return actor;
}

/** What a request without special wishes asks. */
export function ask(over: Partial<Ask>): Ask {
  return {
    limits: [],
    tokens: 100,
    nano: 1000,
    inputTokens: 10,
    inputNano: 50,
    outputNanoPerMillion: 5_000_000,
    priceKey: 1,
    tag: TAG,
    nowNs: NOW,
    wall: 0,
    ...over,
  };
}

/** The truth of a request, with a fact that says the same. */
export function truth(tokens: number, nano: number): Truth {
  return { tokens, nano, estimated: false, nowNs: NOW, fact: factOf({ tokens, nano }) };
}

export function factOf({ tokens, nano }: Pick<Orphan, "tokens" | "nano">): Uint8Array {
  return new Uint8Array(new Float64Array([tokens, nano]).buffer);
}

export interface Books {
  readonly facts: number;
  readonly tokens: number;
  readonly nano: number;
}

/** Reads and releases every fact of every ring. */
export function drainFacts(slab: Slab): Books {
  let [facts, tokens, nano] = [0, 0, 0];
  for (let station = 0; station < slab.layout.sizes.stations; station++) {
    const read = readFacts(slab, { station, max: Infinity }, (fact) => {
      const numbers = new Float64Array(fact.slice().buffer);
      facts++;
      tokens += numbers[0]!;
      nano += numbers[1]!;
    });
    releaseFacts(slab, read);
  }
  return { facts, tokens, nano };
}

/** One limit of each kind, with room for everything. */
export interface EveryLimit {
  readonly requests: RateLimit;
  readonly tokens: RateLimit;
  readonly slots: SlotLimit;
  readonly money: BudgetLimit;
  readonly window: BudgetLimit;
}

export function everyLimit(slab: Slab): EveryLimit {
  const periodAt = (wall: number): number => Math.floor(wall / DAY);
  return {
    requests: requestLimit(slab, "a", { perMinute: 600_000 }),
    tokens: tokenLimit(slab, "a", { perMinute: 375_000_000 }),
    slots: slotLimit(slab, "a", 1000),
    money: budgetLimit(slab, "a", { unit: "nano", max: 1e15, scheme: "daily", periodAt }),
    window: budgetLimit(slab, "a", {
      unit: "tokens",
      max: 1e15,
      scheme: "rolling",
      periodAt,
      buckets: 3,
    }),
  };
}

export function listOf({ requests, tokens, slots, money, window }: EveryLimit): Ask["limits"] {
  return [requests, tokens, slots, money, window];
}

/** What of a rate is taken, in its own unit, when no time passed. */
export function takenOf(slab: Slab, limit: RateLimit): number {
  return peekRate(slab, limit, NOW).resetNs / 16 / limit.emission;
}

/** What every cell says once nothing is in flight, as far as the books must agree with it. */
export function cellsOf(slab: Slab, limits: EveryLimit): Record<string, number> {
  const money = peekBudget(slab, limits.money);
  const window = peekBudget(slab, limits.window);
  return {
    requests: takenOf(slab, limits.requests),
    tokens: takenOf(slab, limits.tokens),
    slots: slotsTaken(slab, limits.slots),
    spent: money.spent,
    reserved: limits.money.max - money.remaining - money.spent,
    windowSpent: window.spent,
    windowReserved: limits.window.max - window.remaining - window.spent,
    records: recordsTaken(slab),
  };
}

/** The same as the facts say it. */
export function cellsFrom({ facts, tokens, nano }: Books): Record<string, number> {
  return {
    requests: facts,
    tokens,
    slots: 0,
    spent: nano,
    reserved: 0,
    windowSpent: tokens,
    windowReserved: 0,
    records: 0,
  };
}

/** Sweeps, everybody but `living` being dead. */
export function sweepBut(actor: Actor, living: readonly number[]): Swept {
  const swept = sweep(actor, { isAlive: ({ pid }) => living.includes(pid), nowNs: NOW, factOf });
  if (swept === "busy") throw new Error("somebody else sweeps");
  return swept;
}

export function stationsTaken(slab: Slab): number {
  return ownersOf(slab).length;
}
