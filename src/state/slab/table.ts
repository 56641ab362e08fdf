import { nameRow } from "./calendar.ts";
import { HEADER, ROW_WORDS, SHARED_ROWS } from "./layout.ts";
import type { Slab } from "./slab.ts";

const cell = new BigInt64Array(1);
const halves = new Int32Array(cell.buffer);

/** The answer when the table takes no more. */
export const FULL = -1;

/**
 * The row of a digest, claimed when it has none yet, or FULL. A row never moves and is never given
 * back, so what this answers can be kept for as long as the slab is mapped.
 */
export function findRow(slab: Slab, digest: bigint, kind: number): number {
  const { i32, layout } = slab;
  cell[0] = digest;
  const low = halves[0]!;
  const high = halves[1]!;
  const mask = layout.tableRows - 1;
  for (let probe = 0, at = (low ^ high) & mask; probe <= mask; probe++, at = (at + 1) & mask) {
    const row = SHARED_ROWS + at;
    const word = layout.rows + row * ROW_WORDS;
    const lowSeen = i32[word];
    const highSeen = i32[word + 1];
    if (lowSeen === low && highSeen === high) return named(slab, row, kind);
    // No half of a digest is 0: this row is empty, or is being claimed while we look.
    if (lowSeen !== 0 && highSeen !== 0) continue;
    const owner = claim(slab, word, digest);
    if (owner === undefined) return FULL;
    if (owner === digest) return named(slab, row, kind);
  }
  return FULL;
}

/** Whose row it is after we tried to have it; undefined when nobody's, and there is no room. */
function claim({ i32, b64, layout }: Slab, word: number, digest: bigint): bigint | undefined {
  const at = word / 2;
  const mine = BigInt.asIntN(64, digest);
  let owner = Atomics.load(b64, at);
  if (owner === 0n) {
    if (Atomics.load(i32, HEADER.rowsUsed) >= layout.sizes.limitRows) return undefined;
    owner = Atomics.compareExchange(b64, at, 0n, mine);
    // A kill before the next line leaves the count one short, for which the table has room.
    if (owner === 0n) {
      Atomics.add(i32, HEADER.rowsUsed, 1);
      return digest;
    }
  }
  return owner === mine ? digest : owner;
}

function named(slab: Slab, row: number, kind: number): number {
  nameRow(slab, row, kind);
  return row;
}
