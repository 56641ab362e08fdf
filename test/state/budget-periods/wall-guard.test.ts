import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { WallGuard } from "../../../src/state/budget-periods/wall-guard.ts";

const DAY = 86_400_000;
const START = Date.UTC(2030, 0, 15, 23, 59, 50);
const guardAt = (wall: number) => new WallGuard({ wall, now: 0 });

describe("a jump", () => {
  test.each([3_600_000, -3_600_000, 40 * 86_400_000, -7_200_000])(
    "of %d ms freezes periods, and time goes on by the monotonic clock",
    (jump) => {
      const guard = guardAt(START);
      expect(guard.read({ wall: START + 1000, now: 1000 })).toEqual({
        wall: START + 1000,
        frozen: false,
      });
      const jumped = guard.read({ wall: START + 2000 + jump, now: 2000 });
      expect(jumped).toEqual({ wall: START + 2000, frozen: true });
      expect(guard.read({ wall: START + 9000 + jump, now: 9000 }).wall).toBe(START + 9000);
    },
  );

  test("that is undone is forgotten", () => {
    const guard = guardAt(START);
    expect(guard.read({ wall: START + 3_600_000, now: 0 }).frozen).toBe(true);
    expect(guard.read({ wall: START + 500, now: 500 })).toEqual({
      wall: START + 500,
      frozen: false,
    });
  });

  test("that an operator accepts is the time from then on", () => {
    const guard = guardAt(START);
    guard.read({ wall: START + 3_600_000, now: 0 });
    guard.accept({ wall: START + 3_600_000, now: 0 });
    expect(guard.frozen).toBe(false);
    expect(guard.read({ wall: START + 3_601_000, now: 1000 }).wall).toBe(START + 3_601_000);
  });
});

test("small corrections are followed, for as long as they come", () => {
  const guard = guardAt(START);
  for (let n = 1; n <= 1000; n++) {
    const wall = START + n * 1001; // A thousandth fast: 1 s in all.
    expect(guard.read({ wall, now: n * 1000 })).toEqual({ wall, frozen: false });
  }
});

test("whatever the clock does, it never runs back, and no day's budget begins early or twice", () => {
  const step = fc.record({
    passes: fc.integer({ min: 0, max: 60_000 }),
    offset: fc.oneof(
      fc.constant(0),
      fc.integer({ min: -4000, max: 4000 }),
      fc.integer({ min: -9e7, max: 9e7 }),
    ),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const guard = guardAt(START);
      let now = 0;
      let last = START;
      let day = Math.floor(START / DAY);
      const opened: number[] = [day];
      for (const { passes, offset } of steps) {
        now += passes;
        const { wall } = guard.read({ wall: START + now + offset, now });
        expect(wall).toBeGreaterThanOrEqual(last - 5000);
        last = Math.max(last, wall);
        const next = Math.max(day, Math.floor(wall / DAY));
        if (next !== day) opened.push(next);
        day = next;
        // Small errors add up to at most one step a read, so a day never begins hours early.
        expect(day * DAY).toBeLessThanOrEqual(START + now + 5000 * (steps.length + 1));
      }
      expect(new Set(opened).size).toBe(opened.length);
    }),
  );
});
