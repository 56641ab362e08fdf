import { Actor } from "./actor.ts";
import { STATION } from "./layout.ts";
import { type Slab, stationWord } from "./slab.ts";

/** Who takes a station: a process id, and what tells it from a later process of the same id. */
export interface Owner {
  readonly pid: number;
  /** As the time the process was started, cut to 31 bits. */
  readonly born: number;
}

/**
 * Takes a free station; undefined when all are taken. Each process does this once. Only a sweep
 * frees a station again, after everything its process left behind is settled.
 */
export function joinSlab(slab: Slab, { pid, born }: Owner): Actor | undefined {
  // Both at once: a sweep that saw only the one would take a process for dead.
  const owner = (BigInt(born) << 32n) | BigInt(pid);
  for (let station = 0; station < slab.layout.sizes.stations; station++) {
    const at = ownerCell(slab, station);
    if (Atomics.compareExchange(slab.b64, at, 0n, owner) === 0n) return new Actor(slab, station);
  }
  return undefined;
}

/** Gives back the station of a process that is gone and left nothing. */
export function freeStation(slab: Slab, station: number): void {
  Atomics.store(slab.b64, ownerCell(slab, station), 0n);
}

/** The stations that are taken, by whom. */
export function ownersOf(slab: Slab): readonly (Owner & { readonly station: number })[] {
  const owners: (Owner & { readonly station: number })[] = [];
  for (let station = 0; station < slab.layout.sizes.stations; station++) {
    const owner = Atomics.load(slab.b64, ownerCell(slab, station));
    if (owner === 0n) continue;
    const pid = Number(BigInt.asIntN(32, owner));
    owners.push({ station, pid, born: Number(owner >> 32n) });
  }
  return owners;
}

function ownerCell(slab: Slab, station: number): number {
  return (stationWord(slab, station) + STATION.owner) / 2;
}
