import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Actor } from "../../../src/state/slab/actor.ts";
import { peekBudget, restoreSpent } from "../../../src/state/slab/budget.ts";
import { recordsTaken } from "../../../src/state/slab/journal.ts";
import {
  HEADER,
  LAYOUT_VERSION,
  layoutOf,
  ROW,
  sizesHash,
} from "../../../src/state/slab/layout.ts";
import { type Admitted, Limits } from "../../../src/state/slab/limits.ts";
import { type OpenSlab, openSlab, slabInMemory } from "../../../src/state/slab/open.ts";
import { peekRate, requestLimit } from "../../../src/state/slab/rate.ts";
import { rowWord, type Slab } from "../../../src/state/slab/slab.ts";
import { slotsTaken } from "../../../src/state/slab/slots.ts";
import { killAt, killed, watched } from "./crash.ts";
import {
  ask,
  drainFacts,
  everyLimit,
  join,
  listOf,
  NOW,
  SMALL,
  stationsTaken,
  sweepBut,
  takenOf,
  truth,
} from "./fixture.ts";
import { cleanUp, mappedSlab, slabPath, startWorker } from "./processes.ts";

afterEach(cleanUp);

/** What the name of our slab ends with. */
const ours = `v${LAYOUT_VERSION}-${sizesHash(SMALL).toString(16)}-boot1`;

function opened(path: string, over: Partial<OpenSlab> = {}): Slab {
  const slab = openSlab({ path, sizes: SMALL, bootId: "boot-1", seed: 5n, ...over });
  if ("problem" in slab) throw new Error(slab.problem);
  return slab;
}

test("what one process writes the other reads, and both know the same rows", () => {
  const path = slabPath();
  const [one, two] = [opened(path), opened(path, { seed: 6n })];
  expect([one.origin, two.origin]).toEqual(["created", "found"]);
  expect(two.seed).toBe(5n);
  const limits = new Limits(join(one, 1));
  limits.admit(ask({ limits: listOf(everyLimit(one)) }));
  expect(slotsTaken(two, everyLimit(two).slots)).toBe(1);
  expect(statSync(`${path}.${ours}`).size).toBe(one.layout.byteLength);
});

test("of many that start at once one makes the file and all map it", async () => {
  for (let round = 0; round < 3; round++) {
    const path = slabPath();
    const orders = Array.from({ length: 5 }, () => startWorker(path, { do: "take", count: 10 }));
    const workers = await Promise.all(orders);
    for (const worker of workers) expect(await worker.line()).toBe("taken");
    const slab = mappedSlab(path);
    expect(stationsTaken(slab)).toBe(5);
    const limit = requestLimit(slab, "kept", { perMinute: 100 });
    expect(peekRate(slab, limit, NOW).remaining).toBe(50);
    expect(readdirSync(dirname(path))).toHaveLength(1);
    await cleanUp();
  }
}, 60_000);

test("limits outlive every process that kept them", async () => {
  const path = slabPath();
  const worker = await startWorker(path, { do: "take", count: 70 });
  await worker.line();
  await worker.kill();
  const next = await startWorker(path, { do: "take", count: 70 });
  await next.line();
  await next.kill();
  const slab = mappedSlab(path);
  expect(peekRate(slab, requestLimit(slab, "kept", { perMinute: 100 }), NOW).remaining).toBe(0);
  sweepBut(join(slab, 1), []);
  // A hundred were admitted, and none of those seen to its end.
  expect(drainFacts(slab)).toEqual({ facts: 100, tokens: 0, nano: 0 });
});

describe("another boot", () => {
  test("keeps what the calendar counts and what nobody settled, and nothing else", () => {
    const path = slabPath();
    const before = opened(path);
    const limits = new Limits(join(before, 7));
    const list = listOf(everyLimit(before));
    const first = limits.admit(ask({ limits: list })) as Admitted;
    limits.settle(first, truth(30, 300));
    const running = limits.admit(ask({ limits: list })) as Admitted;
    limits.delivered(running, 40);

    const after = opened(path, { bootId: "boot-2", seed: 9n });
    expect(after.origin).toBe("carried");
    expect(after.i32[HEADER.generation]).toBe(2);
    const every = everyLimit(after);
    expect([takenOf(after, every.requests), takenOf(after, every.tokens)]).toEqual([0, 0]);
    expect(slotsTaken(after, every.slots)).toBe(0);
    expect(peekBudget(after, every.money)).toMatchObject({ spent: 300, reserved: 1000 });
    // The process of the old boot is dead, whoever has its number now.
    const supervisor = join(after, 1);
    const early = new Limits(supervisor).admit(ask({ limits: [every.slots, every.requests] }));
    expect(early.kind).toBe("admitted");
    expect(sweepBut(supervisor, [1, 7])).toMatchObject({ settled: 1 });
    expect(peekBudget(after, every.money)).toMatchObject({ spent: 300 + 250, reserved: 0 });
    expect(drainFacts(after)).toEqual({ facts: 2, tokens: 30 + 50, nano: 300 + 250 });
    expect([takenOf(after, every.requests), takenOf(after, every.tokens)]).toEqual([1, 0]);
    expect(slotsTaken(after, every.slots)).toBe(1);
    expect(recordsTaken(after)).toBe(1);
    expect(readdirSync(dirname(path))).toHaveLength(1);
    expect(opened(path, { bootId: "boot-2" }).origin).toBe("found");
  });
});

describe("a boot that ended in the middle of a step", () => {
  test("at whichever write leaves budgets that can be read and agree with the facts", () => {
    const path = slabPath();
    for (let at = 0, isKilled = true; isKilled; at++) {
      const before = opened(path, { bootId: `boot-${at}-a` });
      const { station } = join(before, 7);
      const seen = watched(before, killAt(at));
      isKilled = killed(() => {
        const limits = new Limits(new Actor(seen, station));
        const list = listOf(everyLimit(seen));
        limits.settle(limits.admit(ask({ limits: list })) as Admitted, truth(30, 300));
      });
      const after = opened(path, { bootId: `boot-${at}-b` });
      const { money, window } = everyLimit(after);
      peekBudget(after, money);
      const supervisor = join(after, 1);
      sweepBut(supervisor, [1]);
      const books = drainFacts(after);
      expect(peekBudget(after, money)).toMatchObject({ spent: books.nano, reserved: 0 });
      expect(peekBudget(after, window)).toMatchObject({ spent: books.tokens, reserved: 0 });
      for (const each of [money, window]) restoreSpent(supervisor, each, 0);
      supervisor.leave();
    }
  });
  test("and lost the page of its station leaves a budget for the ledger to restore", () => {
    const path = slabPath();
    const before = opened(path);
    const { money, window } = everyLimit(before);
    before.b64[(rowWord(before, money.row) + ROW.value) / 2] = -77n;
    before.b64[(rowWord(before, window.row) + ROW.spent) / 2] = -78n;
    const after = opened(path, { bootId: "boot-2" });
    expect(peekBudget(after, money)).toMatchObject({ spent: 0, reserved: 0 });
    expect(peekBudget(after, window)).toMatchObject({ spent: 0, reserved: 0 });
    restoreSpent(join(after, 1), money, 9);
    expect(peekBudget(after, money)).toMatchObject({ spent: 9, reserved: 0 });
  });
});

describe("a file that is not ours to go on with", () => {
  test("of other sizes is left where it is, and said", () => {
    const path = slabPath();
    opened(path);
    const other = opened(path, { sizes: { ...SMALL, records: 32 } });
    expect(other.origin).toBe("created");
    expect(other.aside).toEqual([`${path}.${ours}`]);
    for (const each of other.aside) expect(existsSync(each)).toBe(true);
  });
  test("of another layout too", () => {
    const path = slabPath();
    writeFileSync(`${path}.v0-12345678-boot1`, "older");
    expect(opened(path).aside).toEqual([`${path}.v0-12345678-boot1`]);
  });
  test("that is damaged is moved aside, and said", () => {
    const path = slabPath();
    const { byteLength } = layoutOf(SMALL);
    writeFileSync(`${path}.${ours}`, new Uint8Array(byteLength));
    const slab = opened(path);
    expect(slab.origin).toBe("created");
    expect(slab.aside).toEqual([`${path}.${ours}.damaged-5`]);
  });
});

test("where no file can be made it says what is wrong", () => {
  const slab = openSlab({ path: "/nowhere/at/all/slab", sizes: SMALL, bootId: "b", seed: 1n });
  expect(slab).toMatchObject({ problem: expect.stringContaining("ENOENT") as string });
});

test("memory that holds a slab already is taken as it is", () => {
  const options = { sizes: SMALL, bootId: "boot", seed: 1n };
  const memory = new SharedArrayBuffer(layoutOf(SMALL).byteLength);
  const [one, two] = [slabInMemory({ ...options, memory }), slabInMemory({ ...options, memory })];
  expect([one.origin, two.origin]).toEqual(["created", "found"]);
  new Limits(join(one, 1)).admit(ask({ limits: listOf(everyLimit(one)) }));
  expect(slotsTaken(two, everyLimit(two).slots)).toBe(1);
});

test("sizes that cannot be are refused by name", () => {
  const wrong: readonly [Partial<typeof SMALL>, string][] = [
    [{ stations: 129 }, "at most 128"],
    [{ ringBytes: 1000 }, "ringBytes is no power of two"],
    [{ guardWidth: 3 }, "guardWidth is no power of two"],
    [{ records: 0 }, "records is 0"],
    [{ limitRows: 1.5 }, "limitRows is 1.5"],
    [{ factBytes: 600 }, "no two facts"],
  ];
  for (const [sizes, says] of wrong) {
    expect(() => layoutOf({ ...SMALL, ...sizes })).toThrow(says);
  }
});
