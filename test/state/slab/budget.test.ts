import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  budgetLimit,
  type BudgetLimit,
  peekBudget,
  restoreSpent,
} from "../../../src/state/slab/budget.ts";
import { type Admitted, Limits } from "../../../src/state/slab/limits.ts";
import { ask, DAY, join, smallSlab, truth } from "./fixture.ts";

type Step =
  | { readonly do: "admit"; readonly nano: number }
  | { readonly do: "settle"; readonly which: number; readonly nano: number }
  | { readonly do: "wait"; readonly periods: number };

const amount = fc.integer({ min: 0, max: 400 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("admit" as const), nano: amount }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("settle" as const), which: fc.nat(), nano: amount }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      periods: fc.integer({ min: -1, max: 5 }),
    }),
  },
);

/** Money as a list of what was settled when, in the bucket of its admission. */
interface Model {
  spent: { readonly bucket: number; readonly nano: number }[];
  readonly open: { readonly admitted: Admitted; readonly nano: number; readonly bucket: number }[];
  period: number;
}

const sum = (all: readonly { readonly nano: number }[]): number =>
  all.reduce((total, { nano }) => total + nano, 0);

test.each([1, 4])("with %d buckets, spending is what a plain list of it says", (buckets) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const slab = smallSlab({ records: 64 });
      const limits = new Limits(join(slab, 1));
      const limit = budgetLimit(slab, "k", {
        ...{ unit: "nano", max: 1000, scheme: buckets === 1 ? "daily" : "rolling", buckets },
        periodAt: (wall) => Math.floor(wall / DAY),
      });
      const model: Model = { spent: [], open: [], period: 0 };
      let clock = 100;
      for (const each of steps) {
        if (each.do === "wait") clock = Math.max(20, clock + each.periods);
        if (each.do === "admit") admit(each.nano);
        if (each.do === "settle" && model.open.length > 0) {
          const [open] = model.open.splice(each.which % model.open.length, 1);
          limits.settle(open!.admitted, truth(0, each.nano));
          // Who runs through the end of a period is charged in the one after it.
          const kept = model.period - buckets;
          let { bucket } = open!;
          while (bucket <= kept) bucket += buckets;
          model.spent.push({ bucket, nano: each.nano });
        }
        const reserved = sum(model.open);
        const spent = sum(model.spent);
        const remaining = Math.max(0, 1000 - reserved - spent);
        expect(peekBudget(slab, limit)).toEqual({ spent, reserved, remaining });
      }

      function admit(nano: number): void {
        model.period = Math.max(model.period, clock);
        model.spent = model.spent.filter(({ bucket }) => bucket > model.period - buckets);
        const asked = ask({ limits: [limit], nano, wall: clock * DAY });
        const fits = sum(model.open) + sum(model.spent) + nano <= 1000;
        const answer = limits.admit(asked);
        expect(answer.kind).toBe(fits ? "admitted" : "refused");
        if (answer.kind === "refused")
          expect(answer).toEqual({
            ...{ kind: "refused", by: limit, retryAfterNs: undefined },
          });
        else model.open.push({ admitted: answer, nano, bucket: model.period });
      }
    }),
    { numRuns: 300 },
  );
});

test("a budget that never ends is never forgiven", () => {
  const { limits, limit } = plain({ scheme: "total", periodAt: () => 0 });
  for (let day = 0; day < 10; day++) {
    const admitted = limits.admit(ask({ limits: [limit], nano: 100, wall: day * DAY }));
    limits.settle(admitted as Admitted, truth(0, 100));
  }
  expect(limits.admit(ask({ limits: [limit], nano: 1, wall: 99 * DAY })).kind).toBe("refused");
});

test("the ledger's word at start is the budget's, until the period ends", () => {
  const { slab, actor, limits, limit } = plain({ scheme: "daily", periodAt: daily });
  const first = limits.admit(ask({ limits: [limit], nano: 5, wall: DAY })) as Admitted;
  limits.settle(first, truth(0, 5));
  restoreSpent(actor, limit, 990);
  expect(peekBudget(slab, limit)).toEqual({ spent: 990, reserved: 0, remaining: 10 });
  expect(limits.admit(ask({ limits: [limit], nano: 11, wall: DAY })).kind).toBe("refused");
  restoreSpent(actor, limit, 20);
  expect(peekBudget(slab, limit)).toEqual({ spent: 20, reserved: 0, remaining: 980 });
  limits.admit(ask({ limits: [limit], nano: 0, wall: 2 * DAY }));
  expect(peekBudget(slab, limit).spent).toBe(0);
});

test("so it is for a rolling window, however its buckets were filled", () => {
  const { slab, actor, limits, limit } = plain({ scheme: "rolling", buckets: 3 });
  for (let day = 5; day < 8; day++) {
    const one = limits.admit(ask({ limits: [limit], nano: 100, wall: day * DAY })) as Admitted;
    limits.settle(one, truth(0, 100));
  }
  for (const spent of [20, 900, 0]) {
    restoreSpent(actor, limit, spent);
    expect(peekBudget(slab, limit)).toEqual({ spent, reserved: 0, remaining: 1000 - spent });
  }
});

describe("budgets that find the table full", () => {
  test("share one, and none of them is without a limit", () => {
    const slab = smallSlab({ limitRows: 1 });
    const limits = new Limits(join(slab, 1));
    const own = budgetLimit(slab, "own", spec({}));
    const [one, two] = [budgetLimit(slab, "one", spec({})), budgetLimit(slab, "two", spec({}))];
    expect(one.row).toBe(two.row);
    expect(own.row).not.toBe(one.row);
    const full = (limit: BudgetLimit): string =>
      limits.admit(ask({ limits: [limit], nano: 600, wall: DAY })).kind;
    expect([full(one), full(two), full(own)]).toEqual(["admitted", "refused", "admitted"]);
  });
  test("each period and each unit has its own to share", () => {
    const slab = smallSlab({ limitRows: 1 });
    budgetLimit(slab, "own", spec({}));
    const all = (["nano", "tokens"] as const).flatMap((unit) =>
      (["total", "hourly", "daily", "weekly", "monthly", "rolling"] as const).map((scheme) => {
        const buckets = scheme === "rolling" ? 12 : 1;
        return budgetLimit(slab, "x", spec({ unit, scheme, buckets }));
      }),
    );
    expect(new Set(all.map(({ row }) => row)).size).toBe(12);
    for (const { row, buckets } of all) expect(buckets).toEqual([row]);
  });
});

test("a budget that cannot be counted exactly is refused at load", () => {
  for (const max of [-1, 0.5, 2 ** 53, Number.NaN, Infinity]) {
    expect(() => budgetLimit(smallSlab(), "k", spec({ max }))).toThrow("a budget of");
  }
});

const daily = (wall: number): number => Math.floor(wall / DAY);

function spec(over: Partial<Parameters<typeof budgetLimit>[2]>): Parameters<typeof budgetLimit>[2] {
  return { unit: "nano", max: 1000, scheme: "daily", periodAt: daily, ...over };
}

function plain(over: Partial<Parameters<typeof budgetLimit>[2]>) {
  const slab = smallSlab();
  const actor = join(slab, 1);
  return { slab, actor, limits: new Limits(actor), limit: budgetLimit(slab, "k", spec(over)) };
}
