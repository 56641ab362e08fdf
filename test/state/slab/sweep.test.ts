import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Admitted, Limits } from "../../../src/state/slab/limits.ts";
import type { Slab } from "../../../src/state/slab/slab.ts";
import { Actor } from "../../../src/state/slab/actor.ts";
import { peekBudget } from "../../../src/state/slab/budget.ts";
import { isRolling, periodIn } from "../../../src/state/slab/calendar.ts";
import { recordsTaken } from "../../../src/state/slab/journal.ts";
import type { Orphan } from "../../../src/state/slab/record.ts";
import { slotsTaken } from "../../../src/state/slab/slots.ts";
import { sweep } from "../../../src/state/slab/sweep.ts";
import { killAt, Killed, killed, watched, withWatching } from "./crash.ts";
import {
  ask,
  type Books,
  cellsFrom,
  cellsOf,
  DAY,
  drainFacts,
  everyLimit,
  factOf,
  join,
  listOf,
  NOW,
  smallSlab,
  sweepBut,
  stationsTaken,
  truth,
} from "./fixture.ts";

// A kill is simulated by refusing one write to shared memory and all that would follow it, at every
// write there is: what a process wrote before stays, as it does in pages mapped shared.

/** What a worker had finished when it died. */
interface Progress {
  admitted: number;
  settled: number;
}

/** One request left running, two settled, one refused by its last limit, another left running. */
function work(limits: Limits, slab: Slab, progress: Progress, wall: number): void {
  const list = listOf(everyLimit(slab));
  const refusing = { ...everyLimit(slab).money, max: 0 };
  limits.admit(ask({ limits: list, wall }));
  progress.admitted++;
  for (const [tokens, nano] of [
    [30, 400],
    [150, 2000],
  ] as const) {
    const admitted = limits.admit(ask({ limits: list, wall })) as Admitted;
    progress.admitted++;
    limits.delivered(admitted, 5);
    limits.settle(admitted, truth(tokens, nano));
    progress.settled++;
  }
  expect(limits.admit(ask({ limits: [...list, refusing], wall })).kind).toBe("refused");
  const running = limits.admit(ask({ limits: list, wall })) as Admitted;
  progress.admitted++;
  limits.delivered(running, 20);
}

interface Scene {
  readonly slab: Slab;
  readonly progress: Progress;
  /** Facts of whoever else worked meanwhile. */
  others: number;
}

function scene(): Scene {
  const slab = smallSlab();
  everyLimit(slab);
  return { slab, progress: { admitted: 0, settled: 0 }, others: 0 };
}

/** A worker that is killed at write `at`; false when it came to its end before. */
function dies({ slab, progress }: Scene, at: number, before?: (write: number) => void): boolean {
  const actor = join(slab, 101 + stationsTaken(slab));
  const seen = watched(slab, killAt(at, before));
  return killed(() => {
    work(new Limits(new Actor(seen, actor.station)), seen, progress, DAY);
  });
}

function otherWorks(scene: Scene, limits: Limits): void {
  const list = listOf(everyLimit(scene.slab));
  const admitted = limits.admit(ask({ limits: list, wall: DAY }));
  if (admitted.kind !== "admitted") throw new Error("refused");
  limits.settle(admitted, truth(7, 11));
  scene.others++;
}

/** Every cell agrees with the facts, and no request is missing from them or twice in them. */
function expectBalanced({ slab, progress, others }: Scene): Books {
  const books = drainFacts(slab);
  const own = books.facts - others;
  // Between the write that admits and the answer there may be a kill: one more than we heard of.
  expect(own).toBeGreaterThanOrEqual(progress.admitted);
  expect(own).toBeLessThanOrEqual(progress.admitted + 1);
  expect(cellsOf(slab, everyLimit(slab))).toEqual(cellsFrom(books));
  return books;
}

describe("a worker killed at any write", () => {
  test("loses nothing, doubles nothing, leaves no reservation", () => {
    let at = 0;
    for (; ; at++) {
      const each = scene();
      const supervisor = join(each.slab, 1);
      const isKilled = dies(each, at);
      sweepBut(supervisor, [1]);
      expectBalanced(each);
      expect(stationsTaken(each.slab)).toBe(1);
      if (!isKilled) break;
    }
    expect(at).toBeGreaterThan(150);
  });

  test("and another works on the same cells before anybody sweeps", () => {
    for (let at = 0; ; at++) {
      const each = scene();
      const supervisor = join(each.slab, 1);
      const other = new Limits(join(each.slab, 2));
      const isKilled = dies(each, at);
      otherWorks(each, other);
      sweepBut(supervisor, [1, 2]);
      expectBalanced(each);
      if (!isKilled) break;
    }
  }, 120_000);

  test("and another works on the same cells just before any write of the last ten", () => {
    for (let at = 0; ; at++) {
      let isKilled = true;
      for (let gap = 0; gap < 10; gap++) {
        const each = scene();
        const supervisor = join(each.slab, 1);
        const other = new Limits(join(each.slab, 2));
        isKilled = dies(each, at, (write) => {
          if (write === at - gap) otherWorks(each, other);
        });
        sweepBut(supervisor, [1, 2]);
        expectBalanced(each);
      }
      if (!isKilled) break;
    }
  }, 120_000);

  test("is settled by the next supervisor when the first is killed at any write of its sweep", () => {
    for (let at = 0; ; at += 3) {
      let isKilled = true;
      for (let sweepAt = 0; ; sweepAt++) {
        const each = scene();
        const { slab } = each;
        const first = join(slab, 1);
        isKilled = dies(each, at);
        const seen = watched(slab, killAt(sweepAt));
        const sweepKilled = killed(() => sweepBut(new Actor(seen, first.station), [1]));
        sweepBut(join(slab, 2), [2]);
        expectBalanced(each);
        expect(stationsTaken(slab)).toBe(1);
        if (!sweepKilled) break;
      }
      if (!isKilled) break;
    }
  }, 120_000);
});

test("two workers, one killed in the midst of the other, and two sweepers after them", () => {
  const write = fc.nat(420);
  fc.assert(
    fc.property(write, write, write, write, (at, meanwhile, otherAt, sweepAt) => {
      const each = scene();
      const { slab } = each;
      const first = join(slab, 1);
      dies(each, at, (write) => {
        if (write === meanwhile) dies(each, otherAt);
      });
      const seen = watched(slab, killAt(sweepAt));
      killed(() => sweepBut(new Actor(seen, first.station), [1]));
      sweepBut(join(slab, 2), [2]);
      const books = drainFacts(slab);
      const { facts } = books;
      expect(cellsOf(slab, everyLimit(slab))).toEqual(cellsFrom(books));
      expect(facts).toBeGreaterThanOrEqual(each.progress.admitted);
      expect(facts).toBeLessThanOrEqual(each.progress.admitted + 2);
    }),
    { numRuns: process.env["INTERLOCK_FULL"] === "1" ? 50_000 : 1500 },
  );
}, 300_000);

/**
 * One worker stalls before its access number `stall`; meanwhile a second works, and a third, whose
 * tags were on every cell, is killed at its write number `at`. Whether either number was reached.
 */
function stallAndKill(stall: number, at: number): { stalled: boolean; killed: boolean } {
  const slab = smallSlab();
  const list = listOf(everyLimit(slab));
  const supervisor = join(slab, 1);
  const second = new Limits(join(slab, 2));
  const [slow, victim] = [join(slab, 3).station, join(slab, 4).station];
  const work = (limits: Limits, nano: number): void => {
    limits.settle(limits.admit(ask({ limits: list })) as Admitted, truth(nano, nano));
  };
  let writesLeft = Infinity;
  const victimSees = watched(slab, () => {
    if (writesLeft-- <= 0) throw new Killed();
  });
  const reached = { stalled: false, killed: false };
  let accesses = 0;
  let meanwhile = (): void => {};
  const access = (): void => {
    if (accesses++ === stall) meanwhile();
  };
  const slowSees = watched(slab, access, { load: access });
  withWatching(() => {
    const third = new Limits(new Actor(victimSees, victim));
    work(third, 1);
    meanwhile = () => {
      reached.stalled = true;
      work(second, 3);
      writesLeft = at;
      reached.killed = killed(() => work(third, 4));
    };
    work(new Limits(new Actor(slowSees, slow)), 2);
  });
  sweepBut(supervisor, [1, 2, 3]);
  expect(cellsOf(slab, everyLimit(slab))).toEqual(cellsFrom(drainFacts(slab)));
  return reached;
}

test("what a dead request reserved in addition counts until its record is charged", () => {
  const slab = smallSlab();
  const supervisor = join(slab, 1);
  const limits = new Limits(join(slab, 2));
  const { money } = everyLimit(slab);
  // Given back in this order, the records are taken the other way round.
  const both = [1, 2].map(() => limits.admit(ask({})) as Admitted);
  for (const each of both) limits.settle(each, { ...truth(0, 0), fact: undefined });
  const first = limits.admit(ask({ limits: [money] })) as Admitted;
  const more = ask({ limits: [money], inputTokens: 0, inputNano: 0, isExtra: true });
  const second = limits.admit(more) as Admitted;
  expect(second.record).toBeLessThan(first.record);
  limits.delivered(first, 300);
  const delivered = 50 + 300 * 5;
  const least: number[] = [];
  const seen = watched(slab, () => least.push(money.max - peekBudget(slab, money).remaining));
  withWatching(() => sweepBut(new Actor(seen, supervisor.station), [1]));
  expect(Math.min(...least)).toBe(delivered);
  expect(peekBudget(slab, money)).toMatchObject({ spent: delivered, reserved: 0 });
});

test("a worker that stalls anywhere, while others go on and one is killed, believes nothing old", () => {
  for (let stall = 0; ; stall++) {
    let stalled = false;
    for (let at = 0; ; at++) {
      const reached = stallAndKill(stall, at);
      stalled = reached.stalled;
      if (!reached.killed) break;
    }
    if (!stalled) break;
  }
}, 120_000);

test("a request that ends and another that begins while somebody sweeps are nobody's but theirs", () => {
  for (let at = 0; ; at++) {
    const slab = smallSlab({ records: 1 });
    // The station a free record seems to be of.
    join(slab, 101);
    const supervisor = join(slab, 1);
    const limits = new Limits(join(slab, 2));
    const list = listOf(everyLimit(slab));
    let admitted = limits.admit(ask({ limits: list })) as Admitted;
    let reads = 0;
    const load = (): void => {
      const read = reads++;
      if (read === at) limits.settle(admitted, truth(1, 1));
      if (read === at + 1) admitted = limits.admit(ask({ limits: list })) as Admitted;
    };
    const seen = watched(slab, () => {}, { load });
    killed(() => sweepBut(new Actor(seen, supervisor.station), [1, 2]));
    if (reads <= at + 1) break;
    limits.settle(admitted, truth(1, 1));
    expect(cellsOf(slab, everyLimit(slab))).toEqual(cellsFrom(drainFacts(slab)));
  }
});

describe("a request whose process died", () => {
  const died = (delivered: number | undefined) => {
    const slab = smallSlab({ records: 1 });
    const supervisor = join(slab, 1);
    const limits = new Limits(join(slab, 101));
    const list = listOf(everyLimit(slab));
    const before = limits.admit(ask({ limits: list, wall: DAY })) as Admitted;
    limits.delivered(before, 999);
    limits.settle(before, { ...truth(0, 0), fact: undefined });
    const tag = new Uint8Array(64).fill(7);
    const cost = { inputTokens: 10, inputNano: 50, outputNanoPerMillion: 1_500_001 };
    const admitted = limits.admit(ask({ limits: list, wall: DAY, tag, priceKey: 3, ...cost }));
    if (delivered !== undefined) limits.delivered(admitted as Admitted, delivered);
    const orphans: Orphan[] = [];
    const options = { isAlive: () => false, nowNs: NOW };
    const swept = sweep(supervisor, {
      ...options,
      factOf: (orphan) => {
        orphans.push(orphan);
        return factOf(orphan);
      },
    });
    expect(swept).toMatchObject({ settled: 1, undone: 0, waiting: 0 });
    // Every request has one fact, so an allowance for the silent one before.
    const books = drainFacts(slab);
    expect(cellsOf(slab, everyLimit(slab))).toEqual({ ...cellsFrom(books), requests: 2 });
    return orphans;
  };

  test("pays for its input and what was delivered, as an estimate", () => {
    expect(died(2_000_001)).toEqual([
      {
        ...{ tokens: 2_000_011, nano: 50 + 3_000_004, estimated: true, inputTokens: 10 },
        ...{ outputTokens: 2_000_001, startedWall: DAY, priceKey: 3 },
        tag: new Uint8Array(64).fill(7),
      },
    ]);
  });
  test("pays for its input when an answer began", () => {
    expect(died(0)).toMatchObject([{ tokens: 10, nano: 50, outputTokens: 0 }]);
  });
  test("pays nothing when none did", () => {
    expect(died(undefined)).toMatchObject([{ tokens: 0, nano: 0, outputTokens: undefined }]);
  });
});

describe("a change of period cut short by a kill at any write", () => {
  const yesterday = 5 * DAY;
  const today = 6 * DAY;

  /** A worker that settles 400 yesterday and 2000 today. */
  function diesToday({ slab, progress }: Scene, at: number): boolean {
    const seen = watched(slab, killAt(at));
    const actor = join(slab, 101);
    return killed(() => {
      const limits = new Limits(new Actor(seen, actor.station));
      const list = listOf(everyLimit(seen));
      for (const [wall, nano] of [
        [yesterday, 400],
        [today, 2000],
      ] as const) {
        const admitted = limits.admit(ask({ limits: list, wall })) as Admitted;
        limits.settle(admitted, truth(0, nano));
        progress.settled++;
      }
    });
  }

  test.each([[today], [7 * DAY], [9 * DAY]])(
    "is finished, also when others work at %d first",
    (wall) => {
      for (let at = 0; ; at++) {
        const each = scene();
        const { slab } = each;
        const { money } = everyLimit(slab);
        const supervisor = join(slab, 1);
        const other = new Limits(join(slab, 2));
        const isKilled = diesToday(each, at);
        let worked = 0;
        const work = (): boolean => {
          const admitted = other.admit(ask({ limits: listOf(everyLimit(slab)), wall }));
          if (admitted.kind === "refused") return false;
          other.settle(admitted, truth(0, 11));
          worked += 11;
          return true;
        };
        work();
        sweepBut(supervisor, [1, 2]);
        expect(work()).toBe(true);
        const { spent, reserved } = peekBudget(slab, money);
        const { nano } = drainFacts(slab);
        expect(reserved).toBe(0);
        const closed = wall === today ? [400, 0] : [2400, 400, 2000, 0];
        // What was settled before the period ended is forgiven; what the sweep settled is not.
        expect(closed).toContain(nano - spent);
        if (each.progress.settled === 2) expect(spent).toBe(worked + (wall === today ? 2000 : 0));
        if (each.progress.settled === 1) expect(nano - spent).toBeGreaterThanOrEqual(400);
        expect(spent).toBeGreaterThanOrEqual(worked);
        expect(recordsTaken(slab)).toBe(0);
        expect(isRolling(slab, money.row)).toBe(false);
        expect(periodIn(slab, money.row)).toBe(wall / DAY);
        if (!isKilled) break;
      }
    },
  );

  test("or entered by others in the middle of any step leaves no reservation", () => {
    for (let at = 0; ; at++) {
      const each = scene();
      const { slab } = each;
      const { money, window } = everyLimit(slab);
      const other = new Limits(join(slab, 2));
      const list = listOf(everyLimit(slab));
      let worked = false;
      const enter = (write: number): void => {
        if (write !== at) return;
        worked = true;
        const admitted = other.admit(ask({ limits: list, wall: 7 * DAY }));
        if (admitted.kind === "admitted") other.settle(admitted, truth(9, 11));
      };
      const seen = watched(slab, killAt(Infinity, enter));
      const { station } = join(slab, 1);
      killed(() => {
        const limits = new Limits(new Actor(seen, station));
        const admitted = limits.admit(ask({ limits: list, wall: today })) as Admitted;
        limits.settle(admitted, truth(5000, 2000));
      });
      expect(peekBudget(slab, money)).toMatchObject({ reserved: 0 });
      expect(peekBudget(slab, window)).toMatchObject({ reserved: 0 });
      expect(slotsTaken(slab, everyLimit(slab).slots)).toBe(0);
      expect(recordsTaken(slab)).toBe(0);
      if (!worked) break;
    }
  });
});

test("what finds no room in the ring of the dead waits there until somebody reads", () => {
  const slab = smallSlab({ records: 64, ringBytes: 256 });
  const supervisor = join(slab, 1);
  const limits = new Limits(join(slab, 101));
  const list = listOf(everyLimit(slab));
  for (let each = 0; each < 20; each++) {
    const admitted = limits.admit(ask({ limits: list })) as Admitted;
    if (each < 14) limits.settle(admitted, truth(each, each));
  }
  let books = { facts: 0, tokens: 0, nano: 0 };
  for (let round = 0; round < 9; round++) {
    const { waiting } = sweepBut(supervisor, [1]);
    expect(stationsTaken(slab)).toBe(waiting === 0 ? 1 : 2);
    const { facts, tokens, nano } = drainFacts(slab);
    books = { facts: books.facts + facts, tokens: books.tokens + tokens, nano: books.nano + nano };
  }
  expect(books).toEqual({ facts: 20, tokens: 91, nano: 91 });
  expect(cellsOf(slab, everyLimit(slab))).toEqual(cellsFrom(books));
});
