import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Ms } from "../core/units.ts";
import { LimitBook } from "../governor/limit-book.ts";
import type { Clock, Log, Random } from "../runtime/runtime.ts";
import type { Actor } from "../state/slab/actor.ts";
import type { SlabSizes } from "../state/slab/layout.ts";
import { openSlab, slabInMemory } from "../state/slab/open.ts";
import type { Slab } from "../state/slab/slab.ts";
import { joinSlab, type Owner, ownersOf } from "../state/slab/stations.ts";
import { sweep } from "../state/slab/sweep.ts";

/** Room for 4,000 keys with all their limits, 16,384 requests in flight, 31 processes: 6 MB. */
const SIZES: SlabSizes = {
  limitRows: 16_384,
  records: 16_384,
  stations: 32,
  ringBytes: 1 << 12,
  factBytes: 64,
  metricCells: 64,
  guardWidth: 16_384,
};
const SWEEP_MS: Ms = 2000;

export interface LimitsOptions {
  /** Where state is kept; undefined where there is no such place. */
  readonly directory: string | undefined;
  /** Gateways of one machine that share a directory are told apart by it. */
  readonly port: number;
  readonly runtime: { readonly clock: Clock; readonly random: Random; readonly log: Log };
}

/**
 * The limits of all keys, exact over every process of this gateway and kept when it restarts: one
 * file mapped by all. Where none can be had, they hold within this process, and the log says so.
 */
export function openLimits(options: LimitsOptions): LimitBook {
  const { clock, log } = options.runtime;
  const slab = slabOf(options);
  const actor = joinSlab(slab, selfOwner());
  if (actor === undefined)
    throw new Error("more processes share the limits than there is room for");
  const look = (): void => {
    sweepDead(actor, clock);
    clock.after(SWEEP_MS, look);
  };
  look();
  log.line("info", "gateway", "Limits are counted", { origin: slab.origin });
  return new LimitBook(actor);
}

function slabOf({ directory, port, runtime }: LimitsOptions): Slab {
  const blank = {
    sizes: SIZES,
    bootId: readText("/proc/sys/kernel/random/boot_id") ?? "unknown",
    seed: BigInt(`0x${runtime.random.hex(8)}`),
  };
  if (directory === undefined) return slabInMemory(blank);
  const folder = join(directory, "limits");
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch {
    // Said below, as what `openSlab` cannot do there.
  }
  const opened = openSlab({ ...blank, path: join(folder, `port-${port}`) });
  if (!("problem" in opened)) return opened;
  runtime.log.line("warn", "gateway", "Limits hold within one process only", {
    problem: opened.problem,
  });
  return slabInMemory(blank);
}

/** What processes that died have left: their requests are settled at what they delivered. */
function sweepDead(actor: Actor, clock: Clock): void {
  if (ownersOf(actor.slab).every(isAlive)) return;
  sweep(actor, { isAlive, nowNs: clock.machine(), factOf: () => undefined });
}

function selfOwner(): Owner {
  return { pid: process.pid, born: bornOf(process.pid) ?? 1 };
}

function isAlive({ pid, born }: Owner): boolean {
  return bornOf(pid) === born;
}

/** When a process was started, in ticks since the machine was; undefined when there is none. */
function bornOf(pid: number): number | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  const started = stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  return started === undefined ? undefined : Number(started) & 0x7fff_ffff;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined; // Not there: no such process, or a system without proc(5).
  }
}
