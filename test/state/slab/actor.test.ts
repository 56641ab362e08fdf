import { expect, test } from "bun:test";
import { Actor, recoverIntent, valueAt } from "../../../src/state/slab/actor.ts";
import { RECORD, ROW, SHARED_ROWS } from "../../../src/state/slab/layout.ts";
import { recordWord, rowWord, type Slab } from "../../../src/state/slab/slab.ts";
import { killAt, killed, watched, withWatching } from "./crash.ts";
import { join, smallSlab } from "./fixture.ts";

// The cursor of a record says how many steps were done for it. Each record moves the cell by an
// amount of its own, so the value of the cell tells exactly which steps were really done.

const AMOUNTS = [1, 100, 10_000] as const;

function step(actor: Actor, record: number, after: number): void {
  actor.record = record;
  actor.after = after;
  actor.delta = AMOUNTS[record]!;
  actor.move(cellOf(actor.slab));
}

function cellOf(slab: Slab): number {
  return rowWord(slab, SHARED_ROWS) + ROW.value;
}

function told(slab: Slab): number {
  return AMOUNTS.reduce((sum, amount, record) => {
    return sum + amount * Atomics.load(slab.i32, recordWord(slab, record) + RECORD.cursor);
  }, 0);
}

test("after a kill at any write the cursor says what was done, and the cell names no step", () => {
  for (let at = 0, isKilled = true; isKilled; at++) {
    const slab = smallSlab();
    const { station } = join(slab, 1);
    const seen = watched(slab, killAt(at));
    isKilled = killed(() => {
      const actor = new Actor(seen, station);
      step(actor, 0, 1);
      step(actor, 0, 2);
    });
    recoverIntent(slab, station);
    expect(valueAt(slab, cellOf(slab))).toBe(told(slab));
    expect(slab.b64[cellOf(slab) / 2]).toBeGreaterThanOrEqual(0n);
    if (!isKilled) expect(told(slab)).toBe(2);
  }
});

test("a recovery cut short at any write is the next one's to finish", () => {
  for (let at = 0, isKilled = true; isKilled; at++) {
    for (let cut = 0, isCut = true; isCut; cut++) {
      const slab = smallSlab();
      const { station } = join(slab, 1);
      isKilled = killed(() => step(new Actor(watched(slab, killAt(at)), station), 0, 1));
      isCut = killed(() => recoverIntent(watched(slab, killAt(cut)), station));
      recoverIntent(slab, station);
      expect(valueAt(slab, cellOf(slab))).toBe(told(slab));
    }
  }
});

/**
 * A step is killed at write `at`. Another process comes upon it and stalls at its access number
 * `stall`; meanwhile the first is recovered, and a new process at its station is killed at write
 * `next` of its two steps. Then the stalled one goes on. Whether the numbers were reached.
 */
function comeUpon({ at, stall, next }: { at: number; stall: number; next: number }) {
  const slab = smallSlab();
  const [one, two] = [join(slab, 1).station, join(slab, 2).station];
  const reached = { killed: false, stalled: false, next: false };
  reached.killed = killed(() => step(new Actor(watched(slab, killAt(at)), one), 0, 1));
  let accesses = 0;
  const access = (): void => {
    if (accesses++ !== stall) return;
    reached.stalled = true;
    recoverIntent(slab, one);
    const newcomer = watched(slab, killAt(next));
    reached.next = killed(() => {
      const actor = new Actor(newcomer, one);
      step(actor, 2, 1);
      step(actor, 2, 2);
    });
  };
  const seen = watched(slab, access, { load: access });
  withWatching(() => step(new Actor(seen, two), 1, 1));
  recoverIntent(slab, one);
  expect(valueAt(slab, cellOf(slab))).toBe(told(slab));
  expect(told(slab) % AMOUNTS[2]).toBeGreaterThanOrEqual(AMOUNTS[1]);
  return reached;
}

test("a helper that comes late to a step changes nothing of what its station does since", () => {
  for (let at = 0, isKilled = true; isKilled; at++) {
    for (let stall = 0, isStalled = true; isStalled; stall++) {
      for (let next = 0, isNext = true; isNext; next++) {
        const reached = comeUpon({ at, stall, next });
        isKilled = reached.killed;
        isStalled = reached.stalled;
        isNext = reached.next;
      }
    }
  }
});

test("a cell that names a step nobody is at is found out instead of looked at for ever", () => {
  const slab = smallSlab();
  const actor = join(slab, 1);
  slab.b64[cellOf(slab) / 2] = -5n;
  expect(() => valueAt(slab, cellOf(slab))).toThrow("nobody is at");
  expect(() => actor.move(cellOf(slab))).toThrow("nobody is at");
  expect(() => actor.replace(cellOf(slab), 0, 1)).toThrow("nobody is at");
});
