import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type RateLimit,
  peekRate,
  requestLimit,
  tokenLimit,
} from "../../../src/state/slab/rate.ts";
import { takeRate, tickOf, waitNs } from "../../../src/state/slab/rate.ts";
import type { Actor } from "../../../src/state/slab/actor.ts";
import { join, smallSlab } from "./fixture.ts";

const MINUTE = 60_000_000_000n;
const START = 900n * MINUTE;

function take(actor: Actor, limit: RateLimit, { cost, at }: Take): number | undefined | "taken" {
  actor.now = tickOf(at);
  return takeRate(actor, limit, cost) ? "taken" : waitNs(actor, limit, cost);
}
interface Take {
  readonly cost: number;
  readonly at: bigint;
}

test("a minute's worth may come at once, and then one at a time as the minute goes on", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), fc.nat(1_000_000_000), (perMinute, offset) => {
      const slab = smallSlab();
      const actor = join(slab, 1);
      const limit = requestLimit(slab, "k", { perMinute });
      let at = START + BigInt(offset);
      for (let taken = 0; taken < perMinute; taken++) {
        expect(take(actor, limit, { cost: 1, at })).toBe("taken");
      }
      const wait = take(actor, limit, { cost: 1, at });
      expect(peekRate(slab, limit, at).remaining).toBe(0);
      expect(wait).toBeGreaterThan(0);
      at += BigInt(wait as number);
      expect(take(actor, limit, { cost: 1, at: at - 32n })).not.toBe("taken");
      expect(take(actor, limit, { cost: 1, at: at + 16n })).toBe("taken");
    }),
  );
});

test("in no stretch of time is more taken than the burst and what the stretch is worth", () => {
  const step = fc.record({ cost: fc.integer({ min: 1, max: 60 }), after: fc.nat(5_000_000_000) });
  fc.assert(
    fc.property(
      fc.integer({ min: 60, max: 100_000 }),
      fc.integer({ min: 60, max: 200 }),
      fc.array(step, { minLength: 1, maxLength: 60, size: "max" }),
      (perMinute, burst, steps) => {
        const slab = smallSlab();
        const actor = join(slab, 1);
        const limit = tokenLimit(slab, "k", { perMinute, burst });
        const taken: { readonly at: bigint; readonly cost: number }[] = [];
        let at = START;
        for (const { cost, after } of steps) {
          at += BigInt(after);
          if (take(actor, limit, { cost, at }) === "taken") taken.push({ at, cost });
        }
        for (const [from, first] of taken.entries()) {
          let sum = 0;
          for (const each of taken.slice(from)) {
            sum += each.cost;
            const worth = (Number(each.at - first.at) * perMinute) / Number(MINUTE);
            expect(sum).toBeLessThanOrEqual(burst + worth + 1e-3);
          }
        }
      },
    ),
  );
});

test("whoever waits as long as was said is let in, and nobody is told to wait for what never comes", () => {
  const step = fc.record({ cost: fc.integer({ min: 0, max: 300 }), after: fc.nat(2_000_000_000) });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
      const slab = smallSlab();
      const actor = join(slab, 1);
      const limit = tokenLimit(slab, "k", { perMinute: 6000, burst: 200 });
      let at = START;
      for (const { cost, after } of steps) {
        at += BigInt(after);
        const answer = take(actor, limit, { cost, at });
        if (answer === "taken") continue;
        expect(answer === undefined).toBe(cost > 200);
        if (answer === undefined) continue;
        at += BigInt(Math.ceil(answer)) + 16n;
        expect(take(actor, limit, { cost, at })).toBe("taken");
      }
    }),
  );
});

describe("what is left", () => {
  test("is what could be taken at once now", () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat(3_000_000_000)));
    fc.assert(
      fc.property(steps, (all) => {
        const slab = smallSlab();
        const actor = join(slab, 1);
        const limit = requestLimit(slab, "k", { perMinute: 600, burst: 100 });
        let at = START;
        for (const [count, after] of all) {
          at += BigInt(after);
          for (let each = 0; each < count; each++) take(actor, limit, { cost: 1, at });
          const { remaining, resetNs } = peekRate(slab, limit, at);
          const full = at + BigInt(Math.ceil(resetNs)) + 16n;
          expect(peekRate(slab, limit, full)).toEqual({ remaining: 100, resetNs: 0 });
          const twin = smallSlab();
          twin.u8.set(slab.u8);
          const other = join(twin, 2);
          for (let each = 0; each < remaining; each++) {
            expect(take(other, limit, { cost: 1, at })).toBe("taken");
          }
          expect(take(other, limit, { cost: 1, at })).not.toBe("taken");
        }
      }),
      { numRuns: 30 },
    );
  });
});

test("a rate that is none is refused at load", () => {
  const slab = smallSlab();
  for (const perMinute of [0, -1, Number.NaN, Infinity]) {
    expect(() => requestLimit(slab, "k", { perMinute })).toThrow("a rate of");
    expect(() => tokenLimit(slab, "k", { perMinute: 1, burst: 0 })).toThrow("a rate of");
  }
});
