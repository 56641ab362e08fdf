import { type Actor, valueAt } from "./actor.ts";
import { KIND, ROW } from "./layout.ts";
import { limitRow } from "./limit-row.ts";
import { rowWord, type Slab } from "./slab.ts";

/** So many requests at once, exact over all workers. */
export interface SlotLimit {
  readonly kind: typeof KIND.slots;
  readonly row: number;
  readonly max: number;
}

/** A limit of requests in flight. */
export function slotLimit(slab: Slab, subject: string, max: number): SlotLimit {
  const row = limitRow(slab, `slots ${subject}`, { kind: KIND.slots, shared: KIND.slots });
  return { kind: KIND.slots, row, max };
}

/** Takes one of the slots. */
export function takeSlot(actor: Actor, limit: SlotLimit): boolean {
  actor.floor = 0;
  actor.delta = 1;
  actor.ceiling = limit.max;
  return actor.move(rowWord(actor.slab, limit.row) + ROW.value);
}

/** How many are in flight now. */
export function slotsTaken(slab: Slab, limit: SlotLimit): number {
  return valueAt(slab, rowWord(slab, limit.row) + ROW.value);
}
