import { nameRow } from "./calendar.ts";
import { HEADER } from "./layout.ts";
import { digestOf, type Slab } from "./slab.ts";
import { findRow, FULL } from "./table.ts";

export interface LimitRowOptions {
  readonly kind: number;
  /** Which of the shared rows stands in when the table is full. */
  readonly shared: number;
}

/**
 * The row of a limit by its name. When the table is full, one that all such limits of its kind
 * share: each is then stricter than configured, none is without a limit, and it is counted.
 */
export function limitRow(slab: Slab, name: string, { kind, shared }: LimitRowOptions): number {
  const row = findRow(slab, digestOf(slab, name), kind);
  if (row !== FULL) return row;
  Atomics.add(slab.i32, HEADER.rowsShared, 1);
  nameRow(slab, shared, kind);
  return shared;
}
