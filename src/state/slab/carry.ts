import { recoverIntent } from "./actor.ts";
import { unpackCalendar } from "./calendar.ts";
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
  STATE_MASK,
} from "./layout.ts";
import { stationWord, viewSlab } from "./slab.ts";

/**
 * Makes of a copy of an earlier boot's slab one for this boot. What counts on the monotonic clock
 * or counts processes starts anew; budgets, requests nobody settled and facts nobody read stay, and
 * all stations are of the dead, so that the next sweep settles what the reboot cut short.
 */
export function carryOver(bytes: Uint8Array, layout: Layout): void {
  const slab = viewSlab(bytes, layout, { origin: "carried", aside: [] });
  const { i32 } = slab;
  i32[HEADER.sweeper] = 0;
  i32[HEADER.guardEpoch] = 0;
  i32.fill(0, HEADER.wallAhead, HEADER.wallAhead + 2);
  const { stations, records, guardWidth } = layout.sizes;
  for (let station = 0; station < stations; station++) {
    recoverIntent(slab, station);
    const owner = stationWord(slab, station) + STATION.owner;
    if (i32[owner] !== 0) i32[owner] = DEAD;
  }
  for (let row = 0; row < SHARED_ROWS + layout.tableRows; row++) {
    resetRow(i32, layout.rows + row * ROW_WORDS);
  }
  for (let record = 0; record < records; record++) {
    const state = i32[layout.states + record]! & STATE_MASK;
    if (state === STATE.admitting || state === STATE.admitted || state === STATE.settling) {
      resetHolds(i32, layout.records + record * RECORD_WORDS);
    }
  }
  i32.fill(0, layout.guard, layout.guard + GUARD_EPOCHS * GUARD_ROWS * guardWidth);
}

const STAYS: ReadonlySet<number> = new Set([
  ...[KIND.nanoBudget, KIND.tokenBudget, KIND.bucket, KIND.told],
  ...[KIND.share, KIND.shareUse, KIND.shareOf],
]);

function resetRow(i32: Int32Array, row: number): void {
  // Pages that a power cut left behind may name a step that nobody is at any more.
  for (const part of [ROW.value, ROW.spent, ROW.calendar]) {
    if (i32[row + part + 1]! < 0) i32.fill(0, row + part, row + part + 2);
  }
  const calendar = i32[row + ROW.calendar + 1]! * 2 ** 32 + (i32[row + ROW.calendar]! >>> 0);
  const { kind } = unpackCalendar(calendar);
  if (!STAYS.has(kind)) i32.fill(0, row + ROW.value, row + ROW.calendar);
}

/** A rate or a slot that was taken in another boot is not to be given back in this one. */
function resetHolds(i32: Int32Array, record: number): void {
  const count = Math.min(i32[record + RECORD.holdCount]!, HOLDS_MAX);
  for (let hold = 0; hold < count; hold++) voidHold(i32, record + RECORD.holds + hold * 2);
}
