import { type Actor, NO_RECORD, valueAt } from "./actor.ts";
import { bucketOf, type BudgetLimit } from "./budget.ts";
import { calendarOf, calendarWord, packCalendar, periodIn } from "./calendar.ts";
import { type Journal, NONE_FREE } from "./journal.ts";
import { RECORD, RECORD_NUMBERS, ROW, STATE } from "./layout.ts";
import { recordWord, rowWord } from "./slab.ts";

// What a record says of a change of period, in the place of its holds.
const MAIN = RECORD.holds;
const BUCKET = RECORD.holds + 1;
const PERIOD = RECORD.holds + 2;
/** The cursor when the bucket's period is changed, and by us: from here on it is finished. */
const BEGUN = 1;

/**
 * Brings a budget to `period`, when it is in an earlier one. A clock that goes back changes
 * nothing. While somebody is at it, the budget is only stricter. False when it cannot be brought
 * there before a sweep: a process died in the middle of the period change before this one.
 */
export function rollBudget(actor: Actor, journal: Journal, roll: Roll): boolean {
  const { slab } = actor;
  const { limit, period } = roll;
  const { buckets, row } = limit;
  const known = calendarOf(slab, row);
  for (let each = Math.max(known.period, period - buckets.length) + 1; each <= period; each++) {
    rollBucket(actor, journal, { limit, period: each });
    if (periodIn(slab, bucketOf(limit, each)) < each) return false;
  }
  if (buckets.length === 1) return true;
  actor.record = NO_RECORD;
  const next = packCalendar({ ...known, period, rolled: period });
  actor.replace(calendarWord(slab, row), packCalendar(known), next);
  return true;
}

export interface Roll {
  readonly limit: BudgetLimit;
  readonly period: number;
}

function rollBucket(actor: Actor, journal: Journal, { limit, period }: Roll): void {
  const { slab } = actor;
  const bucket = bucketOf(limit, period);
  const from = calendarOf(slab, bucket);
  if (from.period >= period || from.rolled !== from.period) return;
  const record = journal.claim(actor.now);
  if (record === NONE_FREE) return;
  const word = recordWord(slab, record);
  slab.i32[word + MAIN] = limit.row;
  slab.i32[word + BUCKET] = bucket;
  slab.i32[word + PERIOD] = period;
  // Before the change: what is charged after it is of the new period, whoever finishes this.
  slab.f64[word / 2 + RECORD_NUMBERS.settledNano] = valueAt(
    slab,
    rowWord(slab, bucket) + ROW.spent,
  );
  Atomics.store(slab.i32, word + RECORD.cursor, 0);
  journal.mark(record, STATE.rolling);
  actor.record = record;
  actor.after = BEGUN;
  const [known, begun] = [packCalendar(from), packCalendar({ ...from, period })];
  if (actor.replace(calendarWord(slab, bucket), known, begun)) finishRoll(actor, record);
  journal.free(record);
}

/** Takes what was spent in the period that ended off its bucket and off the budget. */
export function finishRoll(actor: Actor, record: number): void {
  const { slab } = actor;
  const { i32, f64 } = slab;
  const word = recordWord(slab, record);
  const done = Atomics.load(i32, word + RECORD.cursor);
  if (done < BEGUN) return; // Somebody else changed the period, or nobody has.
  const bucket = i32[word + BUCKET]!;
  actor.record = record;
  actor.floor = 0;
  actor.delta = -f64[word / 2 + RECORD_NUMBERS.settledNano]!;
  actor.ceiling = Infinity;
  if (done === BEGUN) {
    actor.after = BEGUN + 1;
    actor.move(rowWord(slab, bucket) + ROW.spent);
  }
  if (done <= BEGUN + 1) {
    actor.after = BEGUN + 2;
    actor.move(rowWord(slab, i32[word + MAIN]!) + ROW.value);
  }
  markRolled(actor, bucket, i32[word + PERIOD]!);
}

/** The change is over. One that is swept long after it was may not undo a later one's mark. */
function markRolled(actor: Actor, bucket: number, period: number): void {
  const known = calendarOf(actor.slab, bucket);
  if (known.rolled >= period) return;
  actor.record = NO_RECORD;
  const over = packCalendar({ ...known, rolled: period });
  actor.replace(calendarWord(actor.slab, bucket), packCalendar(known), over);
}
