import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  factsWaiting,
  publishFact,
  readFacts,
  releaseFacts,
  ringsDamaged,
} from "../../../src/state/slab/facts.ts";
import { STATION } from "../../../src/state/slab/layout.ts";
import { stationWord } from "../../../src/state/slab/slab.ts";
import { smallSlab } from "./fixture.ts";

const bytes = fc.uint8Array({ maxLength: 64 });
const few = fc.integer({ min: 0, max: 3 });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("write" as const), bytes }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("read" as const), max: few }) },
  // A reader that died before it released what it had read: the next one reads it again.
  { weight: 1, arbitrary: fc.record({ do: fc.constant("read and die" as const), max: few }) },
);

test("a ring is a queue of whole facts, however often it goes round, from any place on", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 200, size: "max" }),
      fc.nat(2 ** 29),
      (steps, turns) => {
        const slab = smallSlab({ ringBytes: 256 });
        const station = 2;
        // Counters that wrap in the middle of the run.
        const start = (2 ** 32 - 256 * (turns % 9)) | 0;
        slab.i32[stationWord(slab, station) + STATION.ringHead] = start;
        slab.i32[stationWord(slab, station) + STATION.ringTail] = start;
        const queue: Uint8Array[] = [];
        for (const each of steps) {
          if (each.do === "write") {
            const isIn = publishFact(slab, station, { record: 0, bytes: each.bytes });
            if (isIn) queue.push(each.bytes);
            // There is always room for one, and for all that a quarter of the ring can hold.
            else expect(queue.length).toBeGreaterThan(1);
            continue;
          }
          const seen: Uint8Array[] = [];
          const read = readFacts(slab, { station, max: each.max }, (fact) =>
            seen.push(fact.slice()),
          );
          expect(seen).toEqual(queue.slice(0, each.max));
          expect(read.count).toBe(seen.length);
          if (each.do === "read") {
            releaseFacts(slab, read);
            queue.splice(0, seen.length);
          }
        }
        if (queue.length === 0) {
          releaseFacts(
            slab,
            readFacts(slab, { station, max: 1 }, () => {}),
          );
          expect(factsWaiting(slab, station)).toBe(0);
        }
        expect(ringsDamaged(slab)).toBe(0);
      },
    ),
  );
});

describe("damage", () => {
  test("in any byte of a fact is found, counted, and what follows is not believed", () => {
    for (let damaged = 0; damaged < 24; damaged++) {
      const slab = smallSlab();
      for (let each = 0; each < 3; each++) {
        publishFact(slab, 1, { record: 0, bytes: new Uint8Array(16).fill(each) });
      }
      const ring = slab.layout.ringsByte + slab.layout.sizes.ringBytes;
      slab.u8[ring + 24 + damaged]! ^= 0x40;
      const seen: number[] = [];
      const read = readFacts(slab, { station: 1, max: 99 }, (fact) => seen.push(fact[0]!));
      expect(seen).toEqual([0]);
      expect(ringsDamaged(slab)).toBe(1);
      releaseFacts(slab, read);
      publishFact(slab, 1, { record: 0, bytes: new Uint8Array(16).fill(7) });
      readFacts(slab, { station: 1, max: 99 }, (fact) => seen.push(fact[0]!));
      expect(seen).toEqual([0, 7]);
    }
  });
  test("that made noughts of a page is no empty fact", () => {
    const slab = smallSlab();
    publishFact(slab, 1, { record: 0, bytes: new Uint8Array(0) });
    const ring = slab.layout.ringsByte + slab.layout.sizes.ringBytes;
    slab.u8.fill(0, ring, ring + 64);
    expect(readFacts(slab, { station: 1, max: 9 }, () => {}).count).toBe(0);
    expect(ringsDamaged(slab)).toBe(1);
  });
});
