import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { bytesOf, type Entry } from "../../../src/state/ledger/facts.ts";
import type { LedgerSink, Written } from "../../../src/state/ledger/sink.ts";
import type { Health } from "../../../src/state/ledger/standing.ts";
import { LedgerWriter, type LedgerWriterOptions } from "../../../src/state/ledger/writer.ts";
import { SimClock } from "../../sim/clock.ts";
import { entry, usage } from "./entries.ts";

/** A disk that does as it is told, and remembers what it has. */
class Disk implements LedgerSink {
  readonly groups: number[] = [];
  readonly ids = new Map<string, number>();
  failing: Extract<Written, { kind: "failed" }>["why"] | undefined;
  readonly poison = new Set<string>();
  closed = false;

  write(entries: readonly Entry[]): Written {
    if (this.failing !== undefined) return { kind: "failed", why: this.failing, message: "no" };
    if (entries.some(({ fact }) => this.poison.has(fact.id)))
      return { kind: "refused", message: "odd" };
    this.groups.push(entries.length);
    const before = this.ids.size;
    for (const { fact } of entries) this.ids.set(fact.id, (this.ids.get(fact.id) ?? 0) + 1);
    return { kind: "written", duplicates: entries.length - (this.ids.size - before) };
  }
  close(): void {
    this.closed = true;
  }
}

function ledger(options: Partial<LedgerWriterOptions> = {}) {
  const [clock, disk] = [new SimClock(), new Disk()];
  const lost: string[] = [];
  const healths: Health["state"][] = [];
  const writer = new LedgerWriter({
    ...{ sink: disk, clock, onLost: ({ fact }) => lost.push(fact.id) },
    onHealth: ({ state }) => healths.push(state),
    ...options,
  });
  let made = 0;
  const append = (count: number) => {
    for (let n = 0; n < count; n++) writer.append(entry({ id: `f${++made}` }));
  };
  return { clock, disk, writer, append, lost, healths };
}

test("appending writes nothing by itself; facts that come together are written together", async () => {
  const { clock, disk, append, writer } = ledger();
  append(40);
  expect(disk.groups).toEqual([]);
  await clock.advance(9);
  expect(disk.groups).toEqual([]);
  await clock.advance(1);
  expect(disk.groups).toEqual([40]);
  expect(writer.counts).toEqual({
    ...{ appended: 40, committed: 40, duplicates: 0, lost: 0, failures: 0 },
    ...{ queued: 0, queuedBytes: 0 },
  });
  expect(clock.armed).toBe(0);
});

test("a long queue is written group by group, so that nothing else waits for all of it", async () => {
  const { clock, disk, append } = ledger();
  append(1000);
  await clock.advance(10);
  expect(disk.groups).toEqual([250, 250, 250, 250]);
});

test("who appended is told when its facts are on disk, in order", async () => {
  const through: number[] = [];
  const { clock, writer } = ledger({ onCommitted: (ticket) => through.push(ticket) });
  const tickets = [1, 2, 3].map((n) => writer.append(entry({ id: `x${n}` })));
  expect(tickets).toEqual([1, 2, 3]);
  expect(writer.committed).toBe(0);
  await clock.advance(10);
  expect(through).toEqual([3]);
  expect(writer.committed).toBe(3);
});

test("a fact that comes again counts once, and is settled all the same", async () => {
  const { clock, disk, writer } = ledger();
  writer.append(entry({ id: "a" }));
  await clock.advance(10);
  expect(writer.append(entry({ id: "a" }))).toBe(2);
  await clock.advance(10);
  expect(writer.counts).toMatchObject({ committed: 2, duplicates: 1, lost: 0 });
  expect(disk.ids.size).toBe(1);
});

test("what is no fact is a bug of the caller, told at once", () => {
  const { writer } = ledger();
  expect(() => writer.append(entry({ usage: usage({ inputTokens: -1 }) }))).toThrow("not whole");
});

describe.each(["full", "io"] as const)("a disk that fails with %s", (why) => {
  test("keeps every fact, stops admissions, and is well within two seconds of being mended", async () => {
    const { clock, disk, append, writer, healths } = ledger();
    disk.failing = why;
    append(500);
    await clock.advance(60_000);
    expect(writer.health).toMatchObject({ state: "strict", why });
    expect(writer.ready).toBe(false);
    expect(writer.admits("k", 1n)).toBe(false);
    expect(writer.counts).toMatchObject({ queued: 500, committed: 0, lost: 0 });
    expect(writer.counts.failures).toBeLessThan(80); // Asked about once a second, not in a loop.
    append(3);
    disk.failing = undefined;
    await clock.advance(2000);
    expect(writer.counts).toMatchObject({ queued: 0, committed: 503, lost: 0 });
    expect(writer.admits("k", 1n)).toBe(true);
    expect(healths).toEqual(["strict", "healthy"]);
    expect([...disk.ids.values()].every((times) => times === 1)).toBe(true);
  });

  test("is borne for a grace, each key within its cap", async () => {
    const failure = { mode: "grace", graceMs: 30_000, capNano: 10n } as const;
    const { clock, disk, append, writer, healths } = ledger({ failure });
    disk.failing = why;
    append(1);
    await clock.advance(100);
    expect([writer.admits("k", 10n), writer.admits("k", 1n), writer.ready]).toEqual([
      ...[true, false, false],
    ]);
    await clock.advance(30_000);
    expect(writer.admits("fresh", 1n)).toBe(false);
    expect(healths).toEqual(["grace", "strict"]);
  });
});

test("a file that another process holds for a moment is no failure; for long it is", async () => {
  const { clock, disk, append, writer } = ledger();
  disk.failing = "busy";
  append(1);
  await clock.advance(1500);
  expect(writer.ready).toBe(true);
  await clock.advance(2000);
  expect(writer.health).toMatchObject({ state: "strict", why: "busy" });
  disk.failing = undefined;
  await clock.advance(2000);
  expect(writer.ready).toBe(true);
});

test("what does not fit the queue is told and counted, never dropped in silence", async () => {
  const queueBytesMax = 3 * bytesOf(entry({ id: "f1" }));
  const { clock, disk, append, writer, lost } = ledger({
    ...{ queueBytesMax, failure: { mode: "grace", graceMs: 1e6, capNano: 1n } },
  });
  disk.failing = "full";
  append(5);
  expect(lost).toEqual(["f4", "f5"]);
  expect(writer.health).toMatchObject({ state: "strict", why: "overflow" });
  expect(writer.counts).toMatchObject({ appended: 3, lost: 2, queued: 3 });
  expect(writer.counts.queuedBytes).toBeLessThanOrEqual(queueBytesMax);
  disk.failing = undefined;
  await clock.advance(5000);
  expect(writer.counts).toMatchObject({ committed: 3, lost: 2, queued: 0 });
});

test("an entry that the database will never take holds up nobody, and is told", async () => {
  const { clock, disk, append, writer, lost } = ledger();
  disk.poison.add("f7");
  append(20);
  await clock.advance(100);
  expect(lost).toEqual(["f7"]);
  expect(writer.counts).toMatchObject({ committed: 20, lost: 1, queued: 0 });
  expect(disk.ids.size).toBe(19);
  expect(writer.ready).toBe(true);
});

test("closing writes what waits; what cannot be written is told as lost", () => {
  const fine = ledger();
  fine.append(600);
  expect(fine.writer.close()).toBe(true);
  expect([fine.disk.ids.size, fine.disk.closed]).toEqual([600, true]);
  expect(() => fine.append(1)).toThrow("closed");
  expect(fine.clock.armed).toBe(0);

  const broken = ledger();
  broken.disk.failing = "io";
  broken.append(2);
  expect(broken.writer.close()).toBe(false);
  expect(broken.lost).toEqual(["f1", "f2"]);
  expect(broken.clock.armed).toBe(0);
});

test("whatever the disk does, each fact is on it, waiting, or told as lost: once", async () => {
  const step = fc.oneof(
    fc.record({ append: fc.integer({ min: 1, max: 300 }) }),
    fc.record({ fail: fc.constantFrom("full", "io", "busy", undefined) }),
    fc.record({ wait: fc.integer({ min: 1, max: 3000 }) }),
    fc.record({ poison: fc.nat(1000) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20, size: "max" }), async (steps) => {
      const { clock, disk, append, writer, lost } = ledger({ queueBytesMax: 400_000 });
      let asked = 0;
      for (const what of steps) {
        if ("append" in what) {
          append(what.append);
          asked += what.append;
        } else if ("fail" in what) disk.failing = what.fail;
        else if ("poison" in what) disk.poison.add(`f${what.poison}`);
        else await clock.advance(what.wait);
        const { queued, queuedBytes } = writer.counts;
        expect(disk.ids.size + queued + lost.length).toBe(asked);
        expect(queuedBytes).toBeLessThanOrEqual(400_000);
      }
      disk.failing = undefined;
      await clock.advance(5000);
      expect(disk.ids.size + lost.length).toBe(asked);
      expect([...disk.ids.values()].every((times) => times === 1)).toBe(true);
      expect(lost.length).toBe(writer.counts.lost);
    }),
    { numRuns: 100 },
  );
});
