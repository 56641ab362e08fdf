import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SharedCells } from "../../../src/state/slab/shared-cells.ts";
import { slabCounts } from "../../../src/state/slab/slab.ts";
import { join, smallSlab, sweepBut } from "./fixture.ts";

test("processes that count the same series see one number, the sum, to the last bit of each", () => {
  const step = fc.record({
    worker: fc.nat(2),
    series: fc.nat(5),
    amount: fc.integer({ min: 1, max: 1_000_000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30, size: "max" }), (steps) => {
      const slab = smallSlab();
      const workers = [0, 1, 2].map((pid) => new SharedCells(join(slab, pid + 1)));
      const sums = new Map<number, number>();
      for (const { worker, series, amount } of steps) {
        const cells = workers[worker]!;
        cells.add(cells.claim(`series ${series}`, 2) + 1, amount / 4);
        sums.set(series, (sums.get(series) ?? 0) + amount / 4);
        for (const [each, sum] of sums) {
          for (const reader of workers) {
            const first = reader.claim(`series ${each}`, 2);
            expect([reader.read(first), reader.read(first + 1)]).toEqual([0, sum]);
          }
        }
      }
    }),
    { numRuns: 30 },
  );
});

test("series of different names or widths never share a cell", () => {
  const slab = smallSlab();
  const cells = new SharedCells(join(slab, 1));
  const claimed = new Set<number>();
  for (const [name, width] of [
    ["a", 3],
    ["b", 3],
    ["a", 4],
    ["c", 1],
  ] as const) {
    const first = cells.claim(name, width);
    for (let cell = first; cell < first + width; cell++) {
      expect(claimed.has(cell)).toBe(false);
      claimed.add(cell);
    }
  }
});

describe("when a process dies", () => {
  test("its counts stay, and what its gauges said goes with it", () => {
    const slab = smallSlab();
    const supervisor = join(slab, 1);
    const reader = new SharedCells(supervisor);
    const worker = new SharedCells(join(slab, 2));
    const [count, running, size] = ["count", "running", "size"].map((name) =>
      worker.claim(name, 1),
    );
    worker.add(count!, 5);
    worker.add(running!, 3);
    worker.add(running!, -1);
    worker.set(size!, 70);
    expect([reader.read(count!), reader.read(running!), reader.read(size!)]).toEqual([5, 2, 70]);
    sweepBut(supervisor, [1]);
    expect([reader.read(count!), reader.read(running!), reader.read(size!)]).toEqual([5, 0, 0]);
    const next = new SharedCells(join(slab, 3));
    next.add(next.claim("count", 1), 2);
    expect(reader.read(count!)).toBe(7);
  });
});

test("series beyond the room are still counted, by each process for itself", () => {
  const slab = smallSlab({ metricCells: 4 });
  const [one, two] = [new SharedCells(join(slab, 1)), new SharedCells(join(slab, 2))];
  one.claim("fits", 3);
  const far = one.claim("does not", 2);
  one.add(far + 1, 2.5);
  one.set(far, 9);
  expect([one.read(far), one.read(far + 1)]).toEqual([9, 2.5]);
  expect(two.read(two.claim("does not", 2) + 1)).toBe(0);
  expect(slabCounts(slab).metricsApart).toBe(2);
  expect(one.claim("fits", 3)).toBe(two.claim("fits", 3));
});
