import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { budgetLimit } from "../../../src/state/slab/budget.ts";
import { factsWaiting, readFacts, releaseFacts } from "../../../src/state/slab/facts.ts";
import { recordsTaken } from "../../../src/state/slab/journal.ts";
import { type Admitted, type Ask, Limits } from "../../../src/state/slab/limits.ts";
import { peekRate, requestLimit, tokenLimit } from "../../../src/state/slab/rate.ts";
import { slabCounts } from "../../../src/state/slab/slab.ts";
import { slotLimit } from "../../../src/state/slab/slots.ts";
import {
  ask,
  cellsFrom,
  cellsOf,
  drainFacts,
  everyLimit,
  join,
  listOf,
  NOW,
  smallSlab,
  sweepBut,
  truth,
} from "./fixture.ts";

const MINUTE = 60_000_000_000n;

type Step =
  | { readonly do: "admit"; readonly tokens: number; readonly nano: number }
  | {
      readonly do: "settle";
      readonly which: number;
      readonly tokens: number;
      readonly nano: number;
    };
const size = fc.integer({ min: 0, max: 90 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("admit" as const), tokens: size, nano: size }),
  fc.record({ do: fc.constant("settle" as const), which: fc.nat(), tokens: size, nano: size }),
);

test("a request takes all its limits or none, in whatever order it asks, as plain sums say", () => {
  const order = fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 1 });
  fc.assert(
    fc.property(order, fc.array(step, { maxLength: 50, size: "max" }), (which, steps) => {
      const slab = smallSlab({ records: 64 });
      const limits = new Limits(join(slab, 1));
      const periodAt = (): number => 0;
      const all: Ask["limits"] = [
        requestLimit(slab, "k", { perMinute: 12 }),
        tokenLimit(slab, "k", { perMinute: 500 }),
        slotLimit(slab, "k", 3),
        budgetLimit(slab, "k", { unit: "nano", max: 400, scheme: "total", periodAt }),
        budgetLimit(slab, "k", { unit: "tokens", max: 600, scheme: "total", periodAt }),
      ];
      const max = [12, 500, 3, 400, 600];
      const used = [0, 0, 0, 0, 0];
      const open: { readonly admitted: Admitted; readonly cost: readonly number[] }[] = [];
      const add = (cost: readonly number[], sign: number): void => {
        for (const at of which) used[at]! += cost[at]! * sign;
      };
      for (const each of steps) {
        const { tokens, nano } = each;
        const cost = [1, tokens, 1, nano, tokens];
        if (each.do === "admit") {
          const answer = limits.admit(ask({ limits: which.map((at) => all[at]!), tokens, nano }));
          const refusing = which.find((at) => used[at]! + cost[at]! > max[at]!);
          if (answer.kind === "refused") expect(answer.by).toBe(all[refusing!]!);
          else {
            expect(refusing).toBeUndefined();
            add(cost, 1);
            open.push({ admitted: answer, cost });
          }
        } else if (open.length > 0) {
          const [one] = open.splice(each.which % open.length, 1);
          limits.settle(one!.admitted, truth(tokens, nano));
          add([0, one!.cost[1]!, 1, one!.cost[3]!, one!.cost[4]!], -1);
          add([0, tokens, 0, nano, tokens], 1);
        }
        expect(limits.inFlight).toBe(open.length);
      }
      expect(recordsTaken(slab)).toBe(open.length);
    }),
  );
});

describe("a rate of tokens", () => {
  const rated = (perMinute: number) => {
    const slab = smallSlab();
    const limits = new Limits(join(slab, 1));
    const limit = tokenLimit(slab, "k", { perMinute });
    const left = (at: bigint): number => peekRate(slab, limit, at).remaining;
    const admit = (tokens: number, nowNs: bigint) =>
      limits.admit(ask({ limits: [limit], tokens, nowNs })) as Admitted;
    return { limits, left, admit };
  };

  test("gets back what was reserved and not used", () => {
    const { limits, left, admit } = rated(600);
    const admitted = admit(500, NOW);
    expect(left(NOW)).toBe(100);
    limits.settle(admitted, truth(20, 0));
    expect(left(NOW)).toBe(580);
  });
  test("pays what was used beyond the reservation from now on, however long ago that was", () => {
    const { limits, left, admit } = rated(600);
    const admitted = admit(10, NOW);
    limits.settle(admitted, { ...truth(310, 0), nowNs: NOW + 10n * MINUTE });
    expect(left(NOW + 10n * MINUTE)).toBe(300);
  });
  test("never has more than a minute's worth, whatever is given back late", () => {
    const { limits, left, admit } = rated(600);
    const admitted = admit(600, NOW);
    limits.settle(admitted, { ...truth(0, 0), nowNs: NOW + MINUTE });
    expect(left(NOW + MINUTE)).toBe(600);
  });
});

describe("an end", () => {
  test("comes once", () => {
    const slab = smallSlab();
    const limits = new Limits(join(slab, 1));
    const admitted = limits.admit(ask({})) as Admitted;
    limits.settle(admitted, truth(1, 1));
    expect(() => limits.settle(admitted, truth(1, 1))).toThrow("settled twice");
    expect(drainFacts(slab).facts).toBe(1);
  });
  test("that is no count is refused, and the request can still be settled", () => {
    const slab = smallSlab();
    const limits = new Limits(join(slab, 1));
    const admitted = limits.admit(ask({ limits: listOf(everyLimit(slab)) })) as Admitted;
    for (const [tokens, nano] of [
      [Number.NaN, 1],
      [1, -1],
      [0.5, 1],
      [1, 2 ** 60],
    ] as const) {
      expect(() => limits.settle(admitted, truth(tokens, nano))).toThrow("no count");
    }
    const long = { ...truth(1, 1), fact: new Uint8Array(65) };
    expect(() => limits.settle(admitted, long)).toThrow("a fact of 65 bytes");
    limits.settle(admitted, truth(3, 4));
    expect(cellsOf(slab, everyLimit(slab))).toEqual(cellsFrom({ facts: 1, tokens: 3, nano: 4 }));
  });
  test("a late word about an answer that is over is not said of the request after it", () => {
    const slab = smallSlab({ records: 1 });
    const limits = new Limits(join(slab, 1));
    const over = limits.admit(ask({})) as Admitted;
    limits.settle(over, truth(1, 1));
    const next = limits.admit(ask({})) as Admitted;
    expect(next.record).toBe(over.record);
    const before = slab.i32.slice();
    limits.delivered(over, 99);
    expect(slab.i32).toEqual(before);
  });
});

test("what was swept while it ran is not settled a second time, and nor is another's in its place", () => {
  const slab = smallSlab({ records: 1 });
  const [supervisor, slow] = [join(slab, 1), new Limits(join(slab, 2))];
  const mistaken = slow.admit(ask({})) as Admitted;
  sweepBut(supervisor, [1]);
  expect(() => slow.settle(mistaken, truth(1, 1))).toThrow("swept while it ran");
  new Limits(supervisor).admit(ask({}));
  expect(() => slow.settle(mistaken, truth(1, 1))).toThrow("swept while it ran");
});

describe("what cannot be admitted leaves nothing behind", () => {
  test("an ask that makes no sense", () => {
    const slab = smallSlab();
    const limits = new Limits(join(slab, 1));
    const many = Array.from({ length: 13 }, () => slotLimit(slab, "k", 1));
    for (const wrong of [{ tokens: Number.NaN }, { nano: -1 }, { inputNano: 0.1 }]) {
      expect(() => limits.admit(ask(wrong))).toThrow("no count");
    }
    expect(() => limits.admit(ask({ limits: many }))).toThrow("13 limits");
    expect(() => limits.admit(ask({ tag: new Uint8Array(257) }))).toThrow("257 bytes");
    expect(recordsTaken(slab)).toBe(0);
  });
  test("one request more than there are records", () => {
    const slab = smallSlab({ records: 3 });
    const limits = new Limits(join(slab, 1));
    const slots = slotLimit(slab, "k", 9);
    const admit = () => limits.admit(ask({ limits: [slots] }));
    const [first] = [admit(), admit(), admit()];
    expect(admit()).toEqual({ kind: "refused", by: "in_flight", retryAfterNs: 2e9 });
    expect(slabCounts(slab).recordsFull).toBe(1);
    limits.settle(first as Admitted, truth(0, 0));
    expect(admit().kind).toBe("admitted");
  });
  test("says when to come back", () => {
    const slab = smallSlab();
    const limits = new Limits(join(slab, 1));
    const requests = requestLimit(slab, "k", { perMinute: 1 });
    const tokens = tokenLimit(slab, "k", { perMinute: 60 });
    const slots = slotLimit(slab, "k", 1);
    const wait = (over: Partial<Ask>): unknown => {
      const answer = limits.admit(ask(over));
      return answer.kind === "refused" ? answer.retryAfterNs : "admitted";
    };
    expect(wait({ limits: [requests, slots] })).toBe("admitted");
    expect(wait({ limits: [requests] })).toBeCloseTo(60e9, -4);
    expect(wait({ limits: [slots] })).toBe(2e9);
    expect(wait({ limits: [tokens], tokens: 61 })).toBeUndefined();
    expect(wait({ limits: [tokens], tokens: 60 })).toBe("admitted");
    expect(wait({ limits: [tokens], tokens: 30 })).toBeCloseTo(30e9, -3);
  });
});

test("facts wait for room in the ring, each with its record, and come in order", () => {
  const slab = smallSlab({ records: 100 });
  const actor = join(slab, 1);
  const limits = new Limits(actor);
  for (let each = 0; each < 90; each++) {
    limits.settle(limits.admit(ask({})) as Admitted, truth(each, 0));
  }
  expect(limits.inFlight).toBe(0);
  const waiting = limits.flush();
  expect(waiting).toBeGreaterThan(10);
  expect(recordsTaken(slab)).toBe(waiting);
  const seen: number[] = [];
  const read = (): void => {
    const facts = readFacts(slab, { station: actor.station, max: 7 }, (fact) => {
      seen.push(new Float64Array(fact.slice().buffer)[0]!);
    });
    releaseFacts(slab, facts);
  };
  while (factsWaiting(slab, actor.station) > 0 || limits.flush() > 0) {
    read();
    limits.flush();
  }
  expect(seen).toEqual(Array.from({ length: 90 }, (_, each) => each));
  expect(recordsTaken(slab)).toBe(0);
});

test("a short fact does not get in before a long one that waits", () => {
  const slab = smallSlab({ records: 100, ringBytes: 256 });
  const actor = join(slab, 1);
  const limits = new Limits(actor);
  const settle = (length: number, first: number): void => {
    const fact = new Uint8Array(length).fill(first);
    limits.settle(limits.admit(ask({})) as Admitted, { ...truth(0, 0), fact });
  };
  for (const [at, length] of [64, 64, 64, 64, 8, 8].entries()) settle(length, at);
  const seen: number[] = [];
  for (let turn = 0; turn < 6; turn++) {
    const read = readFacts(slab, { station: actor.station, max: 1 }, ([first]) =>
      seen.push(first!),
    );
    releaseFacts(slab, read);
    limits.flush();
  }
  expect(seen).toEqual([0, 1, 2, 3, 4, 5]);
});
