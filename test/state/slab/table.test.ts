import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { calendarOf, calendarWord } from "../../../src/state/slab/calendar.ts";
import { HEADER, KIND, ROW, SHARED_ROWS } from "../../../src/state/slab/layout.ts";
import { limitRow } from "../../../src/state/slab/limit-row.ts";
import { digestOf, rowWord, slabCounts } from "../../../src/state/slab/slab.ts";
import { findRow, FULL } from "../../../src/state/slab/table.ts";
import { killed, watched } from "./crash.ts";
import { smallSlab } from "./fixture.ts";

// Digests that fall on few places, so that probing is what is tested.
const halves = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 40 }));
const digest = halves.map(([high, low]) => (BigInt(high) << 34n) | (1n << 32n) | BigInt(low));

test("every digest has one row, its own, for as long as there is room, as a map has places", () => {
  fc.assert(
    fc.property(fc.array(digest, { maxLength: 150, size: "max" }), (digests) => {
      const slab = smallSlab({ limitRows: 40 });
      const rows = new Map<bigint, number>();
      for (const each of digests) {
        const row = findRow(slab, each, KIND.slots);
        const known = rows.get(each);
        if (known !== undefined) expect(row).toBe(known);
        else if (rows.size === 40) expect(row).toBe(FULL);
        else {
          expect(row).toBeGreaterThanOrEqual(SHARED_ROWS);
          expect([...rows.values()]).not.toContain(row);
          rows.set(each, row);
        }
      }
      expect(slabCounts(slab).rowsUsed).toBe(rows.size);
    }),
  );
});

test("a row says what it is for, also when who claimed it died before saying so", () => {
  const slab = smallSlab();
  const row = findRow(slab, digestOf(slab, "a"), KIND.tokens);
  expect(calendarOf(slab, row).kind).toBe(KIND.tokens);
  slab.b64[calendarWord(slab, row) / 2] = 0n;
  findRow(slab, digestOf(slab, "a"), KIND.tokens);
  expect(calendarOf(slab, row).kind).toBe(KIND.tokens);
});

describe("a full table", () => {
  test("gives the limits of a kind one row together, and counts them", () => {
    const slab = smallSlab({ limitRows: 2 });
    const row = (name: string): number => limitRow(slab, name, { kind: KIND.slots, shared: 3 });
    const [first, second] = [row("a"), row("b")];
    expect(first).not.toBe(second);
    expect(slab.i32[HEADER.rowsShared]).toBe(0);
    expect([row("c"), row("d")]).toEqual([3, 3]);
    expect([row("a"), row("b")]).toEqual([first, second]);
    expect(slabCounts(slab).rowsShared).toBe(2);
  });
});

test("no half of a digest is nought, whatever the name", () => {
  const slab = smallSlab();
  fc.assert(
    fc.property(fc.string(), (name) => {
      const value = digestOf(slab, name);
      expect(value & 0xffff_ffffn).not.toBe(0n);
      expect(value >> 32n).not.toBe(0n);
      expect(digestOf(slab, name)).toBe(value);
    }),
  );
});

test("a row that is being claimed while it is looked at is nobody's but its claimer's", () => {
  const slab = smallSlab();
  // Both begin to look at the same row.
  const [mine, other] = [(1n << 32n) | 5n, (129n << 32n) | 5n];
  const theirs = findRow(slab, other, KIND.slots);
  // The low half as it was before the claim, the high half as it is after.
  const torn = watched(slab, () => {}, { old: [rowWord(slab, theirs) + ROW.digest] });
  let own = FULL;
  killed(() => {
    own = findRow(torn, mine, KIND.slots);
  });
  expect([own, theirs]).not.toContain(FULL);
  expect(own).not.toBe(theirs);
  expect(findRow(slab, mine, KIND.slots)).toBe(own);
});
