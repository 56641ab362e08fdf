import { expect, test } from "bun:test";
import fc from "fast-check";
import { ShareKeeper } from "../../src/cli/share-keeper.ts";
import { mapSlab, selfOwner } from "../../src/cli/shared-slab.ts";
import { UNLIMITED } from "../../src/core/limits.ts";
import { Rejection } from "../../src/core/rejection.ts";
import { LimitBook } from "../../src/governor/limit-book.ts";
import { systemRandom as random } from "../../src/runtime/random.ts";
import { joinSlab } from "../../src/state/slab/stations.ts";
import type { Sql } from "../../src/state/store/sql.ts";
import { SimClock } from "../sim/clock.ts";
import { DATABASES, temporaryFolder } from "../state/store/engines.ts";

const MAX = 1000;
const PART = 0.05;
const SLICE = MAX * PART;

/** Nodes with a slab each, and one database. */
async function cluster(count: number) {
  const { it: sql, close } = await DATABASES[0]!.open();
  const clock = new SimClock();
  const lines: string[] = [];
  const log = {
    line: (...line: unknown[]) => void lines.push(String(line[2])),
    flush: async () => {},
  };
  const away = { is: false };
  const shared: Sql = {
    ...{ engine: "sqlite", script: (text) => sql.script(text), listen: sql.listen.bind(sql) },
    rows: (text, params) => sql.rows(text, params),
    transaction: (work) => (away.is ? Promise.reject(new Error("away")) : sql.transaction(work)),
    close: async () => {},
  };
  const nodes = Array.from({ length: count }, () => {
    const folder = temporaryFolder();
    const place = { directory: folder.path, port: 1 };
    const slab = mapSlab(place, random);
    if ("problem" in slab) throw new Error(slab.problem);
    const book = new LimitBook(joinSlab(slab, selfOwner())!, { shared: true, slicePart: PART });
    const keeper = new ShareKeeper({
      ...{ url: "postgres://none", slicePart: PART, place, clock, random, log, sql: shared },
    });
    return { folder, book, keeper };
  });
  const budgets = [{ unit: "tokens", amount: MAX, period: "total" } as const];
  const key = { id: "app", limits: { ...UNLIMITED, budgets } } as const;
  return {
    ...{ nodes, clock, sql, away, lines },
    /** Takes and settles so much; whether the node could. */
    use(at: number, tokens: number): boolean {
      const instant = { nowNs: clock.machine(), wall: clock.wall() };
      const cost = { inputTokens: 0, inputNano: 0, nano: 0, outputNanoPerMillion: 0 };
      const taken = nodes[at]!.book.admit({ key: key as never, tokens, ...cost }, instant);
      if (taken instanceof Rejection) return false;
      const settled = { tokens, nano: 0, estimated: false };
      nodes[at]!.book.settle(taken, { settled, nowNs: instant.nowNs, fact: undefined });
      return true;
    },
    async everybody(rounds: number): Promise<void> {
      for (let round = 0; round < rounds; round++) {
        for (const { keeper } of nodes) await keeper.round();
        await clock.advance(250);
      }
    },
    async [Symbol.asyncDispose]() {
      for (const { keeper, folder } of nodes) {
        await keeper.end({ isForGood: false });
        folder.remove();
      }
      await close();
    },
  };
}

test("nodes use a budget up together, and each is told what the others used", async () => {
  await using all = await cluster(3);
  let used = 0;
  for (let vain = 0; vain < 40; vain++) {
    for (const at of [0, 1, 2]) {
      if (!all.use(at, 7)) continue;
      used += 7;
      vain = 0;
    }
    await all.everybody(1);
  }
  expect(used).toBeLessThanOrEqual(MAX);
  expect(used).toBeGreaterThan(MAX - 3 * 3 * 7);
  const { nodes, overspendTokens, problem } = all.nodes[0]!.keeper.standing;
  expect([nodes, overspendTokens, problem]).toEqual([3, 3 * SLICE, undefined]);
});

test("with the database away a node uses what it holds, and no more", async () => {
  await using all = await cluster(2);
  all.away.is = true;
  await all.everybody(2);
  let used = 0;
  while (all.use(0, 5)) used += 5;
  expect(used).toBe(SLICE);
  expect(all.nodes[0]!.keeper.standing.problem).toBe("away");
  all.away.is = false;
  await all.everybody(3);
  expect(all.use(0, 200)).toBe(false); // More than it has in hand: wanted from now on.
  await all.everybody(3);
  expect(all.use(0, 200)).toBe(true);
});

test("a database that lost what it knew gives nobody what others have used", async () => {
  await using all = await cluster(2);
  let used = 0;
  for (let round = 0; round < 60; round++) {
    for (const at of [0, 1]) if (used < 900 && all.use(at, 10)) used += 10;
    await all.everybody(1);
  }
  expect(used).toBe(900);
  await all.sql.rows("DELETE FROM budget_share");
  for (let round = 0; round < 200; round++) {
    // The second node is slow to say again what it has used.
    for (const at of [0, 1]) if (all.use(at, 10)) used += 10;
    await all.nodes[0]!.keeper.round();
    if (round % 20 === 19) await all.nodes[1]!.keeper.round();
    await all.clock.advance(250);
  }
  expect(used).toBeLessThanOrEqual(MAX);
  expect(used).toBeGreaterThan(MAX - 60);
});

test("who ends gives back what it holds, and who is gone for a day has lost it", async () => {
  await using all = await cluster(3);
  const hold = async (at: number): Promise<void> => {
    all.use(at, 300);
    await all.everybody(3);
    expect(all.use(at, 100)).toBe(true);
    await all.everybody(1);
  };
  await hold(0);
  const held = async () => {
    const [row] = await all.sql.rows("SELECT sum(held - used) AS free FROM budget_share");
    return Number(row?.["free"]);
  };
  expect(await held()).toBeGreaterThan(0);
  await all.nodes[0]!.keeper.end({ isForGood: true });
  const [row] = await all.sql.rows("SELECT used, held FROM budget_share WHERE used = 100");
  expect([Number(row?.["used"]), Number(row?.["held"])]).toEqual([100, 100]);
  expect(all.use(0, 1)).toBe(false);
  // Another is cut off, and uses no more of its part before others may have it.
  expect(all.use(1, 10)).toBe(true);
  await all.nodes[1]!.keeper.round();
  all.away.is = true;
  await all.clock.advance(22 * 3_600_000);
  await all.nodes[1]!.keeper.round();
  expect(all.use(1, 1)).toBe(true);
  await all.clock.advance(2 * 3_600_000);
  await all.nodes[1]!.keeper.round();
  expect(all.use(1, 1)).toBe(false);
  all.away.is = false;
  await all.nodes[1]!.keeper.round();
  expect(all.use(1, 1)).toBe(true);
}, 60_000);

const step = fc.record({
  kind: fc.constantFrom("use", "use", "use", "round", "round", "away", "back", "pause"),
  at: fc.nat(2),
  tokens: fc.integer({ min: 1, max: 120 }),
});

test("whatever happens to the database, nodes pass a budget by no more than the bound", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80 }), async (steps) => {
      await using all = await cluster(3);
      let used = 0;
      for (const { kind, at, tokens } of steps) {
        if (kind === "use" && all.use(at, tokens)) used += tokens;
        if (kind === "round") await all.nodes[at]!.keeper.round();
        if (kind === "away") all.away.is = true;
        if (kind === "back") all.away.is = false;
        await all.clock.advance(kind === "pause" ? 70_000 : 100);
        expect(used).toBeLessThanOrEqual(MAX + 3 * SLICE);
      }
    }),
    { numRuns: Bun.env["INTERLOCK_FULL"] === "1" ? 200 : 12 },
  );
}, 600_000);
