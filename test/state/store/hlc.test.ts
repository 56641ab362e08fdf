import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { AHEAD_MAX_MS, HybridClock, momentOf, stampOf } from "../../../src/state/store/hlc.ts";

const moments = fc.record({
  ms: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  counter: fc.nat(0xffff),
  node: fc.stringMatching(/^[\w.-]{1,8}$/),
});

test("a stamp says its moment, and stamps sort as moments do", () => {
  fc.assert(
    fc.property(moments, moments, (a, b) => {
      expect(momentOf(stampOf(a))).toEqual(a);
      const order = a.ms - b.ms || a.counter - b.counter || (a.node < b.node ? -1 : 1);
      if (stampOf(a) !== stampOf(b)) expect(stampOf(a) < stampOf(b)).toBe(order < 0);
    }),
  );
});

test.each(["", "x", "0000000000000000", "00000000000g0000-n", "0000000000000000-a b"])(
  "%p is no stamp",
  (text) => expect(momentOf(text)).toBeUndefined(),
);

test("whatever the wall clock does, stamps rise", () => {
  const step = fc.oneof(
    fc.record({ wall: fc.integer({ min: -10_000, max: 10_000 }) }),
    fc.record({ seen: fc.integer({ min: -10_000, max: 10_000 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50, size: "max" }), (steps) => {
      let wall = 1_000_000;
      const clock = new HybridClock("n", () => wall);
      let last = clock.next();
      for (const change of steps) {
        if ("wall" in change) wall += change.wall;
        else clock.see(stampOf({ ms: Math.max(0, wall + change.seen), counter: 7, node: "m" }));
        const next = clock.next();
        expect(next > last).toBe(true);
        last = next;
      }
    }),
  );
});

test("what is done after a stamp was seen is later than it", () => {
  const clock = new HybridClock("a", () => 1000);
  const seen = stampOf({ ms: 1000 + AHEAD_MAX_MS, counter: 9, node: "z" });
  expect(clock.see(seen)).toBe(true);
  expect(clock.next() > seen).toBe(true);
});

describe("a bad clock elsewhere", () => {
  test.each([AHEAD_MAX_MS + 1, 3_600_000, 2 ** 47])("%d ms ahead is refused", (ahead) => {
    const clock = new HybridClock("a", () => 1000);
    expect(clock.see(stampOf({ ms: 1000 + ahead, counter: 0, node: "z" }))).toBe(false);
    expect(momentOf(clock.next())?.ms).toBe(1000);
  });
  test("text that is no stamp is refused", () => {
    expect(new HybridClock("a", () => 1000).see("now")).toBe(false);
  });
});

test("more stamps in a millisecond than a counter holds still rise", () => {
  const clock = new HybridClock("a", () => 1000);
  let last = clock.next();
  for (let n = 0; n < 0x1_0010; n++) {
    const next = clock.next();
    if (next <= last) throw new Error(`${next} after ${last}`);
    last = next;
  }
  expect(momentOf(last)).toMatchObject({ ms: 1001 });
});

test("a node whose clock went back goes on after what it stored", () => {
  const clock = new HybridClock("a", () => 1000);
  clock.remember({ ms: 9_000_000, counter: 3 });
  expect(momentOf(clock.next())).toMatchObject({ ms: 9_000_000, counter: 4 });
});

test("a name that cannot stand in a stamp names no node", () => {
  expect(() => new HybridClock("a b", () => 0)).toThrow("cannot name a node");
});
