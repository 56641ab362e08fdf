import type { Actor } from "./actor.ts";
import { type BudgetLimit, reserveBudget } from "./budget.ts";
import { KIND, RECORD, RECORD_NUMBERS, ROW } from "./layout.ts";
import { type RateLimit, takeRate, ticksOf } from "./rate.ts";
import { recordWord, rowWord } from "./slab.ts";
import { type SlotLimit, takeSlot } from "./slots.ts";

/** What a request can be held to. */
export type Limit = RateLimit | SlotLimit | BudgetLimit;

/** What a request takes of its limits: an estimate at first, then the truth. */
export interface Cost {
  readonly tokens: number;
  readonly nano: number;
}

const KIND_BITS = 3;
const KIND_MASK = 7;
const single = new Float32Array(1);
const singleBits = new Int32Array(single.buffer);

/** The first word of a record's hold on `limit`. */
export function holdOn(limit: Limit): number {
  return (limit.row << KIND_BITS) | limit.kind;
}

/** Its second: what a token is in ticks, or the row a budget is charged in. */
export function holdDetail(limit: Limit, bucket: number): number {
  if (limit.kind !== KIND.requests && limit.kind !== KIND.tokens) return bucket;
  single[0] = limit.emission;
  return singleBits[0]!;
}

/** Takes one limit at the actor's tick for the actor's record; false when there is not enough. */
export function takeHold(actor: Actor, limit: Limit, cost: Cost): boolean {
  switch (limit.kind) {
    case KIND.requests:
      return takeRate(actor, limit, 1);
    case KIND.tokens:
      return takeRate(actor, limit, cost.tokens);
    case KIND.slots:
      return takeSlot(actor, limit);
    case KIND.nanoBudget:
      return reserveBudget(actor, limit, cost.nano);
    case KIND.tokenBudget:
      return reserveBudget(actor, limit, cost.tokens);
  }
}

/**
 * Gives back what a record that is not admitted has taken, the last hold first. Whoever goes on
 * after a kill begins where the cursor is.
 */
export function undoHolds(actor: Actor, record: number): void {
  const { i32, f64 } = actor.slab;
  const word = recordWord(actor.slab, record);
  const tokens = f64[word / 2 + RECORD_NUMBERS.takenTokens]!;
  const nano = f64[word / 2 + RECORD_NUMBERS.takenNano]!;
  actor.record = record;
  for (let hold = Atomics.load(i32, word + RECORD.cursor) - 1; hold >= 0; hold--) {
    const at = word + RECORD.holds + hold * 2;
    actor.after = hold;
    const kind = i32[at]! & KIND_MASK;
    const amount = kind === KIND.requests ? 1 : kind === KIND.nanoBudget ? nano : tokens;
    changeHold(actor, at, kind === KIND.slots ? -1 : -inCell(i32, at, amount));
  }
}

/**
 * Makes of a record's estimates the truth that is written in it, and gives its slots back. Each
 * hold has two places of the cursor: first what the limit bounds, then a budget's spending, so that
 * the one is never less than the other, and a period that ends in between takes no more off it.
 */
export function settleHolds(actor: Actor, record: number): void {
  const { slab } = actor;
  const { i32 } = slab;
  const word = recordWord(slab, record);
  const count = i32[word + RECORD.holdCount]!;
  actor.record = record;
  for (let done = Atomics.load(i32, word + RECORD.cursor) - count; done < 2 * count; done++) {
    actor.after = count + done + 1;
    const at = word + RECORD.holds + (done >> 1) * 2;
    if ((done & 1) === 0) settleHold(actor, word, at);
    else chargeBucket(actor, word, at);
  }
}

function settleHold(actor: Actor, record: number, at: number): void {
  const { i32, f64 } = actor.slab;
  const kind = i32[at]! & KIND_MASK;
  if (kind === KIND.slots) changeHold(actor, at, -1);
  if (kind === KIND.slots || kind === KIND.requests || kind === KIND.none) return;
  const nano = kind === KIND.nanoBudget;
  const settled = nano ? RECORD_NUMBERS.settledNano : RECORD_NUMBERS.settledTokens;
  const taken = nano ? RECORD_NUMBERS.takenNano : RECORD_NUMBERS.takenTokens;
  const truth = inCell(i32, at, f64[record / 2 + settled]!);
  changeHold(actor, at, truth - inCell(i32, at, f64[record / 2 + taken]!));
}

function chargeBucket(actor: Actor, record: number, at: number): void {
  const { i32, f64 } = actor.slab;
  const kind = i32[at]! & KIND_MASK;
  if (kind !== KIND.nanoBudget && kind !== KIND.tokenBudget) return;
  const nano = kind === KIND.nanoBudget;
  const settled = nano ? RECORD_NUMBERS.settledNano : RECORD_NUMBERS.settledTokens;
  actor.floor = 0;
  actor.delta = f64[record / 2 + settled]!;
  actor.ceiling = Infinity;
  if (actor.delta !== 0) actor.move(rowWord(actor.slab, i32[at + 1]!) + ROW.spent);
}

/** Moves the cell of the hold at `at`. */
function changeHold(actor: Actor, at: number, delta: number): void {
  const { slab } = actor;
  const kind = slab.i32[at]! & KIND_MASK;
  if (delta === 0 || kind === KIND.none) return;
  // More than was reserved is owed from now on: an arrival time in the past would swallow it.
  actor.floor = delta > 0 && kind === KIND.tokens ? actor.now : 0;
  actor.delta = delta;
  actor.ceiling = Infinity;
  actor.move(rowWord(slab, slab.i32[at]! >>> KIND_BITS) + ROW.value);
}

/** An amount in the unit of its cell: rates count ticks. */
function inCell(i32: Int32Array, at: number, amount: number): number {
  const kind = i32[at]! & KIND_MASK;
  if (kind !== KIND.requests && kind !== KIND.tokens) return amount;
  singleBits[0] = i32[at + 1]!;
  return ticksOf(amount, single[0]!);
}

/** Makes a hold of an earlier boot mean nothing where the cell it was on starts anew. */
export function voidHold(i32: Int32Array, at: number): void {
  const kind = i32[at]! & KIND_MASK;
  if (kind <= KIND.slots) i32[at] = KIND.none;
}
