import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type AnyLane, type Lane, Pool } from "../../src/core/pool.ts";
import type { Placement } from "../../src/core/privacy.ts";
import { Rejection } from "../../src/core/rejection.ts";
import { decide } from "../../src/router/decide.ts";
import type { Random } from "../../src/runtime/runtime.ts";
import { seededRandom } from "../sim/gateway.ts";
import { backendOf, laneOf } from "../upstream/pieces.ts";

/** Only a chat is translated: a lane of another protocol cannot be asked this. */
const QUESTION = { model: "m", dialect: "openai", operation: "embeddings" } as const;

interface Spec {
  readonly local: boolean;
  readonly spoken: boolean;
  readonly priority: number;
  readonly weight: number;
}
const spec: fc.Arbitrary<Spec> = fc.record({
  local: fc.boolean(),
  spoken: fc.boolean(),
  priority: fc.integer({ min: 0, max: 2 }),
  weight: fc.integer({ min: 1, max: 1_000_000 }),
});
const specs = fc.array(spec, { maxLength: 6 });

function lanesOf(given: readonly Partial<Spec>[]): AnyLane[] {
  return given.map(({ local = true, spoken = true, priority = 0, weight = 1 }, at) => {
    const dialect = spoken ? "openai" : "anthropic";
    const backend = backendOf({ name: `b${at}`, dialect }, local ? "local" : "external");
    return laneOf(backend, { priority, weight });
  });
}
const names = (lanes: readonly Lane<Placement>[]) => lanes.map(({ backend }) => backend.name);

/** Chance as it must not be: any number at all, `NaN` and the infinities included. */
function hostileRandom(numbers: readonly number[]): Random {
  let at = 0;
  return { next: () => numbers[at++ % numbers.length]!, hex: () => "" };
}
const hostile = fc.array(fc.double(), { minLength: 1, maxLength: 8 }).map(hostileRandom);

function plan(lanes: readonly AnyLane[], random: Random) {
  const decided = decide(Pool.shareable("p", lanes), QUESTION, random);
  if (decided instanceof Rejection) throw new Error(decided.reason.kind);
  return decided;
}

test("a plan never adds, never doubles and never loses a lane, whatever chance says", () => {
  fc.assert(
    fc.property(specs, hostile, (given, random) => {
      const lanes = lanesOf(given);
      fc.pre(given.some(({ spoken }) => spoken));
      const { lanes: kept, struck } = plan(lanes, random);
      const wanted = names(lanes.filter(({ backend }) => backend.dialect === "openai"));
      expect(names(kept).sort()).toEqual(wanted.sort());
      const all = [...kept, ...struck.map(({ lane }) => lane)];
      expect(names(all).sort()).toEqual(names(lanes).sort());
      for (const lane of all) expect(lanes).toContain(lane as AnyLane);
    }),
  );
});

test("a private plan holds local lanes only, whatever the pool was made of and chance says", () => {
  fc.assert(
    fc.property(specs, hostile, (given, random) => {
      const lanes = lanesOf(given);
      const decided = decide(Pool.private("p", lanes), QUESTION, random);
      const local = lanes.filter(({ backend }) => backend.placement === "local");
      const usable = names(local.filter(({ backend }) => backend.dialect === "openai"));
      const kept = decided instanceof Rejection ? [] : decided.lanes;
      expect(names(kept).sort()).toEqual(usable.sort());
    }),
  );
});

test("lanes are tried by priority, the lowest number first, whatever chance says", () => {
  fc.assert(
    fc.property(specs, hostile, (given, random) => {
      fc.pre(given.some(({ spoken }) => spoken));
      const order = plan(lanesOf(given), random).lanes.map(({ priority }) => priority);
      expect(order).toEqual(order.toSorted((a, b) => a - b));
    }),
  );
});

test("the same chance gives the same plan", () => {
  fc.assert(
    fc.property(specs, fc.nat(), (given, seed) => {
      fc.pre(given.some(({ spoken }) => spoken));
      const lanes = lanesOf(given);
      const order = () => names(plan(lanes, seededRandom(seed)).lanes);
      expect(order()).toEqual(order());
    }),
  );
});

describe("within one priority", () => {
  const DRAWS = 20_000;
  /** Six standard deviations of a count with this chance: one run in a billion strays further. */
  const slack = (chance: number) => 6 * Math.sqrt(DRAWS * chance * (1 - chance));

  test.each([[[1, 1]], [[1, 3]], [[5, 3, 2]], [[1, 10, 100]]])(
    "lanes come first as often as their weights say, and second as often: %p",
    (weights) => {
      const lanes = lanesOf(weights.map((weight) => ({ weight })));
      const random = seededRandom(7);
      const first = weights.map(() => 0);
      const second = weights.map(() => 0);
      for (let draw = 0; draw < DRAWS; draw++) {
        const [one, two] = plan(lanes, random).lanes;
        first[lanes.indexOf(one as AnyLane)]!++;
        second[lanes.indexOf(two as AnyLane)]!++;
      }
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (const [at, weight] of weights.entries()) {
        const chance = weight / total;
        expect(Math.abs(first[at]! - DRAWS * chance)).toBeLessThan(slack(chance));
        // Drawn without replacement: after each other lane, among what that one leaves.
        const after = weights.reduce(
          (sum, other, by) =>
            by === at ? sum : sum + ((other / total) * weight) / (total - other),
          0,
        );
        expect(Math.abs(second[at]! - DRAWS * after)).toBeLessThan(slack(after) + 1);
      }
    },
  );
});

describe("lanes that speak another protocol", () => {
  test("are struck, and the plan says why", () => {
    const lanes = lanesOf([{ spoken: false }, {}, { spoken: false }]);
    const { lanes: kept, struck } = plan(lanes, seededRandom(1));
    expect(names(kept)).toEqual(["b1"]);
    expect(struck).toEqual([
      { lane: lanes[0]!, why: "other_dialect" },
      { lane: lanes[2]!, why: "other_dialect" },
    ]);
  });
  test.each([1, 2])("and nothing else: the request is refused by name (%d)", (count) => {
    const pool = Pool.shareable("p", lanesOf(Array(count).fill({ spoken: false })));
    expect(decide(pool, QUESTION, seededRandom(1))).toMatchObject({
      reason: { kind: "cannot_translate", model: "m", dialect: "openai" },
    });
  });
});

test("a pool its class has emptied is refused as such, whatever it holds for others", () => {
  const pool = Pool.private("p", lanesOf([{ local: false }, { local: false }]));
  expect(decide(pool, QUESTION, seededRandom(1))).toMatchObject({
    reason: { kind: "no_eligible_backend", model: "m" },
  });
});

test("a lane alone is no matter of chance", () => {
  const random: Random = {
    next: () => {
      throw new Error("asked");
    },
    hex: () => "",
  };
  expect(names(plan(lanesOf([{}]), random).lanes)).toEqual(["b0"]);
});

test("a pool cannot be added to or reordered after it was made", () => {
  for (const pool of [
    Pool.private("p", lanesOf([{}, {}])),
    Pool.shareable("p", lanesOf([{}, {}])),
  ]) {
    const lanes = pool.lanes as AnyLane[];
    expect(() => lanes.push(lanesOf([{ local: false }])[0]!)).toThrow();
    expect(() => lanes.reverse()).toThrow();
    expect(pool.lanes).toHaveLength(2);
  }
});
