import { valueAt } from "./actor.ts";
import { calendarOf, calendarWord, packCalendar, unpackCalendar } from "./calendar.ts";
import { KIND, ROW, SHARED_ROWS } from "./layout.ts";
import { digestOf, rowWord, type Slab } from "./slab.ts";
import { findRow, FULL } from "./table.ts";

// A node's part of a budget that several nodes spend from. Three rows stand beside the budget's:
// - share: `value` is up to where this node may go, `spent` what it was refused since that was last
//   looked at; its period is the one that is for, rolled to 1 once it was ever said.
// - shareUse: `value` is the budget's name among nodes, `spent` what all others have used.
// - shareOf: leads there. `value` is the budget's whole, `spent` the row of the use; its calendar
//   holds the budget's row for a period, and that of the share.
// One process writes them, the keeper of shares; who admits only reads, and adds what it wanted.

/** How a budget finds its part. */
export interface BudgetShare {
  readonly row: number;
  readonly use: number;
  /** What may be used of a period before the keeper has said anything of it. */
  readonly slice: number;
  /** A rolling window has one part for all its steps. */
  readonly rolls: boolean;
}

export interface ShareSpec {
  /** The budget's name, the same on every node. */
  readonly name: string;
  readonly row: number;
  readonly max: number;
  readonly slice: number;
  readonly rolls: boolean;
}

/** Makes the rows of a budget's part; undefined when the table takes no more. */
export function budgetShare(slab: Slab, spec: ShareSpec): BudgetShare | undefined {
  const { name, max, slice, rolls } = spec;
  const row = findRow(slab, digestOf(slab, `share ${name}`), KIND.share);
  const use = findRow(slab, digestOf(slab, `share use ${name}`), KIND.shareUse);
  const of = findRow(slab, digestOf(slab, `share of ${name}`), KIND.shareOf);
  if (row === FULL || use === FULL || of === FULL) return undefined;
  put(slab, rowWord(slab, use) + ROW.value, shareName(name, rolls));
  put(slab, rowWord(slab, of) + ROW.value, max);
  put(slab, rowWord(slab, of) + ROW.spent, use);
  const found = { kind: KIND.shareOf, rolled: row, period: spec.row };
  put(slab, calendarWord(slab, of), packCalendar(found));
  return { row, use, slice, rolls };
}

/** Up to where this node may go with a budget that is in `period`. */
export function shareCeiling(slab: Slab, share: BudgetShare, period: number): number {
  const { row, slice, rolls } = share;
  const said = packCalendar({ kind: KIND.share, rolled: SAID, period: rolls ? 0 : period });
  if (valueAt(slab, calendarWord(slab, row)) !== said) return slice;
  return valueAt(slab, rowWord(slab, row) + ROW.value);
}

/** Tells the keeper what could have been admitted with a greater part. */
export function wantShare({ b64 }: Slab, word: number, amount: number): void {
  Atomics.add(b64, (word + ROW.spent) / 2, BigInt(amount));
}

/** What all other nodes have used of the budget's period. */
export function usedElsewhere(
  slab: Slab,
  { use, row, rolls }: BudgetShare,
  period: number,
): number {
  const known = calendarOf(slab, row);
  if (known.rolled !== SAID || known.period !== (rolls ? 0 : period)) return 0;
  return valueAt(slab, rowWord(slab, use) + ROW.spent);
}

/** A budget that is shared, for its keeper. */
export interface SharedBudget {
  /** Its name among nodes. */
  readonly name: string;
  readonly unit: "nano" | "tokens";
  readonly max: number;
  readonly row: number;
  readonly share: number;
  readonly use: number;
  readonly rolls: boolean;
}

/** Every budget of the slab that is shared. */
export function sharedBudgets(slab: Slab): readonly SharedBudget[] {
  const found: SharedBudget[] = [];
  const last = SHARED_ROWS + slab.layout.tableRows;
  for (let of = SHARED_ROWS; of < last; of++) {
    const {
      kind,
      rolled: share,
      period: row,
    } = unpackCalendar(valueAt(slab, calendarWord(slab, of)));
    if (kind !== KIND.shareOf || share === 0) continue;
    const max = valueAt(slab, rowWord(slab, of) + ROW.value);
    const use = valueAt(slab, rowWord(slab, of) + ROW.spent);
    const name = valueAt(slab, rowWord(slab, use) + ROW.value);
    if (name === 0) continue; // Nobody has used it since the machine was started.
    const unit = calendarOf(slab, row).kind === KIND.nanoBudget ? "nano" : "tokens";
    const rolls = name % 2 === 1;
    found.push({ name: name.toString(16), unit, max, row, share, use, rolls });
  }
  return found;
}

/** How a budget stands on this node. */
export interface ShareState {
  /** Of its rows; 0 for a rolling window. */
  readonly period: number;
  readonly used: number;
  /** Undefined while only the first slice may be used. */
  readonly ceiling: number | undefined;
}

export function shareState(slab: Slab, { row, share, rolls }: SharedBudget): ShareState {
  const period = rolls ? 0 : calendarOf(slab, row).period;
  const known = calendarOf(slab, share);
  const isSaid = known.rolled === SAID && known.period === period;
  const ceiling = isSaid ? valueAt(slab, rowWord(slab, share) + ROW.value) : undefined;
  return { period, used: valueAt(slab, rowWord(slab, row) + ROW.value), ceiling };
}

/** What was refused since this was last asked. */
export function takeWanted(slab: Slab, { share }: SharedBudget): number {
  return Number(Atomics.exchange(slab.b64, (rowWord(slab, share) + ROW.spent) / 2, 0n));
}

/** Says up to where this node may go in a period, and what others have used of it. */
export function sayShare(slab: Slab, budget: SharedBudget, said: SaidShare): void {
  const { share, use } = budget;
  const { period, ceiling, others } = said;
  const at = calendarWord(slab, share);
  const packed = packCalendar({ kind: KIND.share, rolled: SAID, period });
  // Between two periods nobody may take the one's ceiling for the other's.
  if (valueAt(slab, at) !== packed) {
    put(slab, at, packCalendar({ kind: KIND.share, rolled: 0, period }));
  }
  put(slab, rowWord(slab, share) + ROW.value, ceiling);
  put(slab, rowWord(slab, use) + ROW.spent, others);
  put(slab, at, packed);
}

export interface SaidShare {
  readonly period: number;
  readonly ceiling: number;
  readonly others: number;
}

const SAID = 1;

/** 48 bits of a digest that all nodes reckon alike, and one for a rolling window. */
function shareName(name: string, rolls: boolean): number {
  const digest = new Bun.CryptoHasher("sha256").update(name).digest("hex");
  return Number.parseInt(digest.slice(0, 12), 16) * 2 + Number(rolls);
}

/** No step ever changes these cells: they hold what was last put there. */
function put({ b64 }: Slab, word: number, value: number): void {
  Atomics.store(b64, word / 2, BigInt(value));
}
