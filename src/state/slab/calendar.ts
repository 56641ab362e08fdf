import { valueAt } from "./actor.ts";
import { ROW } from "./layout.ts";
import { rowWord, type Slab } from "./slab.ts";

// A row's calendar cell: four bits of kind, 24 of the period rolled to, 24 of the period it is in.

const KINDS = 2 ** 4;
const PERIODS = 2 ** 24;

/** What a row's calendar says. `rolled` is less than `period` while somebody changes the period. */
export interface Calendar {
  readonly kind: number;
  readonly rolled: number;
  readonly period: number;
}

/** The value of the cell for a calendar. */
export function packCalendar({ kind, rolled, period }: Calendar): number {
  return (period * PERIODS + rolled) * KINDS + kind;
}

/** The calendar of a value of the cell. */
export function unpackCalendar(value: number): Calendar {
  const periods = Math.floor(value / KINDS);
  return {
    kind: value % KINDS,
    rolled: periods % PERIODS,
    period: Math.floor(periods / PERIODS),
  };
}

/** The calendar of a row. */
export function calendarOf(slab: Slab, row: number): Calendar {
  return unpackCalendar(valueAt(slab, calendarWord(slab, row)));
}

/** The period a row is in. */
export function periodIn(slab: Slab, row: number): number {
  return Math.floor(valueAt(slab, calendarWord(slab, row)) / (KINDS * PERIODS));
}

/** Whether somebody is between the beginning and the end of changing a bucket's period. */
export function isRolling(slab: Slab, bucket: number): boolean {
  const { period, rolled } = calendarOf(slab, bucket);
  return rolled !== period;
}

/** Says what a row is for, unless it is said: its claimer may have died before it could. */
export function nameRow(slab: Slab, row: number, kind: number): void {
  const at = calendarWord(slab, row) / 2;
  if (Atomics.load(slab.b64, at) === 0n) {
    Atomics.compareExchange(slab.b64, at, 0n, BigInt(kind));
  }
}

export function calendarWord(slab: Slab, row: number): number {
  return rowWord(slab, row) + ROW.calendar;
}
