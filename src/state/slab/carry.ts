import { voidHold } from "./holds.ts";
import {
  DEAD,
  GUARD_EPOCHS,
  GUARD_ROWS,
  HEADER,
  HOLDS_MAX,
  KIND,
  type Layout,
  RECORD,
  RECORD_WORDS,
  ROW,
  ROW_WORDS,
  SHARED_ROWS,
  STATE,
  STATION,
  STATION_WORDS,
  TAG_MASK,
} from "./layout.ts";

/**
 * Makes of a copy of an earlier boot's slab one for this boot. What counts on the monotonic clock
 * or counts processes starts anew; budgets, requests nobody settled and facts nobody read stay, and
 * all stations are of the dead, so that the next sweep settles what the reboot cut short.
 */
export function carryOver(bytes: Uint8Array, layout: Layout): void {
  const i32 = new Int32Array(bytes.buffer, bytes.byteOffset, layout.byteLength / 4);
  i32[HEADER.sweeper] = 0;
  i32[HEADER.guardEpoch] = 0;
  const { stations, records, guardWidth } = layout.sizes;
  for (let station = 0; station < stations; station++) {
    const owner = layout.stations + station * STATION_WORDS + STATION.owner;
    if (i32[owner] !== 0) i32[owner] = DEAD;
  }
  for (let row = 0; row < SHARED_ROWS + layout.tableRows; row++) {
    resetRow(i32, layout.rows + row * ROW_WORDS);
  }
  for (let record = 0; record < records; record++) {
    const state = i32[layout.states + record]! & TAG_MASK;
    if (state === STATE.admitting || state === STATE.admitted || state === STATE.settling) {
      resetHolds(i32, layout.records + record * RECORD_WORDS);
    }
  }
  i32.fill(0, layout.guard, layout.guard + GUARD_EPOCHS * GUARD_ROWS * guardWidth);
}

function resetRow(i32: Int32Array, row: number): void {
  const kind = i32[row + ROW.meta]! & TAG_MASK;
  const stays = kind === KIND.nanoBudget || kind === KIND.tokenBudget || kind === KIND.bucket;
  if (!stays) i32.fill(0, row + ROW.value, row + ROW.meta);
}

/** A rate or a slot that was taken in another boot is not to be given back in this one. */
function resetHolds(i32: Int32Array, record: number): void {
  const count = Math.min(i32[record + RECORD.holdCount]!, HOLDS_MAX);
  for (let hold = 0; hold < count; hold++) voidHold(i32, record + RECORD.holds + hold * 2);
}
