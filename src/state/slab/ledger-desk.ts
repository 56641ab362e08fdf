import type { Actor } from "./actor.ts";
import { factsWaiting } from "./facts.ts";
import { HEADER, LEDGER } from "./layout.ts";
import type { Slab } from "./slab.ts";
import { type Owner, ownersOf } from "./stations.ts";

// One process at a time brings what is in the rings to the ledger. What it meets there stands in
// the header, for those who admit requests and for who is asked how it goes.

export type LedgerState = (typeof LEDGER)[keyof typeof LEDGER];
export type LedgerCount = "Written" | "Twice" | "Lost" | "Failures" | "Skipped";

/** How the ledger stands and what became of facts so far. */
export interface LedgerView {
  readonly state: LedgerState;
  /** When it stopped taking facts, by the machine's clock; 0 while it takes them. */
  readonly sinceNs: bigint;
  readonly written: number;
  readonly twice: number;
  readonly lost: number;
  readonly failures: number;
  readonly skipped: number;
  /** Bytes of facts that are not in the ledger yet. */
  readonly waitingBytes: number;
}

/**
 * Takes the desk, or answers false while another live process has it, who sees that we wait. It
 * changes hands only when its holder leaves or is dead: two that read one ring at once could give
 * room back that was filled anew.
 */
export function takeDesk(
  { slab, station }: Actor,
  { isAlive }: { readonly isAlive: (owner: Owner) => boolean },
): boolean {
  const { i32 } = slab;
  const mine = station + 1;
  const holder = Atomics.compareExchange(i32, HEADER.ledger, 0, mine);
  if (holder === 0 || holder === mine) return true;
  const owner = ownersOf(slab).find((each) => each.station === holder - 1);
  if (owner === undefined || !isAlive(owner)) {
    if (Atomics.compareExchange(i32, HEADER.ledger, holder, mine) === holder) return true;
  }
  Atomics.store(i32, HEADER.ledgerNext, mine);
  return false;
}

/** Whether another process waits for the desk. */
export function isDeskWanted({ slab, station }: Actor): boolean {
  const next = Atomics.load(slab.i32, HEADER.ledgerNext);
  return next !== 0 && next !== station + 1;
}

/** Lets the next one have it. */
export function leaveDesk({ slab, station }: Actor): void {
  Atomics.store(slab.i32, HEADER.ledgerNext, 0);
  Atomics.compareExchange(slab.i32, HEADER.ledger, station + 1, 0);
}

/** Says whether the ledger takes facts. */
export function tellLedger(slab: Slab, state: LedgerState, nowNs: bigint): void {
  const before = Atomics.load(slab.i32, HEADER.ledgerState);
  if (before === state) return;
  if (before === LEDGER.healthy) Atomics.store(slab.b64, HEADER.ledgerSince / 2, nowNs);
  Atomics.store(slab.i32, HEADER.ledgerState, state);
}

export function ledgerState({ i32 }: Slab): LedgerState {
  return Atomics.load(i32, HEADER.ledgerState) as LedgerState;
}

/** Since when it takes no facts, by the machine's clock. */
export function ledgerSince({ b64 }: Slab): bigint {
  return Atomics.load(b64, HEADER.ledgerSince / 2);
}

export function countFacts({ b64 }: Slab, what: LedgerCount, count: number): void {
  if (count > 0) Atomics.add(b64, HEADER[`ledger${what}`] / 2, BigInt(count));
}

/** Whether any ring holds a fact. */
export function hasFacts(slab: Slab): boolean {
  const { stations } = slab.layout.sizes;
  for (let station = 0; station < stations; station++) {
    if (factsWaiting(slab, station) > 0) return true;
  }
  return false;
}

export function viewLedger(slab: Slab): LedgerView {
  const { stations } = slab.layout.sizes;
  let waitingBytes = 0;
  for (let station = 0; station < stations; station++) waitingBytes += factsWaiting(slab, station);
  const count = (what: LedgerCount): number =>
    Number(Atomics.load(slab.b64, HEADER[`ledger${what}`] / 2));
  const state = ledgerState(slab);
  return {
    ...{ state, sinceNs: state === LEDGER.healthy ? 0n : ledgerSince(slab), waitingBytes },
    ...{ written: count("Written"), twice: count("Twice"), lost: count("Lost") },
    ...{ failures: count("Failures"), skipped: count("Skipped") },
  };
}
