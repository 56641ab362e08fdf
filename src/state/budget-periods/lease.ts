import type { Ms } from "../../core/units.ts";
import type { NanoAmount } from "../rate-card/prices.ts";

/**
 * A budget that several nodes spend from. Each leases a slice from the shared store and spends from
 * it in its own memory, so that no request asks another machine. All amounts are nano-dollars.
 */
export interface LeaseTerms {
  readonly budget: NanoAmount;
  /** The most one lease holds. */
  readonly slice: NanoAmount;
  /** How many leases a node may have that it has not reported: two, to claim one ahead. */
  readonly perNode: number;
  /** How long a node may spend from a lease; it stops by its own monotonic clock. */
  readonly leaseMs: Ms;
  /** How long after that the store still counts the slice as spent. */
  readonly graceMs: Ms;
  /**
   * What becomes of a slice whose node never came back: `spent` costs budget and never overshoots,
   * `returned` costs none and may.
   */
  readonly unreported: "spent" | "returned";
}

export interface Lease {
  readonly id: string;
  readonly node: string;
  readonly nano: NanoAmount;
  /** The store's clock. */
  readonly expiresAt: Ms;
}

/** What the store holds of one budget's period. */
export interface Leases {
  /** Reported spend, and slices given up as spent. */
  readonly spent: NanoAmount;
  readonly open: readonly Lease[];
  /** Slices that went back unreported: what may still be reported on top of the budget. */
  readonly lost: readonly Lease[];
}
export const NO_LEASES: Leases = { spent: 0n, open: [], lost: [] };

export interface Claim {
  readonly id: string;
  readonly node: string;
  readonly now: Ms;
}
export interface Claimed {
  readonly leases: Leases;
  /** Undefined when nothing is left. The same claim again gets the same lease. */
  readonly lease: Lease | undefined;
}

/**
 * Gives a node its next slice: what is left of the budget, up to a slice. A node that has not
 * reported what it holds gets no more, or the bound below would grow with every crash.
 */
export function claim(leases: Leases, terms: LeaseTerms, { id, node, now }: Claim): Claimed {
  const swept = sweep(leases, terms, now);
  const held = swept.open.find((lease) => lease.id === id);
  if (held !== undefined) return { leases: swept, lease: held };
  const unreported = [...swept.open, ...swept.lost].filter((lease) => lease.node === node);
  if (unreported.length >= terms.perNode) return { leases: swept, lease: undefined };
  const left = terms.budget - swept.spent - sum(swept.open);
  const nano = left < terms.slice ? left : terms.slice;
  if (nano <= 0n) return { leases: swept, lease: undefined };
  const lease = { id, node, nano, expiresAt: now + terms.leaseMs };
  return { leases: { ...swept, open: [...swept.open, lease] }, lease };
}

/** A node gives a lease back with what it spent of it. Reporting twice changes nothing. */
export function report(
  leases: Leases,
  { id, spent }: { readonly id: string; readonly spent: NanoAmount },
): Leases {
  const without = (list: readonly Lease[]) => list.filter((lease) => lease.id !== id);
  const known = [...leases.open, ...leases.lost].some((lease) => lease.id === id);
  if (!known) return leases;
  return {
    spent: leases.spent + spent,
    open: without(leases.open),
    lost: without(leases.lost),
  };
}

/** Ends leases whose node did not come back in time. */
export function sweep(leases: Leases, { graceMs, unreported }: LeaseTerms, now: Ms): Leases {
  const gone = leases.open.filter(({ expiresAt }) => expiresAt + graceMs <= now);
  if (gone.length === 0) return leases;
  const open = leases.open.filter((lease) => !gone.includes(lease));
  switch (unreported) {
    case "spent":
      return { ...leases, open, spent: leases.spent + sum(gone) };
    case "returned":
      return { ...leases, open, lost: [...leases.lost, ...gone] };
  }
}

/** The most by which all nodes together can pass the budget, whatever fails. */
export function overshootBound(
  { slice, perNode, unreported }: Pick<LeaseTerms, "slice" | "perNode" | "unreported">,
  nodes: number,
): NanoAmount {
  switch (unreported) {
    case "spent":
      return 0n;
    case "returned":
      return slice * BigInt(perNode) * BigInt(nodes);
  }
}

/** A node's own side: what it may still spend from the lease it holds. */
export interface Purse {
  readonly lease: Lease;
  /** The node's monotonic clock: when it stops, whatever the store's clock does. */
  readonly until: Ms;
  readonly reserved: NanoAmount;
  readonly spent: NanoAmount;
}

export function openPurse(lease: Lease, until: Ms): Purse {
  return { lease, until, reserved: 0n, spent: 0n };
}

/** The purse with `nano` held; undefined when it does not hold that much, or its time is over. */
export function reserve(purse: Purse, nano: NanoAmount, now: Ms): Purse | undefined {
  const left = purse.lease.nano - purse.spent - purse.reserved;
  if (now >= purse.until || nano > left) return undefined;
  return { ...purse, reserved: purse.reserved + nano };
}

/** What was held becomes what it cost; never more than was held. */
export function settle(
  purse: Purse,
  { held, cost }: { readonly held: NanoAmount; readonly cost: NanoAmount },
): Purse {
  const spent = cost < held ? cost : held;
  return { ...purse, reserved: purse.reserved - held, spent: purse.spent + spent };
}

function sum(leases: readonly Lease[]): NanoAmount {
  return leases.reduce((total, { nano }) => total + nano, 0n);
}
