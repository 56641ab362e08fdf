import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  claim,
  type Leases,
  type LeaseTerms,
  NO_LEASES,
  openPurse,
  overshootBound,
  type Purse,
  report,
  reserve,
  settle,
} from "../../../src/state/budget-periods/lease.ts";

const TERMS: LeaseTerms = {
  ...{ budget: 1000n, slice: 100n, perNode: 2, leaseMs: 1000, graceMs: 500, unreported: "spent" },
};

test("all that is leased at once is never more than the budget", () => {
  let leases = NO_LEASES;
  const given: bigint[] = [];
  for (let n = 0; n < 30; n++) {
    const claimed = claim(leases, TERMS, { id: `l${n}`, node: `n${n}`, now: 0 });
    leases = claimed.leases;
    if (claimed.lease !== undefined) given.push(claimed.lease.nano);
  }
  expect(given.reduce((a, b) => a + b, 0n)).toBe(1000n);
});

test("the same claim and the same report twice change nothing", () => {
  const first = claim(NO_LEASES, TERMS, { id: "l", node: "n", now: 0 });
  const again = claim(first.leases, TERMS, { id: "l", node: "n", now: 1 });
  expect(again.lease).toEqual(first.lease!);
  const once = report(again.leases, { id: "l", spent: 40n });
  expect(report(once, { id: "l", spent: 40n })).toEqual(once);
  expect(once).toEqual({ spent: 40n, open: [], lost: [] });
});

test("a node that has reported nothing gets no third slice", () => {
  let { leases } = claim(NO_LEASES, TERMS, { id: "a", node: "n", now: 0 });
  ({ leases } = claim(leases, TERMS, { id: "b", node: "n", now: 0 }));
  expect(claim(leases, TERMS, { id: "c", node: "n", now: 0 }).lease).toBeUndefined();
  leases = report(leases, { id: "a", spent: 100n });
  expect(claim(leases, TERMS, { id: "c", node: "n", now: 0 }).lease).toBeDefined();
});

test("a purse gives no more than its lease, and nothing once its time is over", () => {
  const { lease } = claim(NO_LEASES, TERMS, { id: "l", node: "n", now: 0 });
  const purse = openPurse(lease!, 50);
  expect(reserve(purse, 101n, 0)).toBeUndefined();
  const held = reserve(purse, 100n, 49)!;
  expect(reserve(held, 1n, 49)).toBeUndefined();
  expect(reserve(purse, 1n, 50)).toBeUndefined();
  expect(settle(held, { held: 100n, cost: 30n })).toMatchObject({ reserved: 0n, spent: 30n });
  expect(settle(held, { held: 100n, cost: 900n })).toMatchObject({ reserved: 0n, spent: 100n });
});

/** A store and some nodes that crash, lose the connection and come back. */
class Cluster {
  leases: Leases = NO_LEASES;
  now = 0;
  spent = 0n;
  readonly terms: LeaseTerms;
  readonly #purses = new Map<string, Purse[]>();
  #made = 0;

  constructor(terms: LeaseTerms) {
    this.terms = terms;
  }

  claim(node: string): void {
    const id = `l${++this.#made}`;
    const { leases, lease } = claim(this.leases, this.terms, { id, node, now: this.now });
    this.leases = leases;
    if (lease === undefined) return;
    // The node counts from when it asked, so that it stops before the store does.
    const purses = this.#purses.get(node) ?? [];
    this.#purses.set(node, [...purses, openPurse(lease, this.now + this.terms.leaseMs)]);
  }
  spend(node: string, nano: bigint): void {
    const purses = this.#purses.get(node) ?? [];
    for (const [at, purse] of purses.entries()) {
      const held = reserve(purse, nano, this.now);
      if (held === undefined) continue;
      purses[at] = settle(held, { held: nano, cost: nano });
      this.spent += nano;
      return;
    }
  }
  report(node: string): void {
    for (const { lease, spent } of this.#purses.get(node) ?? []) {
      this.leases = report(this.leases, { id: lease.id, spent });
    }
    this.#purses.delete(node);
  }
}

describe.each(["spent", "returned"] as const)(
  "slices that nobody reported are %s",
  (unreported) => {
    test("all nodes together pass the budget by no more than the bound", () => {
      const nodes = ["a", "b", "c"];
      const step = fc.record({
        node: fc.constantFrom(...nodes),
        what: fc.constantFrom("claim", "spend", "spend", "report", "wait"),
        nano: fc.bigInt({ min: 0n, max: 120n }),
      });
      let overshot = false;
      fc.assert(
        fc.property(fc.array(step, { maxLength: 120, size: "max" }), (steps) => {
          const terms = { ...TERMS, budget: 150n, unreported };
          const cluster = new Cluster(terms);
          for (const { node, what, nano } of steps) {
            if (what === "claim") cluster.claim(node);
            else if (what === "spend") cluster.spend(node, nano);
            else if (what === "report") cluster.report(node);
            else cluster.now += Number(nano) * 20;
            overshot ||= cluster.spent > terms.budget;
            expect(cluster.spent <= terms.budget + overshootBound(terms, nodes.length)).toBe(true);
          }
        }),
        { numRuns: 2000, seed: 7 },
      );
      expect(overshot).toBe(unreported === "returned"); // The bound is there for a reason.
    });
  },
);

test("the bound is nothing where unreported slices count as spent", () => {
  expect(overshootBound(TERMS, 5)).toBe(0n);
  expect(overshootBound({ ...TERMS, unreported: "returned" }, 5)).toBe(1000n);
});
