import type { Ms } from "../core/units.ts";
import type { Clock, Log, Random, Timer } from "../runtime/runtime.ts";
import { HOLD_MS, overshootBound, sliceOf } from "../state/budget-periods/share.ts";
import {
  type BudgetClaim,
  type BudgetGrant,
  claimShares,
  seeNodes,
} from "../state/budget-periods/share-store.ts";
import { fitProblem } from "../state/migrations/fit.ts";
import {
  sayShare,
  type SharedBudget,
  sharedBudgets,
  shareState,
  takeWanted,
} from "../state/slab/share.ts";
import type { Slab } from "../state/slab/slab.ts";
import { openPostgres } from "../state/store/postgres.ts";
import type { Sql } from "../state/store/sql.ts";
import { nodeName } from "./node-name.ts";
import { hasSlab, mapSlab, type SlabPlace } from "./shared-slab.ts";

export interface ShareKeeperOptions {
  readonly url: string;
  readonly slicePart: number;
  readonly place: SlabPlace;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The database; one of its own unless given. */
  readonly sql?: Sql | undefined;
}

/** What is known of budgets that several nodes spend from. */
export interface ShareStanding {
  /** Nodes that are there, this one included; 0 until the database answered. */
  readonly nodes: number;
  readonly slicePart: number;
  /** The most by which all of them together may pass a budget, of the largest there is. */
  readonly overspendNano: number;
  readonly overspendTokens: number;
  readonly problem: string | undefined;
}

const DEADLINE_MS: Ms = 4000;
const ROUND_MS: Ms = 250;
/** A server that is away is asked once a second, and not by all nodes in one moment. */
const RETRY_MS: Ms = 1000;
const RETRY_SPREAD_MS: Ms = 500;
const REFRESH_MS: Ms = 5000;
const IDLE_MS: Ms = 60_000;
const NODES_MS: Ms = 5000;
/** How long all nodes take to say again what they hold: several times what they wait at most. */
const SETTLE_MS: Ms = 15_000;
/** Claims of one transaction. */
const CLAIMS_MAX = 200;

/** What was last known of one budget. */
interface Known {
  readonly used: number;
  readonly held: number;
  readonly at: Ms;
  readonly usedAt: Ms;
}

/**
 * Keeps this node's parts of shared budgets: asks the database for more before they are used up,
 * and gives back what is not needed. Who admits requests waits for none of it.
 */
export class ShareKeeper {
  readonly #options: ShareKeeperOptions;
  readonly #sql: Sql;
  readonly #node: string;
  readonly #known = new Map<SharedBudget["share"], Known>();
  /** What was refused and not asked for yet. */
  readonly #wanted = new Map<SharedBudget["share"], number>();
  #slab: Slab | undefined;
  #isFit = false;
  #hasEnded = false;
  #round: Promise<void> = Promise.resolve();
  #heardAt: Ms;
  #nodesAt: Ms = -Infinity;
  /** Until then nobody is given more: the database may not know yet what others have used. */
  #settledAt: Ms = -Infinity;
  #nodes = 0;
  #problem: string | undefined;
  #largest = { nano: 0, tokens: 0 };
  #timer: Timer | undefined;

  constructor(options: ShareKeeperOptions) {
    this.#options = options;
    this.#heardAt = options.clock.now();
    const { url, clock, place, random } = options;
    this.#sql =
      options.sql ?? openPostgres({ url, clock, deadlineMs: DEADLINE_MS, connectionsMax: 1 });
    this.#node = `${nodeName(place.directory, random)}-${place.port}`;
  }

  get standing(): ShareStanding {
    const { slicePart } = this.#options;
    const bound = (max: number): number => {
      return overshootBound({ slice: sliceOf(max, slicePart) }, Math.max(1, this.#nodes));
    };
    return {
      ...{ nodes: this.#nodes, slicePart, problem: this.#problem },
      overspendNano: bound(this.#largest.nano),
      overspendTokens: bound(this.#largest.tokens),
    };
  }

  start(): void {
    this.#round = this.round();
    void this.#round.then(() => {
      if (this.#hasEnded) return;
      const { clock, random } = this.#options;
      const again = RETRY_MS + random.next() * RETRY_SPREAD_MS;
      const delay = this.#problem === undefined ? ROUND_MS : again;
      this.#timer = clock.after(delay, () => this.start());
    });
  }

  /**
   * Lets go of the database; of all that this node holds as well where it ends for good. What it
   * could not give back now is free in a day.
   */
  async end({ isForGood }: { readonly isForGood: boolean }): Promise<void> {
    this.#hasEnded = true;
    this.#timer?.cancel();
    await this.#round;
    const slab = this.#map();
    if (isForGood && slab !== undefined) {
      this.#stopUsing(slab);
      await this.#giveBack(slab).catch(() => {}); // It is away: it will know by itself in a day.
    }
    await this.#sql.close().catch(() => {}); // It is gone: there is nothing to close.
  }

  /** Asks once for all that is due. Never throws: what was not answered is asked again. */
  async round(): Promise<void> {
    try {
      await this.#ask();
      this.#heardAt = this.#options.clock.now();
      this.#say(undefined);
    } catch (error) {
      this.#isFit = false;
      const slab = this.#map();
      const isLost = this.#options.clock.now() - this.#heardAt > HOLD_MS;
      if (isLost && slab !== undefined) this.#stopUsing(slab); // Others have it from now on.
      this.#say(error instanceof Error ? error.message : "unknown reason");
    }
  }

  async #ask(): Promise<void> {
    const { clock } = this.#options;
    if (!this.#isFit) {
      const problem = await fitProblem(this.#sql, { isNamed: true, clock });
      if (problem !== undefined) throw new Error(problem);
      this.#isFit = true;
    }
    const now = clock.now();
    if (now - this.#nodesAt >= NODES_MS) {
      this.#nodes = await seeNodes(this.#sql, this.#node, Math.floor(clock.wall()));
      this.#nodesAt = now;
    }
    const slab = this.#map();
    if (slab === undefined) return;
    const due = this.#due(slab, now);
    for (let at = 0; at < due.length; at += CLAIMS_MAX) {
      const some = due.slice(at, at + CLAIMS_MAX);
      const grants = await claimShares(
        this.#sql,
        some.map(({ claim }) => claim),
      );
      for (const [index, each] of some.entries()) this.#grant(slab, each, grants[index]!);
    }
  }

  /** What is used already stays used; nothing more is, until the database answers. */
  #stopUsing(slab: Slab): void {
    for (const budget of sharedBudgets(slab)) {
      const { period, used, ceiling } = shareState(slab, budget);
      const others = 0; // Nobody is told more than this node has used itself.
      if (ceiling !== undefined) sayShare(slab, budget, { period, ceiling: used, others });
    }
  }

  async #giveBack(slab: Slab): Promise<void> {
    const { clock } = this.#options;
    const claims = sharedBudgets(slab).flatMap((budget): readonly BudgetClaim[] => {
      const { period, used, ceiling } = shareState(slab, budget);
      if (ceiling === undefined) return [];
      const terms = { budget: budget.name, period, max: budget.max, slice: 0 };
      const now = Math.floor(clock.wall());
      return [{ ...terms, node: this.#node, used, held: used, wanted: 0, isIdle: true, now }];
    });
    for (let at = 0; at < claims.length; at += CLAIMS_MAX) {
      await claimShares(this.#sql, claims.slice(at, at + CLAIMS_MAX));
    }
  }

  #due(slab: Slab, now: Ms): readonly Due[] {
    const budgets = sharedBudgets(slab);
    this.#largest = { nano: largestOf(budgets, "nano"), tokens: largestOf(budgets, "tokens") };
    return budgets.flatMap((budget) => this.#dueOf(slab, budget, now) ?? []);
  }

  #dueOf(slab: Slab, budget: SharedBudget, now: Ms): Due | undefined {
    const { name, share, max } = budget;
    const { slicePart, clock } = this.#options;
    const { period, used, ceiling } = shareState(slab, budget);
    const wanted = takeWanted(slab, budget) + (this.#wanted.get(share) ?? 0);
    this.#wanted.set(share, wanted);
    if (used === 0 && wanted === 0 && ceiling === undefined) return undefined; // Nobody uses it.
    const slice = sliceOf(max, slicePart);
    const held = Math.max(used, ceiling ?? Math.min(max, slice));
    const known = this.#known.get(share);
    const usedAt = known?.used === used ? known.usedAt : now;
    const isDue =
      known === undefined ||
      ceiling === undefined ||
      wanted > 0 ||
      known.used !== used ||
      known.held !== held ||
      now - known.at >= REFRESH_MS;
    if (!isDue) return undefined;
    const isIdle = wanted === 0 && now - usedAt >= IDLE_MS;
    const node = this.#node;
    const wall = Math.floor(clock.wall());
    const claim = { budget: name, period, max, slice, node, used, held, wanted, isIdle, now: wall };
    const isSaid = ceiling !== undefined;
    return { budget, claim, known: { used, held, at: now, usedAt }, isSaid };
  }

  #grant(slab: Slab, { budget, claim, known, isSaid }: Due, grant: BudgetGrant): void {
    const { period } = claim;
    const now = this.#options.clock.now();
    // It has lost what it knew of us, so what it knows of others too: they say so soon.
    if (isSaid && !grant.isKnown) this.#settledAt = now + SETTLE_MS;
    const ceiling = now < this.#settledAt ? claim.held : grant.ceiling;
    sayShare(slab, budget, { period, ceiling, others: grant.others });
    this.#known.set(budget.share, { ...known, held: grant.held });
    this.#wanted.delete(budget.share);
  }

  #say(problem: string | undefined): void {
    const { log } = this.#options;
    if (problem === this.#problem) return;
    this.#problem = problem;
    if (problem === undefined) log.line("info", "budgets", "Budgets are shared with other nodes");
    else log.line("warn", "budgets", "Budgets are spent from what this node holds", { problem });
  }

  /** Made by whoever counts first. */
  #map(): Slab | undefined {
    const { place, random } = this.#options;
    if (this.#slab !== undefined || !hasSlab(place)) return this.#slab;
    const slab = mapSlab(place, random);
    if (!("problem" in slab)) this.#slab = slab;
    return this.#slab;
  }
}

interface Due {
  readonly budget: SharedBudget;
  readonly claim: BudgetClaim;
  readonly known: Known;
  /** Whether this node's part of this period was ever granted. */
  readonly isSaid: boolean;
}

function largestOf(budgets: readonly SharedBudget[], unit: SharedBudget["unit"]): number {
  return budgets.reduce((most, each) => (each.unit === unit ? Math.max(most, each.max) : most), 0);
}
