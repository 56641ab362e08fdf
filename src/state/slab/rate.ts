import { type Actor, valueAt } from "./actor.ts";
import { KIND, ROW } from "./layout.ts";
import { rowWord, type Slab } from "./slab.ts";
import { limitRow } from "./limit-row.ts";

/**
 * So many requests or tokens a minute, as GCRA: one theoretical arrival time for the whole machine.
 * Times are ticks of 16 ns on the machine's monotonic clock, which a double counts exactly for
 * four years, and less finely after that.
 */
export interface RateLimit {
  readonly kind: typeof KIND.requests | typeof KIND.tokens;
  readonly row: number;
  /** Ticks that one request or token takes; a single-precision number, as records keep it. */
  readonly emission: number;
  /** Ticks that may be taken at once. */
  readonly burst: number;
}

export interface RateSpec {
  readonly perMinute: number;
  /** How many may come at once; a minute's worth when not said. */
  readonly burst?: number | undefined;
}

/** What `x-ratelimit-*` says. */
export interface RateLevel {
  readonly remaining: number;
  /** Until all of the burst is there again. */
  readonly resetNs: number;
}

const TICK_NS = 16;
const MINUTE_TICKS = 60e9 / TICK_NS;

/** A limit of requests a minute. */
export function requestLimit(slab: Slab, subject: string, spec: RateSpec): RateLimit {
  // Whole ticks, so that a burst of n is n requests to the tick.
  const emission = Math.max(1, Math.ceil(Math.fround(MINUTE_TICKS / spec.perMinute)));
  return rateLimit(slab, subject, { ...spec, kind: KIND.requests, emission });
}

/** A limit of tokens a minute: the estimate is reserved, the truth settled. */
export function tokenLimit(slab: Slab, subject: string, spec: RateSpec): RateLimit {
  const emission = Math.fround(MINUTE_TICKS / spec.perMinute);
  return rateLimit(slab, subject, { ...spec, kind: KIND.tokens, emission });
}

interface RateParts extends RateSpec, Pick<RateLimit, "kind" | "emission"> {}

function rateLimit(slab: Slab, subject: string, parts: RateParts): RateLimit {
  const { kind, emission, perMinute, burst = perMinute } = parts;
  if (!(perMinute > 0 && burst > 0 && perMinute < Infinity)) {
    throw new Error(`a rate of ${perMinute} a minute, ${burst} at once`);
  }
  const name = kind === KIND.requests ? "requests" : "tokens";
  const row = limitRow(slab, `${name} ${subject}`, { kind, shared: kind });
  return { kind, row, emission, burst: ticksOf(burst, emission) };
}

/** The instant in ticks. */
export function tickOf(nowNs: bigint): number {
  return Math.floor(Number(nowNs) / TICK_NS);
}

/** What so many requests or tokens take. */
export function ticksOf(cost: number, emission: number): number {
  return Math.ceil(cost * emission);
}

/** Takes at the actor's tick; false when it is too early, and `excess` is by how many ticks. */
export function takeRate(actor: Actor, limit: RateLimit, cost: number): boolean {
  actor.floor = actor.now;
  actor.delta = ticksOf(cost, limit.emission);
  actor.ceiling = actor.now + limit.burst;
  return actor.move(rowWord(actor.slab, limit.row) + ROW.value);
}

/** How long to wait before what was just refused can be taken; undefined when it never can. */
export function waitNs(actor: Actor, limit: RateLimit, cost: number): number | undefined {
  if (ticksOf(cost, limit.emission) > limit.burst) return undefined;
  return actor.excess * TICK_NS;
}

/** How much of a limit is left. */
export function peekRate(slab: Slab, limit: RateLimit, nowNs: bigint): RateLevel {
  const now = tickOf(nowNs);
  const arrival = Math.max(valueAt(slab, rowWord(slab, limit.row) + ROW.value), now);
  const remaining = Math.floor((now + limit.burst - arrival) / limit.emission);
  return { remaining: Math.max(0, remaining), resetNs: (arrival - now) * TICK_NS };
}
