import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  grantShare,
  overshootBound,
  type Share,
  sliceOf,
} from "../../../src/state/budget-periods/share.ts";
import { claimShares, seeNodes } from "../../../src/state/budget-periods/share-store.ts";
import { EMBEDDED } from "../../../src/state/migrations/embedded.ts";
import { run } from "../../../src/state/migrations/migrate.ts";
import { DATABASES } from "../store/engines.ts";

/** What befalls a cluster. `share` and `lost` ask the store; of `lost` the answer never arrives. */
const event = fc.record({
  kind: fc.constantFrom("use", "use", "use", "share", "share", "lost", "free", "pause"),
  node: fc.nat(3),
  amount: fc.integer({ min: 1, max: 30 }),
});

interface Node {
  used: number;
  /** Undefined until the store answered. */
  ceiling: number | undefined;
  wanted: number;
  asked: boolean;
}

interface World {
  readonly max: number;
  readonly slice: number;
  readonly nodes: Node[];
  shares: Share[];
  now: number;
}

function ask(world: World, at: number, isLost: boolean): void {
  const node = world.nodes[at]!;
  const { max, slice, now } = world;
  const held = Math.max(node.used, node.ceiling ?? Math.min(max, slice));
  const { used, wanted } = node;
  const claim = { node: `n${at}`, used, held, wanted, isIdle: wanted === 0, now };
  const grant = grantShare(world.shares, { max, slice }, claim);
  expect(grant.ceiling).toBeGreaterThanOrEqual(used);
  const others = world.shares.filter((share) => share.node !== claim.node);
  world.shares = [...others, { node: claim.node, used, held: grant.held, at: now }];
  if (isLost) return;
  node.ceiling = grant.ceiling;
  node.wanted = 0;
  node.asked = true;
}

function admit({ nodes, max, slice }: World, at: number, amount: number): boolean {
  const node = nodes[at]!;
  const fits = node.used + amount <= Math.min(max, node.ceiling ?? slice);
  if (fits) node.used += amount;
  else node.wanted += amount;
  return fits;
}

const worlds = fc.record({
  max: fc.integer({ min: 0, max: 400 }),
  part: fc.double({ min: 0, max: 1, noNaN: true }),
  events: fc.array(event, { maxLength: 120 }),
});

function worldOf(max: number, part: number): World {
  const nodes = Array.from({ length: 4 }, () => {
    return { used: 0, ceiling: undefined, wanted: 0, asked: false };
  });
  return { max, slice: sliceOf(max, part), nodes, shares: [], now: 0 };
}

function play(
  world: World,
  { kind, node, amount }: { kind: string; node: number; amount: number },
) {
  world.now += kind === "pause" ? 60_000 : 100;
  if (kind === "use") admit(world, node, amount);
  if (kind === "free") {
    const each = world.nodes[node]!;
    each.used = Math.max(0, each.used - amount);
  }
  if (kind === "share" || kind === "lost") ask(world, node, kind === "lost");
}
const spentOf = ({ nodes }: World): number => nodes.reduce((sum, { used }) => sum + used, 0);

test("whatever is lost or late, nodes together pass a budget by no more than the bound", () => {
  fc.assert(
    fc.property(worlds, ({ max, part, events }) => {
      const world = worldOf(max, part);
      for (const each of events) {
        play(world, each);
        const over = spentOf(world) - max;
        expect(over).toBeLessThanOrEqual(overshootBound(world, world.nodes.length));
      }
    }),
    { numRuns: 2000 },
  );
});

test("nodes that asked before they spent never pass it at all", () => {
  fc.assert(
    fc.property(worlds, ({ max, events }) => {
      const world = worldOf(max, 0); // Nothing before the first answer.
      for (const each of events) {
        play(world, each);
        expect(spentOf(world)).toBeLessThanOrEqual(max);
      }
    }),
    { numRuns: 2000 },
  );
});

test("what nobody uses any more reaches who wants it, to the last unit", () => {
  fc.assert(
    fc.property(worlds, fc.nat(3), ({ max, part, events }, hungry) => {
      const world = worldOf(max, part);
      for (const each of events) play(world, each);
      if (spentOf(world) > max) return;
      world.now += 60_000;
      // The others are idle; this one asks for one unit at a time.
      for (let rounds = 0; rounds < 2000 && spentOf(world) < max; rounds++) {
        admit(world, hungry, 1);
        for (let at = 0; at < world.nodes.length; at++) {
          if (at !== hungry) world.nodes[at]!.wanted = 0;
          ask(world, at, false);
        }
      }
      // Of less than one unit for each node that is there nobody gets a part.
      expect(max - spentOf(world)).toBeLessThan(world.nodes.length);
    }),
    { numRuns: 200 },
  );
});

test("what a node holds is free again a day after it was last heard of, what it used is not", () => {
  const share = { node: "gone", used: 40, held: 90, at: 0 };
  const claim = { node: "n", used: 0, held: 0, wanted: 1000, isIdle: false };
  const heldAt = (now: number) =>
    grantShare([share], { max: 100, slice: 5 }, { ...claim, now }).ceiling;
  expect([heldAt(20_000), heldAt(23 * 3_600_000), heldAt(25 * 3_600_000)]).toEqual([10, 10, 60]);
});

describe.each(DATABASES)("in $name", ({ missing, open }) => {
  if (missing !== undefined) {
    test.skip(missing, () => {});
    return;
  }

  test("claims of many nodes at once are granted no more than there is", async () => {
    const { it: sql, close } = await open();
    await run(sql, EMBEDDED, { wall: 1 });
    const claim = (node: string, budget: string, used: number) => ({
      ...{ node, budget, used, period: 3, max: 1000, slice: 100 },
      ...{ held: used, wanted: 400, isIdle: false, now: 50 },
    });
    const nodes = Array.from({ length: 8 }, (_, at) => `n${at}`);
    const grants = await Promise.all(
      nodes.map((node) => claimShares(sql, [claim(node, "a", 0), claim(node, "b", 900)])),
    );
    const heldOf = (at: number) => grants.reduce((sum, each) => sum + each[at]!.held, 0);
    expect(heldOf(0)).toBeLessThanOrEqual(1000);
    expect(heldOf(0)).toBeGreaterThan(900);
    expect(heldOf(1)).toBeLessThanOrEqual(900 * 8 + 100);
    const [again] = await claimShares(sql, [{ ...claim("n0", "a", 7), wanted: 0 }]);
    expect(again!.others).toBe(0);
    const [other] = await claimShares(sql, [{ ...claim("n1", "a", 0), wanted: 0 }]);
    expect(other!.others).toBe(7);
    // Another period is another budget.
    const [next] = await claimShares(sql, [{ ...claim("n0", "a", 0), period: 4 }]);
    expect(next).toEqual({ held: 500, ceiling: 500, others: 0, isKnown: false });
    expect(again!.isKnown).toBe(true);
    expect(await claimShares(sql, [])).toEqual([]);
    await close();
  });

  test("nodes are counted while they are there", async () => {
    const { it: sql, close } = await open();
    await run(sql, EMBEDDED, { wall: 1 });
    expect(await seeNodes(sql, "a", 1_000_000)).toBe(1);
    expect(await seeNodes(sql, "b", 1_000_000)).toBe(2);
    expect(await seeNodes(sql, "b", 1_040_000)).toBe(1);
    await close();
  });
});
