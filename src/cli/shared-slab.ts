import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock, Log, Random } from "../runtime/runtime.ts";
import { FACT_BYTES_MAX } from "../state/ledger/facts.ts";
import { orphanFact } from "../state/ledger/orphan.ts";
import type { Actor } from "../state/slab/actor.ts";
import type { SlabSizes } from "../state/slab/layout.ts";
import { openSlab } from "../state/slab/open.ts";
import type { Slab } from "../state/slab/slab.ts";
import { type Owner, ownersOf } from "../state/slab/stations.ts";
import { sweep } from "../state/slab/sweep.ts";

/**
 * Room for 16,000 keys with all their limits, a rolling budget counting as 26 of them; for 16,384
 * requests in flight; for 127 processes, which is 62 workers and as many in a restart; and for 600
 * facts of each on their way to the ledger: 34 MB of a file, of which memory holds what is used.
 */
export const SIZES: SlabSizes = {
  limitRows: 65_536,
  records: 16_384,
  stations: 128,
  ringBytes: 1 << 17,
  factBytes: FACT_BYTES_MAX,
  metricCells: 64,
  guardWidth: 16_384,
};

export interface SlabPlace {
  /** The state directory. */
  readonly directory: string;
  /** Gateways of one machine that share a directory are told apart by it. */
  readonly port: number;
}

export interface SlabRuntime {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** What the processes of a gateway share: one file that each of them maps. */
export function mapSlab(place: SlabPlace, random: Random): ReturnType<typeof openSlab> {
  const unmade = makeFolder(folderOf(place));
  const opened = openSlab({ ...blankSlab(random), path: pathOf(place) });
  return unmade !== undefined && "problem" in opened ? { problem: unmade } : opened;
}

/** Why a folder is not there, and what helps; undefined where it is. */
function makeFolder(folder: string): string | undefined {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return undefined;
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown error";
    return `${folder} cannot be made (${code}): set INTERLOCK_STATE_DIR to where it can`;
  }
}

/** The ports of all gateways that counted limits in this directory since the machine started. */
export function slabPorts(directory: string): readonly number[] {
  const found = new Set<number>();
  const boot = `-${bootId().replaceAll("-", "")}`;
  for (const name of filesIn(folderOf({ directory, port: 0 }))) {
    const [, port] = /^port-(\d+)\./.exec(name) ?? [];
    if (port !== undefined && name.endsWith(boot)) found.add(Number(port));
  }
  return [...found].toSorted((one, other) => one - other);
}

export function blankSlab(random: Random) {
  return {
    sizes: SIZES,
    bootId: bootId(),
    seed: BigInt(`0x${random.hex(8)}`),
  };
}

/** Whether this gateway ever had one: to look into it nobody makes one. */
export function hasSlab(place: SlabPlace): boolean {
  const stem = `port-${place.port}`;
  return filesIn(folderOf(place)).some((name) => name.startsWith(stem));
}

/** Whether somebody's process is gone. */
export function hasDead(slab: Slab): boolean {
  return !ownersOf(slab).every(isAlive);
}

/** What processes that died have left: their requests are settled at what they delivered. */
export function sweepDead(actor: Actor, clock: Clock): void {
  const { factBytes } = actor.slab.layout.sizes;
  sweep(actor, {
    isAlive,
    nowNs: clock.machine(),
    factOf: (orphan) => orphanFact(orphan, factBytes),
  });
}

export function selfOwner(): Owner {
  return { pid: process.pid, born: bornOf(process.pid) ?? 1 };
}

export function isAlive({ pid, born }: Owner): boolean {
  return bornOf(pid) === born;
}

/** States of a process that will never run again: nobody may have asked how it ended. */
const OVER = new Set(["Z", "X"]);

/** When a process was started, in ticks since the machine was; undefined when there is none. */
function bornOf(pid: number): number | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? [];
  const [state = "X"] = fields;
  const started = fields[19];
  return started === undefined || OVER.has(state) ? undefined : Number(started) & 0x7fff_ffff;
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // No gateway has run with this directory.
  }
}

function bootId(): string {
  return readText("/proc/sys/kernel/random/boot_id") ?? "unknown";
}

function folderOf({ directory }: SlabPlace): string {
  return join(directory, "limits");
}

function pathOf(place: SlabPlace): string {
  return join(folderOf(place), `port-${place.port}`);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined; // Not there: no such process, or a system without proc(5).
  }
}
