import { expect, test } from "bun:test";
import type { Entry } from "../../../src/state/ledger/facts.ts";
import type { LedgerSink, Written } from "../../../src/state/ledger/sink.ts";
import { factsWaiting } from "../../../src/state/slab/facts.ts";
import { LEDGER } from "../../../src/state/slab/layout.ts";
import { viewLedger } from "../../../src/state/slab/ledger-desk.ts";
import { SimClock } from "../../sim/clock.ts";
import { entry } from "./entries.ts";
import { ringsTo } from "./rings.ts";

/** A disk that does as it is told, and remembers what it has. */
class Disk implements LedgerSink {
  readonly groups: number[] = [];
  readonly ids = new Map<string, number>();
  failing: Extract<Written, { kind: "failed" }>["why"] | undefined;
  readonly poison = new Set<string>();
  /** Writes, and then is not heard of again: what a kill between the two does. */
  silent = false;

  async write(entries: readonly Entry[]): Promise<Written> {
    if (this.failing !== undefined) return { kind: "failed", why: this.failing, message: "no" };
    if (entries.some(({ fact }) => this.poison.has(fact.id)))
      return { kind: "refused", message: "odd" };
    this.groups.push(entries.length);
    const before = this.ids.size;
    for (const { fact } of entries) this.ids.set(fact.id, 1);
    if (this.silent) throw new Error("killed");
    return { kind: "written", duplicates: entries.length - (this.ids.size - before) };
  }
  close(): void {}
}

function rig(ringBytes?: number) {
  const [clock, disk] = [new SimClock(), new Disk()];
  const rings = ringsTo(disk, clock, ringBytes);
  let made = 0;
  const publish = (count: number) => {
    for (let n = 0; n < count; n++) rings.publish(entry({ id: `f${++made}` }));
  };
  const view = () => viewLedger(rings.actor.slab);
  return { ...rings, clock, disk, publish, view };
}

test("facts that wait together are written together, and then their room is free", async () => {
  const { drain, disk, publish, view, actor } = rig();
  expect(await drain.turn()).toEqual({ kind: "empty" });
  publish(40);
  expect(factsWaiting(actor.slab, actor.station)).toBeGreaterThan(4000);
  expect(await drain.turn()).toEqual({ kind: "written", facts: 40, more: false });
  expect(disk.groups).toEqual([40]);
  expect(view()).toMatchObject({ state: LEDGER.healthy, written: 40, waitingBytes: 0 });
});

test("a long queue is written group by group", async () => {
  const { drain, disk, publish } = rig();
  publish(2500);
  for (let turn = 0; turn < 3; turn++) await drain.turn();
  expect(disk.groups).toEqual([1000, 1000, 500]);
});

test("what a writer had written and not released when it was killed counts once", async () => {
  const { drain, disk, publish, view } = rig();
  publish(10);
  disk.silent = true;
  expect(drain.turn()).rejects.toThrow("killed");
  disk.silent = false;
  await drain.turn();
  expect(disk.ids.size).toBe(10);
  expect(view()).toMatchObject({ written: 0, twice: 10, lost: 0, waitingBytes: 0 });
});

test("a full disk keeps facts in the ring and then beside it, and says so until there is room", async () => {
  const { drain, disk, publish, view, flush, clock } = rig(1 << 14);
  disk.failing = "full";
  await clock.advance(5000);
  publish(300);
  const waiting = flush();
  expect(waiting).toBeGreaterThan(100);
  expect(await drain.turn()).toMatchObject({ kind: "failed", why: "full" });
  await drain.turn();
  expect(view()).toMatchObject({ state: LEDGER.full, failures: 2, written: 0, lost: 0 });
  expect(view().sinceNs).toBeGreaterThan(0n);
  disk.failing = undefined;
  while (flush() > 0 || (await drain.turn()).kind !== "empty") await drain.turn();
  expect(disk.ids.size).toBe(300);
  expect(view()).toMatchObject({ state: LEDGER.healthy, written: 300, sinceNs: 0n });
});

test("another process at the file is no failure before two seconds", async () => {
  const { drain, disk, publish, view, clock } = rig();
  publish(1);
  disk.failing = "busy";
  await drain.turn();
  await clock.advance(1999);
  await drain.turn();
  expect(view().state).toBe(LEDGER.healthy);
  await clock.advance(1);
  await drain.turn();
  expect(view().state).toBe(LEDGER.busy);
});

test("what no database takes is lost alone, told and counted", async () => {
  const { drain, disk, publish, publishBytes, view, lost } = rig();
  publish(3);
  publishBytes(new Uint8Array([1, 2, 3]));
  publish(3);
  disk.poison.add("f2");
  await drain.turn();
  expect([...disk.ids.keys()]).toEqual(["f1", "f3", "f4", "f5", "f6"]);
  expect(lost).toEqual(["odd", "it cannot be read"]);
  expect(view()).toMatchObject({ written: 5, lost: 2, waitingBytes: 0 });
});
