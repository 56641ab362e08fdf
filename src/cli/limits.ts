import type { Ms } from "../core/units.ts";
import { LimitBook } from "../governor/limit-book.ts";
import type { Clock } from "../runtime/runtime.ts";
import type { Actor } from "../state/slab/actor.ts";
import { slabInMemory } from "../state/slab/open.ts";
import type { Slab } from "../state/slab/slab.ts";
import { joinSlab } from "../state/slab/stations.ts";
import {
  blankSlab,
  hasDead,
  mapSlab,
  selfOwner,
  type SlabRuntime,
  sweepDead,
} from "./shared-slab.ts";

const SWEEP_MS: Ms = 2000;

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
  const book = new LimitBook(actor, { shared, slicePart: shared ? options.slicePart : undefined });
  keepSwept(actor, book, clock);
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
