import type { Ms } from "../core/units.ts";
import { LimitBook } from "../governor/limit-book.ts";
import { sinceBoot } from "../runtime/machine-clock.ts";
import type { Clock } from "../runtime/runtime.ts";
import type { Actor } from "../state/slab/actor.ts";
import { slabInMemory } from "../state/slab/open.ts";
import type { Slab } from "../state/slab/slab.ts";
import { joinSlab } from "../state/slab/stations.ts";
import { STEP_MAX_MS, WallGuard } from "../state/slab/wall-guard.ts";
import { kernelClock } from "./kernel-clock.ts";
import {
  blankSlab,
  hasDead,
  mapSlab,
  selfOwner,
  type SlabRuntime,
  sweepDead,
} from "./shared-slab.ts";

const SWEEP_MS: Ms = 2000;
const WATCH_MS: Ms = 1000;
/** The kernel is asked when a jump is seen, and then so seldom: the call has to be looked up. */
const ASK_KERNEL_LOOKS = 60;

export interface LimitsOptions {
  /** Where state is kept; undefined where there is no such place. */
  readonly directory: string | undefined;
  /** Gateways of one machine that share a directory are told apart by it. */
  readonly port: number;
  readonly runtime: SlabRuntime;
  /** Which part of a budget this node may use without asking others; undefined without others. */
  readonly slicePart?: number | undefined;
}

/**
 * The limits of all keys, exact over every process of this gateway and kept when it restarts: one
 * file mapped by all. Where none can be had, they hold within this process, and the log says so.
 */
export function openLimits(options: LimitsOptions): LimitBook {
  const { clock, log } = options.runtime;
  const { slab, shared } = slabOf(options);
  const actor = joinSlab(slab, selfOwner());
  if (actor === undefined)
    throw new Error("more processes share the limits than there is room for");
  const wall = guardedWall(slab, options.runtime);
  const slicePart = shared ? options.slicePart : undefined;
  const book = new LimitBook(actor, { shared, slicePart, wall });
  keepSwept(actor, book, clock);
  tellWhenFull(book, options.runtime);
  keepWatched(wall, clock);
  log.line("info", "gateway", "Limits are counted", { origin: slab.origin });
  return book;
}

/** Settles what the dead leave, and gives facts room in the ring while nobody asks for anything. */
function keepSwept(actor: Actor, book: LimitBook, clock: Clock): void {
  const look = (): void => {
    if (hasDead(actor.slab)) sweepDead(actor, clock);
    book.flush();
    clock.after(SWEEP_MS, look);
  };
  look();
}

/** Says once that limits share a place: they are stricter than configured, and nobody sees why. */
function tellWhenFull(book: LimitBook, { clock, log }: Pick<SlabRuntime, "clock" | "log">): void {
  const { rowsShared, rowsMax } = book.counts;
  if (rowsShared === 0) return void clock.after(SWEEP_MS, () => tellWhenFull(book, { clock, log }));
  log.line("error", "gateway", "The table of limits is full: further keys share their limits", {
    cells: rowsMax,
  });
}

/** The wall clock by which budgets and keys end: one that jumps does not count until it is kept. */
function guardedWall(slab: Slab, { clock, log }: SlabRuntime): WallGuard {
  const clocks = { wall: () => clock.wall(), now: () => clock.now(), boot: sinceBoot };
  return new WallGuard(slab, clocks, (jumpMs) => {
    if (jumpMs === undefined) {
      log.line("warn", "gateway", "Budgets and keys end by the wall clock again");
      return;
    }
    log.line("error", "gateway", "The wall clock jumped: budgets and keys end without it", {
      jump_seconds: Math.round(jumpMs / 1000),
      fix: "interlock clock accept, if it is right",
    });
  });
}

/** Follows small corrections of the wall clock; believes a jump that a time service vouches for. */
function keepWatched(wall: WallGuard, clock: Clock): void {
  let looks = 0;
  const look = (): void => {
    wall.look();
    looks = wall.isFrozen ? looks + 1 : 0;
    if (looks % ASK_KERNEL_LOOKS === 1 && isKept(clock.wall())) wall.accept();
    clock.after(WATCH_MS, look);
  };
  look();
}

function isKept(wall: Ms): boolean {
  const kernel = kernelClock();
  return kernel?.isKept === true && Math.abs(kernel.wall - wall) <= STEP_MAX_MS;
}

function slabOf({ directory, port, runtime }: LimitsOptions): {
  readonly slab: Slab;
  readonly shared: boolean;
} {
  const { random, log } = runtime;
  const alone = () => ({ slab: slabInMemory(blankSlab(random)), shared: false });
  if (directory === undefined) {
    log.line("warn", "gateway", "Nothing is kept", { problem: "there is no state directory" });
    return alone();
  }
  const opened = mapSlab({ directory, port }, random);
  if (!("problem" in opened)) return { slab: opened, shared: true };
  const message = "Limits hold within one process only, and no ledger is kept";
  log.line("warn", "gateway", message, { problem: opened.problem });
  return alone();
}
