import { expect, test } from "bun:test";
import { joinSlab, ownersOf } from "../../../src/state/slab/stations.ts";
import { sweep } from "../../../src/state/slab/sweep.ts";
import { killed, watched } from "./crash.ts";
import { factOf, join, NOW, smallSlab, stationsTaken, sweepBut } from "./fixture.ts";

test("each process has a station of its own until all are taken", () => {
  const slab = smallSlab({ stations: 3 });
  const stations = [11, 12, 13].map((pid) => join(slab, pid).station);
  expect(new Set(stations).size).toBe(3);
  expect(joinSlab(slab, { pid: 14, born: 0 })).toBeUndefined();
  expect(ownersOf(slab).map(({ pid, born }) => [pid, born])).toEqual([
    [11, 11],
    [12, 12],
    [13, 13],
  ]);
});

test("a station is free again after its process left and was swept, and not before", () => {
  const slab = smallSlab({ stations: 2 });
  const supervisor = join(slab, 1);
  const worker = join(slab, 2);
  worker.leave();
  expect(joinSlab(slab, { pid: 3, born: 0 })).toBeUndefined();
  sweepBut(supervisor, [1, 2]);
  expect(joinSlab(slab, { pid: 3, born: 0 })?.station).toBe(worker.station);
});

test("a process is known by its start as well as its number", () => {
  const slab = smallSlab();
  const supervisor = join(slab, 1);
  joinSlab(slab, { pid: 50, born: 1000 });
  joinSlab(slab, { pid: 50, born: 2000 });
  const isAlive = ({ born }: { readonly born: number }): boolean => born !== 1000;
  const swept = sweep(supervisor, { isAlive, nowNs: NOW, factOf });
  expect(swept).toMatchObject({ stations: [{ pid: 50, born: 1000 }] });
  expect(stationsTaken(slab)).toBe(2);
});

test("one sweeps at a time, unless the one that was at it died", () => {
  const slab = smallSlab();
  const [one, two] = [join(slab, 1), join(slab, 2)];
  let inner: unknown;
  const options = { nowNs: NOW, factOf };
  sweep(one, {
    ...options,
    isAlive: () => {
      inner ??= sweep(two, { ...options, isAlive: () => true });
      return true;
    },
  });
  expect(inner).toBe("busy");
  expect(sweep(two, { ...options, isAlive: () => true })).not.toBe("busy");
});

test("a process that joins is seen whole or not at all", () => {
  const slab = smallSlab();
  const seen: (readonly [number, number])[] = [];
  const joining = watched(slab, () => {
    for (const { pid, born } of ownersOf(slab)) seen.push([pid, born]);
  });
  killed(() => {
    joinSlab(joining, { pid: 8, born: 2 ** 31 - 1 });
    joinSlab(joining, { pid: 9, born: 5 });
  });
  expect(seen.length).toBeGreaterThan(0);
  for (const each of seen)
    expect([
      [8, 2 ** 31 - 1],
      [9, 5],
    ]).toContainEqual([...each]);
});
