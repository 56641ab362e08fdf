import { hash } from "bun";
import { RECORD, STATION } from "./layout.ts";
import { recordWord, type Slab, stationWord } from "./slab.ts";

// A ring is one process's usage facts on their way to the ledger. Head and tail count bytes and
// wrap at 2 ** 32. A fact is its length, its checksum and its bytes, up to a multiple of eight; a
// length of -1 sends the reader to the beginning. What is behind the head is whole; what a kill
// left half written is before it. A reader killed between reading and releasing reads again.

const HEAD_BYTES = 8;
const WRAP = -1;

/** Bytes of a ring that are not read yet. */
export function factsWaiting(slab: Slab, station: number): number {
  const { i32 } = slab;
  const base = stationWord(slab, station);
  const head = Atomics.load(i32, base + STATION.ringHead);
  return (head - Atomics.load(i32, base + STATION.ringTail)) >>> 0;
}

/** @throws when a fact, which there may be none of, is longer than a ring takes. */
export function checkFact({ layout }: Slab, bytes: Uint8Array | undefined): void {
  if (bytes === undefined || bytes.length <= layout.sizes.factBytes) return;
  throw new Error(`a fact of ${bytes.length} bytes`);
}

/**
 * Puts the fact of a record into the ring of the record's process, or answers false when it has to
 * wait for room; only that process does, or who sweeps after it. The record first says where, so
 * that after a kill the head tells whether.
 */
export function publishFact(slab: Slab, station: number, fact: Fact): boolean {
  const { i32, u8, layout } = slab;
  const { bytes, record } = fact;
  const { ringBytes } = layout.sizes;
  const base = stationWord(slab, station);
  const head = Atomics.load(i32, base + STATION.ringHead);
  const length = aligned(HEAD_BYTES + bytes.length);
  let offset = (head >>> 0) & (ringBytes - 1);
  const skipped = offset + length > ringBytes ? ringBytes - offset : 0;
  if (factsWaiting(slab, station) + skipped + length > ringBytes) return false;
  i32[recordWord(slab, record) + RECORD.factAt] = head;
  Atomics.store(i32, recordWord(slab, record) + RECORD.hasFactAt, 1);
  const ring = layout.ringsByte + station * ringBytes;
  if (skipped > 0) {
    i32[(ring + offset) / 4] = WRAP;
    offset = 0;
  }
  const at = ring + offset;
  u8.set(bytes, at + HEAD_BYTES);
  i32[at / 4] = bytes.length;
  i32[at / 4 + 1] = checksum(bytes);
  Atomics.store(i32, base + STATION.ringHead, (head + skipped + length) | 0);
  return true;
}

export interface Fact {
  readonly record: number;
  readonly bytes: Uint8Array;
}

/**
 * Takes back what a record says of its fact when a kill came before the head had moved. At most one
 * record of a dead process is like that; it is found before anything else goes into the ring.
 */
export function recoverFact(slab: Slab, station: number, record: number): void {
  const { i32 } = slab;
  const word = recordWord(slab, record);
  const head = Atomics.load(i32, stationWord(slab, station) + STATION.ringHead);
  if (head === i32[word + RECORD.factAt]) Atomics.store(i32, word + RECORD.hasFactAt, 0);
}

/** Whether the fact of a record, recovered if its process died, is in the ring. */
export function isPublished(slab: Slab, record: number): boolean {
  return Atomics.load(slab.i32, recordWord(slab, record) + RECORD.hasFactAt) !== 0;
}

/** What a reader has seen, to be released once the facts are safe elsewhere. */
export interface FactsRead {
  readonly station: number;
  readonly tail: number;
  readonly count: number;
  /** Whether there was anything, damage included. */
  readonly moved: boolean;
}

export interface ReadFacts {
  readonly station: number;
  readonly max: number;
}

/**
 * Shows the oldest facts of a ring, at most `max`, in order. One process reads a ring. The bytes
 * are the ring's own: they are good until what was read is released.
 */
export function readFacts(
  slab: Slab,
  { station, max }: ReadFacts,
  visit: (fact: Uint8Array) => void,
): FactsRead {
  const { i32, u8, layout } = slab;
  const { ringBytes, factBytes } = layout.sizes;
  const base = stationWord(slab, station);
  const head = Atomics.load(i32, base + STATION.ringHead);
  const ring = layout.ringsByte + station * ringBytes;
  const from = Atomics.load(i32, base + STATION.ringTail);
  let tail = from;
  let count = 0;
  while (tail !== head && count < max) {
    const offset = (tail >>> 0) & (ringBytes - 1);
    const length = i32[(ring + offset) / 4]!;
    if (length === WRAP) {
      tail = (tail + ringBytes - offset) | 0;
      continue;
    }
    const at = ring + offset + HEAD_BYTES;
    const fits = length >= 0 && length <= factBytes && at + length <= ring + ringBytes;
    if (!fits || checksum(u8.subarray(at, at + length)) !== i32[at / 4 - 1]) {
      // Pages that a power cut lost. What follows cannot be told apart any more.
      Atomics.add(i32, base + STATION.corrupt, 1);
      return { station, tail: head, count, moved: true };
    }
    visit(u8.subarray(at, at + length));
    tail = (tail + aligned(HEAD_BYTES + length)) | 0;
    count++;
  }
  return { station, tail, count, moved: tail !== from };
}

/** Gives the room of what was read back to the writer. */
export function releaseFacts(slab: Slab, { station, tail }: FactsRead): void {
  Atomics.store(slab.i32, stationWord(slab, station) + STATION.ringTail, tail);
}

/** Damage found in any ring: facts that a power cut lost. A kill loses none. */
export function ringsDamaged(slab: Slab): number {
  let damaged = 0;
  for (let station = 0; station < slab.layout.sizes.stations; station++) {
    damaged += Atomics.load(slab.i32, stationWord(slab, station) + STATION.corrupt);
  }
  return damaged;
}

/** With the length in it, so that noughts are no fact. */
function checksum(bytes: Uint8Array): number {
  return (hash.crc32(bytes) + bytes.length + 1) | 0;
}

function aligned(length: number): number {
  return (length + 7) & ~7;
}
