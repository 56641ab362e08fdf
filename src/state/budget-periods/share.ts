import type { Ms } from "../../core/units.ts";

// A budget that several nodes spend from. Each holds a part of it and admits from that in its own
// memory, so that no request asks another machine; what it holds counts as spent for all others. A
// part stays with its node until that gives it back, or was not heard of for a day.

/** One node's part of a budget in one period, as all nodes know it. */
export interface Share {
  readonly node: string;
  /** Spent and reserved there. */
  readonly used: number;
  /** Up to where it may go without asking: never less than `used`. */
  readonly held: number;
  /** When it last said so, by its own wall clock: only tells who is there. */
  readonly at: Ms;
}

export interface ShareTerms {
  readonly max: number;
  /** What a node may use before it has ever asked, and usually has in hand. */
  readonly slice: number;
}

/** What a node says when it asks. */
export interface ShareClaim {
  readonly node: string;
  readonly used: number;
  /** Up to where it may go now, granted or in advance. */
  readonly held: number;
  /** What was refused since it last asked. */
  readonly wanted: number;
  readonly isIdle: boolean;
  readonly now: Ms;
}

export interface ShareGrant {
  /** What it holds from now on as others know it. */
  readonly held: number;
  /** Up to where it may go once it knows this; where that is less, it gives back the next time. */
  readonly ceiling: number;
  /** What all others have used. */
  readonly others: number;
}

/** A node that was not heard of for so long wants nothing. */
const PRESENT_MS: Ms = 15_000;
/** A part of a node that was not heard of for so long is free again. */
const HELD_MS: Ms = 24 * 3_600_000;
/** A node that heard nothing for so long uses no more of what it holds; an hour is for clocks. */
export const HOLD_MS: Ms = HELD_MS - 3_600_000;
/** With so many slices left for each, one that is idle may keep its own. */
const PLENTY = 2;

/**
 * What a node gets of what nobody holds: what it wants, and at most its equal part, so that the
 * parts grow smaller as the budget ends and every node can use the last of it.
 */
export function grantShare(
  shares: readonly Share[],
  { max, slice }: ShareTerms,
  claim: ShareClaim,
): ShareGrant {
  const others = shares.filter(({ node }) => node !== claim.node);
  const taken = others.reduce((sum, each) => sum + takenBy(each, claim.now), 0);
  const present = others.filter(({ at }) => claim.now - at < PRESENT_MS).length + 1;
  const free = Math.max(0, max - taken - claim.used);
  const fair = Math.floor(free / present);
  const isPlenty = fair >= slice * PLENTY;
  const wish = claim.wanted > 0 || !claim.isIdle || isPlenty ? slice + claim.wanted : 0;
  const ceiling = claim.used + Math.min(wish, fair);
  return {
    held: Math.max(claim.held, claim.used, ceiling),
    ceiling,
    others: others.reduce((sum, { used }) => sum + used, 0),
  };
}

/** A node that is gone keeps what it has used. */
function takenBy({ used, held, at }: Share, now: Ms): number {
  return now - at > HELD_MS ? used : Math.max(used, held);
}

/**
 * The most by which all nodes together can pass a budget, whatever fails: what each may use before
 * its first question of a period was answered.
 */
export function overshootBound({ slice }: Pick<ShareTerms, "slice">, nodes: number): number {
  return slice * nodes;
}

/** The slice of a budget. */
export function sliceOf(max: number, part: number): number {
  return Math.ceil(max * part);
}
