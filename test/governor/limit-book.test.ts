import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { BudgetAlert } from "../../src/core/alert.ts";
import { type Limits, type OnExhausted, UNLIMITED } from "../../src/core/limits.ts";
import { Rejection } from "../../src/core/rejection.ts";
import { createGovernor, endsAnswers, type Permit } from "../../src/governor/governor.ts";
import { LimitBook } from "../../src/governor/limit-book.ts";
import { DEFAULT_SIZES } from "../../src/state/slab/layout.ts";
import { slabInMemory } from "../../src/state/slab/open.ts";
import { joinSlab } from "../../src/state/slab/stations.ts";

const SIZES = {
  ...DEFAULT_SIZES,
  limitRows: 256,
  records: 256,
  ringBytes: 1 << 12,
  metricCells: 64,
};
const WALL = Date.UTC(2026, 10, 20);

interface Cost {
  readonly tokens: number;
  readonly nano: number;
  readonly wall: number;
}

function governorOf(percents: readonly number[] = []) {
  const slab = slabInMemory({ sizes: SIZES, bootId: "a boot", seed: 1n });
  const actor = joinSlab(slab, { pid: 1, born: 1 })!;
  let nowNs = 0n;
  const book = new LimitBook(actor);
  const told: BudgetAlert[] = [];
  let wall = WALL;
  const tell = (alert: BudgetAlert) => void told.push(alert);
  const alerts = { percents, wall: () => wall, tell };
  const governor = createGovernor({ inFlightMax: 1000, book, machine: () => nowNs, alerts });
  const ask = (limits: Partial<Limits>, cost: Partial<Cost> = {}) => {
    const key = keyOf(limits);
    const { tokens = 1, nano = 0 } = cost;
    wall = cost.wall ?? WALL;
    const asked = { key, inputTokens: 1, tokens, inputNano: 0, nano, outputNanoPerMillion: 0 };
    return governor.admit(asked, { nowNs, wall });
  };
  return { governor, ask, told, pass: (ms: number) => void (nowNs += BigInt(ms) * 1_000_000n) };
}
const keys = new Map<string, { id: string; limits: Limits }>();
function keyOf(limits: Partial<Limits>) {
  const id = JSON.stringify(limits);
  let key = keys.get(id);
  if (key === undefined) keys.set(id, (key = { id, limits: { ...UNLIMITED, ...limits } }));
  return key;
}
const kindOf = (answer: Permit | Rejection): string => {
  if (!(answer instanceof Rejection)) return "admitted";
  const { reason } = answer;
  return reason.kind === "rate_limited" ? reason.limit : reason.kind;
};

describe("a key is held to", () => {
  test("its requests a minute, and told how soon the next one may come", () => {
    const { ask, pass } = governorOf();
    const limits = { requestsPerMinute: 3 };
    expect([1, 2, 3, 4].map(() => kindOf(ask(limits)))).toEqual([
      ...["admitted", "admitted", "admitted"],
      "rpm",
    ]);
    const refused = ask(limits) as Rejection;
    const { retryAfterMs } = refused.reason as { retryAfterMs: number };
    expect(retryAfterMs).toBe(20_000);
    pass(retryAfterMs);
    expect(kindOf(ask(limits))).toBe("admitted");
  });

  test("its tokens a minute: the estimate is reserved, the truth is settled", () => {
    const { ask } = governorOf();
    const limits = { tokensPerMinute: 1000 };
    const first = ask(limits, { tokens: 900 }) as Permit;
    expect(kindOf(ask(limits, { tokens: 200 }))).toBe("tpm");
    first.release({ tokens: 100, nano: 0, estimated: false });
    expect(kindOf(ask(limits, { tokens: 200 }))).toBe("admitted");
  });

  test("its requests at the same time", () => {
    const { ask } = governorOf();
    const limits = { concurrency: 2 };
    const first = ask(limits) as Permit;
    expect([kindOf(ask(limits)), kindOf(ask(limits))]).toEqual(["admitted", "concurrency"]);
    first.release();
    expect(kindOf(ask(limits))).toBe("admitted");
  });

  test("its budget, whatever is reserved and settled in whatever order", () => {
    const step = fc.tuple(fc.boolean(), fc.nat(50), fc.nat(50));
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 0, max: 200 }),
        (steps, max) => {
          const { ask } = governorOf();
          const limits = { budgets: [{ unit: "usd", amount: max, period: "monthly" }] } as const;
          const open: { permit: Permit; nano: number }[] = [];
          let committed = 0;
          for (const [asks, nano, truth] of steps) {
            if (asks) {
              const permit = ask(limits, { nano });
              expect(kindOf(permit)).toBe(
                committed + nano <= max ? "admitted" : "budget_exhausted",
              );
              if (permit instanceof Rejection) continue;
              open.push({ permit, nano });
              committed += nano;
            } else {
              const ended = open.shift();
              if (ended === undefined) continue;
              const nanoSpent = Math.min(truth, ended.nano);
              ended.permit.release({ tokens: 1, nano: nanoSpent, estimated: false });
              committed += nanoSpent - ended.nano;
            }
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});

test("an answer that outgrows its reservation goes on as long as the budget lasts, and never over", () => {
  const step = fc.record({ who: fc.nat(3), tokens: fc.integer({ min: 1, max: 60 }) });
  const most = fc.integer({ min: 10, max: 300 });
  fc.assert(
    fc.property(most, fc.array(step, { maxLength: 60 }), (max, steps) => {
      const { governor, ask } = governorOf();
      const limits = { budgets: [{ unit: "tokens", amount: max, period: "total" }] } as const;
      const instant = { nowNs: 0n, wall: WALL };
      const rule = { ...instant, otherwise: "hard_stop" } as const;
      const level = () => governor.levels(keyOf(limits), instant)!.budgets[0]!;
      const running = new Map<number, { permit: Permit; used: number; most: number }>();
      let spent = 0;
      for (const { who, tokens } of steps) {
        const answer = running.get(who);
        if (answer === undefined) {
          const permit = ask(limits, { tokens: 10 });
          if (!(permit instanceof Rejection)) running.set(who, { permit, used: 0, most: 10 });
          continue;
        }
        const { permit, used } = answer;
        const before = level().reserved;
        const left = level().remaining + answer.most;
        const covered = permit.covers({ tokens: used + tokens, nano: 0 }, rule);
        expect(covered).toBe(used + tokens <= left);
        answer.most += level().reserved - before;
        expect(level().spent + level().reserved).toBeLessThanOrEqual(max);
        if (covered) {
          answer.used += tokens;
          continue;
        }
        permit.release({ tokens: used, nano: 0, estimated: true });
        running.delete(who);
        spent += used;
      }
      for (const { permit } of running.values()) permit.release();
      expect(level()).toMatchObject({ spent, reserved: 0 });
      expect(spent).toBeLessThanOrEqual(max);
    }),
    { numRuns: 200 },
  );
});

test("a key's budgets and its tenant's end an answer each by its own rule", () => {
  const rule = fc.constantFrom<OnExhausted | undefined>("finish", "hard_stop", undefined);
  const most = fc.integer({ min: 10, max: 100 });
  const otherwise = fc.constantFrom<OnExhausted>("finish", "hard_stop");
  fc.assert(
    fc.property(rule, rule, otherwise, most, most, (ofKey, ofTenant, unless, own, all) => {
      const { governor } = governorOf();
      const budget = (amount: number, onExhausted: OnExhausted | undefined): Limits => {
        return {
          ...UNLIMITED,
          budgets: [{ unit: "tokens", amount, period: "total" }],
          onExhausted,
        };
      };
      const tenant = { id: "t", limits: budget(all, ofTenant) };
      const key = { id: "k", limits: budget(own, ofKey), tenant };
      const asked = { key, inputTokens: 1, inputNano: 0, nano: 0, outputNanoPerMillion: 0 };
      const permit = governor.admit({ ...asked, tokens: 10 }, { nowNs: 0n, wall: WALL }) as Permit;
      const isHard = (said: OnExhausted | undefined) => (said ?? unless) === "hard_stop";
      const bound = Math.min(isHard(ofKey) ? own : Infinity, isHard(ofTenant) ? all : Infinity);
      expect(endsAnswers(key, unless)).toBe(bound < Infinity);
      for (let tokens = 10; tokens <= 120; tokens += 5) {
        const covering = { nowNs: 0n, wall: WALL, otherwise: unless };
        expect(permit.covers({ tokens, nano: 0 }, covering)).toBe(tokens <= bound);
      }
      permit.release({ tokens: 120, nano: 0, estimated: false });
      const { budgets } = governor.levels(key, { nowNs: 0n, wall: WALL })!;
      expect(budgets.map(({ spent, reserved }) => [spent, reserved])).toEqual([
        [120, 0],
        [120, 0],
      ]);
    }),
    { numRuns: 200 },
  );
});

describe("somebody is told", () => {
  const DAY = 86_400_000;
  const spend = fc.record({
    tokens: fc.integer({ min: 1, max: 40 }),
    days: fc.integer({ min: 0, max: 3 }).map((n) => (n === 3 ? 1 : 0)),
  });

  test("of each threshold a period's budget reaches, once, the lowest first", () => {
    fc.assert(
      fc.property(fc.array(spend, { maxLength: 60, size: "max" }), (spends) => {
        const percents = [50, 80, 100];
        const { ask, told } = governorOf(percents);
        const budgets = [{ unit: "tokens", amount: 100, period: "daily" }] as const;
        const wanted: string[] = [];
        let [wall, spent, reached] = [WALL, 0, 0];
        for (const { tokens, days } of spends) {
          if (days > 0) [wall, spent, reached] = [wall + DAY, 0, 0];
          const answer = ask({ budgets }, { tokens, wall });
          const refused = answer instanceof Rejection;
          if (!refused) {
            answer.release({ tokens, nano: 0, estimated: false });
            spent += tokens;
          }
          const now = refused ? 100 : spent;
          const day = new Date(wall).toISOString().slice(0, 10);
          for (const percent of percents) {
            if (percent > reached && percent <= now) wanted.push(`${day} ${percent} ${refused}`);
          }
          reached = Math.max(reached, now);
        }
        const said = told.map(({ periodName, percent, refused }) => {
          return `${periodName} ${percent} ${refused}`;
        });
        expect(said).toEqual(wanted);
        expect(new Set(told.map(({ id }) => id)).size).toBe(told.length);
      }),
    );
  });

  test("of a rolling window's threshold once in its length", () => {
    const { ask, told } = governorOf([50]);
    const budgets = [{ unit: "tokens", amount: 100, period: { rollingMs: DAY } }] as const;
    for (let hour = 0; hour < 96; hour++) {
      const answer = ask({ budgets }, { tokens: 4, wall: WALL + hour * 3_600_000 });
      if (!(answer instanceof Rejection)) answer.release({ tokens: 4, nano: 0, estimated: false });
    }
    expect(told.map(({ periodName }) => periodName)).toEqual(
      [20, 21, 22, 23].map((day) => `from 2026-11-${day}T00:00:00Z`),
    );
  });

  test("of a tenant's budget as of a key's, with whose it is; and of what only others reserve, never", () => {
    const { governor, told } = governorOf([50, 100]);
    const budgets = [{ unit: "tokens", amount: 100, period: "total" }] as const;
    const tenant = { id: "t", limits: { ...UNLIMITED, budgets } };
    const key = { id: "k", limits: UNLIMITED, tenant };
    const rest = { key, inputTokens: 1, inputNano: 0, nano: 0, outputNanoPerMillion: 0 };
    const instant = { nowNs: 0n, wall: WALL };
    const running = governor.admit({ ...rest, tokens: 60 }, instant) as Permit;
    expect(governor.admit({ ...rest, tokens: 60 }, instant)).toBeInstanceOf(Rejection);
    expect(told).toEqual([]);
    running.release({ tokens: 55, nano: 0, estimated: false });
    expect(told).toMatchObject([{ whose: "tenant", name: "t", percent: 50, spent: 55 }]);
  });
});

describe("a rolling budget", () => {
  const HOUR = 3_600_000;
  const spend = fc.record({
    afterMs: fc.integer({ min: 0, max: 2 * HOUR }),
    tokens: fc.integer({ min: 0, max: 40 }),
  });
  const windows = fc.constantFrom(HOUR, 5 * HOUR, 24 * HOUR);

  test("never lets more through in any window of its length, and lets go of what is older", () => {
    fc.assert(
      fc.property(windows, fc.array(spend, { maxLength: 40, size: "max" }), (rollingMs, steps) => {
        const { ask } = governorOf();
        const budgets = [{ unit: "tokens", amount: 100, period: { rollingMs } }] as const;
        const spent: { at: number; tokens: number }[] = [];
        let wall = WALL;
        for (const { afterMs, tokens } of steps) {
          wall += afterMs;
          const answer = ask({ budgets }, { tokens, wall });
          const sum = (since: number) =>
            spent.filter(({ at }) => at > since).reduce((all, each) => all + each.tokens, 0);
          if (answer instanceof Rejection) {
            // Counted by steps of a twenty-fourth: at most two of them longer than the window.
            expect(sum(wall - rollingMs * (1 + 2 / 24)) + tokens).toBeGreaterThan(100);
            continue;
          }
          answer.release({ tokens, nano: 0, estimated: false });
          spent.push({ at: wall, tokens });
          expect(sum(wall - rollingMs)).toBeLessThanOrEqual(100);
        }
      }),
      { numRuns: 100 },
    );
  });
});

test.each([
  ["daily", Date.UTC(2026, 10, 20, 18), 6 * 3_600_000],
  ["monthly", Date.UTC(2026, 10, 30, 23), 3_600_000],
  ["total", WALL, undefined],
] as const)("a spent %s budget says when it is renewed", (period, wall, wait) => {
  const { ask } = governorOf();
  const budgets = [{ unit: "tokens", amount: 10, period }] as const;
  const all = ask({ budgets }, { tokens: 10, wall }) as Permit;
  // What is only reserved may come back any moment.
  expect((ask({ budgets }, { tokens: 5, wall }) as Rejection).reason).toMatchObject({
    retryAfterMs: 2000,
  });
  all.release({ tokens: 10, nano: 0, estimated: false });
  const refused = ask({ budgets }, { tokens: 5, wall }) as Rejection;
  expect(refused.reason).toEqual({
    kind: "budget_exhausted",
    retryAfterMs: wait,
    status: 429,
    whose: "key",
  });
  const never = ask({ budgets }, { tokens: 11, wall }) as Rejection;
  expect(never.reason).toMatchObject({ retryAfterMs: undefined });
});

test("a refusal by one limit takes nothing of the others", () => {
  const { ask } = governorOf();
  const limits = { requestsPerMinute: 2, tokensPerMinute: 10 };
  expect(kindOf(ask(limits, { tokens: 11 }))).toBe("tpm");
  expect(kindOf(ask(limits, { tokens: 5 }))).toBe("admitted");
  expect(kindOf(ask(limits, { tokens: 5 }))).toBe("admitted");
});

test("what is left is told as it is", () => {
  const { governor, ask } = governorOf();
  const budgets = [{ unit: "tokens", amount: 100, period: "total" }] as const;
  const limits = { requestsPerMinute: 10, budgets };
  ask(limits, { tokens: 30 });
  const levels = governor.levels(keyOf(limits), { nowNs: 0n, wall: WALL });
  expect(levels?.requests?.remaining).toBe(9);
  expect(levels?.budgets).toMatchObject([{ reserved: 30, spent: 0, remaining: 70 }]);
  expect(levels?.budgets[0]?.resetAt).toBeUndefined();
});

describe("a key and its tenant", () => {
  const ONE = { inputTokens: 1, inputNano: 0, nano: 0, outputNanoPerMillion: 0 };

  test("are both held to, all or none, and the refusal says whose limit it was", () => {
    const amount = fc.integer({ min: 1, max: 30 });
    const step = fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 12 }), fc.boolean());
    fc.assert(
      fc.property(amount, amount, fc.array(step, { maxLength: 50 }), (ofKey, ofTenant, steps) => {
        const { governor } = governorOf();
        const budget = (of: number) => [{ unit: "tokens", amount: of, period: "total" }] as const;
        const limitsOf = (of: number): Limits => ({ ...UNLIMITED, budgets: budget(of) });
        const tenants = ["a", "b"].map((id) => ({ id, limits: limitsOf(ofTenant) }));
        const keys = [0, 1, 2, 3].map((at) => ({
          ...{ id: `k${at}`, limits: limitsOf(ofKey), tenant: tenants[at >> 1]! },
        }));
        const usedByKey = [0, 0, 0, 0];
        const usedByTenant = [0, 0];
        for (const [at, tokens, settles] of steps) {
          const tenant = at >> 1;
          const asked = { ...ONE, key: keys[at]!, tokens };
          const answer = governor.admit(asked, { nowNs: 0n, wall: WALL });
          const wanted =
            usedByKey[at]! + tokens > ofKey
              ? "key"
              : usedByTenant[tenant]! + tokens > ofTenant
                ? "tenant"
                : "admitted";
          const whose = answer instanceof Rejection ? answer.reason : { whose: "admitted" };
          expect(whose).toMatchObject({ whose: wanted });
          if (answer instanceof Rejection) continue;
          const truth = settles ? 1 : tokens;
          answer.release({ tokens: truth, nano: 0, estimated: false });
          usedByKey[at]! += truth;
          usedByTenant[tenant]! += truth;
          const left = Math.min(ofKey - usedByKey[at]!, ofTenant - usedByTenant[tenant]!);
          const { budgets } = governor.levels(keys[at]!, { nowNs: 0n, wall: WALL })!;
          expect(Math.min(...budgets.map(({ remaining }) => remaining))).toBe(left);
          expect(budgets.map(({ whose }) => whose)).toEqual(["key", "tenant"]);
        }
      }),
      { numRuns: 100 },
    );
  });

  test("of whom only the tenant is limited, are limited", () => {
    const { governor } = governorOf();
    const tenant = { id: "a", limits: { ...UNLIMITED, requestsPerMinute: 2 } };
    const keys = ["x", "y"].map((id) => ({ id, limits: UNLIMITED, tenant }));
    const asked = [0, 1, 0].map((at) => {
      const key = keys[at]!;
      return governor.admit({ ...ONE, tokens: 1, key }, { nowNs: 0n, wall: WALL });
    });
    expect(asked.map(kindOf)).toEqual(["admitted", "admitted", "rpm"]);
    expect(governor.levels(keys[0]!, { nowNs: 0n, wall: WALL })).toMatchObject({ requestsMax: 2 });
  });
});
