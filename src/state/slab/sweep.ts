import { type Actor, NO_RECORD, recoverIntent } from "./actor.ts";
import { isPublished, publishFact, recoverFact } from "./facts.ts";
import { settleHolds, undoHolds } from "./holds.ts";
import { stateOf, stationOf } from "./journal.ts";
import { DEAD, FLAG, HEADER, RECORD, STATE, STATE_BITS } from "./layout.ts";
import { tickOf } from "./rate.ts";
import { atWatermark, keptFact, type Orphan, readOrphan, writeTruth } from "./record.ts";
import { finishRoll } from "./roll.ts";
import { clearGauges } from "./shared-cells.ts";
import { recordWord, type Slab, stateWord } from "./slab.ts";
import { freeStation, type Owner, ownersOf } from "./stations.ts";

export interface SweepOptions {
  /** Whether the process that took a station still runs. Wrong about a live one, money is lost. */
  readonly isAlive: (owner: Owner) => boolean;
  readonly nowNs: bigint;
  /** The fact of a request whose process died; undefined when nobody keeps facts. */
  readonly factOf: (orphan: Orphan) => Uint8Array | undefined;
}

/** What a sweep found. */
export interface Swept {
  /** Stations that were freed. */
  readonly stations: readonly Owner[];
  /** Requests settled because their process could not, or whose fact it had not written. */
  readonly settled: number;
  /** Requests that were not admitted yet, and gave back what they had taken. */
  readonly undone: number;
  /** Facts that found no room: read the rings and sweep again. Their stations stay taken. */
  readonly waiting: number;
}

/**
 * Finishes whatever dead processes left and frees their stations. The supervisor does this when a
 * worker dies and when it starts; "busy" when another process that lives is at it. Cut short
 * anywhere, the next sweep goes on from there.
 */
export function sweep(actor: Actor, options: SweepOptions): Swept | "busy" {
  const { slab } = actor;
  if (!takeTurn(actor, options)) return "busy";
  actor.now = tickOf(options.nowNs);
  const dead = ownersOf(slab).filter((owner) => isDead(actor, owner, options));
  // First of all of them: a sweeper that died had a step in hand on somebody else's record.
  for (const { station } of dead) recoverIntent(slab, station);
  const stations = new Set(dead.map(({ station }) => station));
  const records = extraLast(slab, recordsOf(slab, stations));
  for (const record of records) recoverFact(slab, stationOf(slab, record), record);
  const outcome = finishRecords(actor, records, options);
  const over = dead.filter(({ station }) => !outcome.unfinished.has(station));
  for (const { station } of over) {
    clearGauges(slab, station);
    freeStation(slab, station);
  }
  Atomics.store(slab.i32, HEADER.sweeper, 0);
  const { settled, undone, waiting } = outcome;
  return { stations: over.map(({ pid, born }) => ({ pid, born })), settled, undone, waiting };
}

interface Finished extends Omit<Swept, "stations"> {
  readonly unfinished: ReadonlySet<number>;
}

/**
 * What is not free of the records of these stations. State and station come of one read: between
 * two, another's record could be freed and taken again, and look like a dead one's.
 */
function recordsOf(slab: Slab, stations: ReadonlySet<number>): readonly number[] {
  const found: number[] = [];
  for (let record = 0; record < slab.layout.sizes.records; record++) {
    const mark = Atomics.load(slab.i32, stateWord(slab, record));
    if (mark !== STATE.free && stations.has(mark >>> STATE_BITS)) found.push(record);
  }
  return found;
}

/** What was reserved in addition is given back when what it was for is charged, and no sooner. */
function extraLast(slab: Slab, records: readonly number[]): readonly number[] {
  const isExtra = (record: number): boolean =>
    (slab.i32[recordWord(slab, record) + RECORD.flags]! & FLAG.extra) !== 0;
  return [...records.filter((each) => !isExtra(each)), ...records.filter(isExtra)];
}

function finishRecords(actor: Actor, records: readonly number[], options: SweepOptions): Finished {
  const { slab } = actor;
  const unfinished = new Set<number>();
  let [settled, undone, waiting] = [0, 0, 0];
  for (const record of records) {
    const state = stateOf(slab, record);
    if (!finish(actor, record, options)) {
      unfinished.add(stationOf(slab, record));
      waiting++;
      continue;
    }
    Atomics.store(slab.i32, stateWord(slab, record), STATE.free);
    if (state === STATE.admitting) undone++;
    if (COUNTING.has(state)) settled++;
  }
  actor.record = NO_RECORD;
  return { settled, undone, waiting, unfinished };
}

/** The states of a request that counts. */
const COUNTING: ReadonlySet<number> = new Set([STATE.admitted, STATE.settling]);

/** One sweeper at a time; the turn of one that died is taken over. */
function takeTurn({ slab, station }: Actor, { isAlive }: SweepOptions): boolean {
  const { i32 } = slab;
  const mine = station + 1;
  const holder = Atomics.compareExchange(i32, HEADER.sweeper, 0, mine);
  if (holder === 0 || holder === mine) return true;
  const owner = ownersOf(slab).find((each) => each.station === holder - 1);
  if (owner !== undefined && owner.pid !== DEAD && isAlive(owner)) return false;
  return Atomics.compareExchange(i32, HEADER.sweeper, holder, mine) === holder;
}

function isDead({ station }: Actor, owner: Taken, { isAlive }: SweepOptions): boolean {
  return owner.station !== station && (owner.pid === DEAD || !isAlive(owner));
}

interface Taken extends Owner {
  readonly station: number;
}

/** Brings a dead process's record to its end; false when its fact has to wait. */
function finish(actor: Actor, record: number, options: SweepOptions): boolean {
  const state = stateOf(actor.slab, record);
  if (state === STATE.admitting) undoHolds(actor, record);
  if (state === STATE.rolling) finishRoll(actor, record);
  return !COUNTING.has(state) || settleOrphan(actor, record, options);
}

function settleOrphan(actor: Actor, record: number, { factOf }: SweepOptions): boolean {
  const { slab } = actor;
  const station = stationOf(slab, record);
  if (stateOf(slab, record) === STATE.admitted) {
    const cost = atWatermark(slab, record);
    writeTruth(slab, record, { ...cost, estimated: true, orphan: true, fact: NOT_SILENT });
    // It stays the dead process's record, for the next sweep should this one be cut short.
    const settling = (station << STATE_BITS) | STATE.settling;
    Atomics.store(slab.i32, stateWord(slab, record), settling);
  }
  settleHolds(actor, record);
  const silent = (slab.i32[recordWord(slab, record) + RECORD.flags]! & FLAG.silent) !== 0;
  if (silent || isPublished(slab, record)) return true;
  const bytes = keptFact(slab, recordWord(slab, record)) ?? factOf(readOrphan(slab, record));
  return bytes === undefined || publishFact(slab, station, { record, bytes });
}

const NOT_SILENT = new Uint8Array(0);
