import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { HybridClock, stampOf } from "../../../src/state/store/hlc.ts";
import {
  merge,
  type RegisterEntry,
  Registers,
  type RegisterState,
  wins,
} from "../../../src/state/store/registers.ts";

const FULL = Bun.env["INTERLOCK_FULL"] === "1";
const SEQUENCES = FULL ? 1_000_000 : 50_000;

// Few keys, moments and nodes, so that ties and conflicts are the rule. Entries that share a stamp
// and differ cannot come from our clocks; the laws hold for them all the same.
const entriesOf = fc
  .record({
    key: fc.constantFrom("a", "b"),
    value: fc.constantFrom(undefined, "1", "2"),
    ms: fc.nat(3),
    counter: fc.nat(1),
    node: fc.constantFrom("m", "n"),
  })
  .map(({ key, value, ...moment }): RegisterEntry => ({ key, value, stamp: stampOf(moment) }));
const states = fc
  .array(entriesOf, { maxLength: 5 })
  .map((entries): RegisterState => new Map(entries.map((entry) => [entry.key, entry])));

describe(`the join of states, ${SEQUENCES} times`, () => {
  const numRuns = SEQUENCES;
  test("does not depend on the order, the grouping or repetition", () => {
    fc.assert(
      fc.property(states, states, states, (a, b, c) => {
        const same = (x: RegisterState, y: RegisterState) =>
          x.size === y.size && [...x].every(([key, entry]) => alike(y.get(key), entry));
        const ok =
          same(merge(a, b), merge(b, a)) &&
          same(merge(merge(a, b), c), merge(a, merge(b, c))) &&
          same(merge(a, a), a) &&
          same(merge(merge(a, b), b), merge(a, b));
        if (!ok) throw new Error("a law is broken");
      }),
      { numRuns },
    );
  }, 300_000);
});

function alike(a: RegisterEntry | undefined, b: RegisterEntry): boolean {
  return a?.key === b.key && a.value === b.value && a.stamp === b.stamp;
}

test("of two entries exactly one wins, and winning is transitive", () => {
  fc.assert(
    fc.property(entriesOf, entriesOf, entriesOf, (x, y, z) => {
      const [a, b, c] = [x, y, z].map((entry) => ({ ...entry, key: "k" })) as [
        RegisterEntry,
        RegisterEntry,
        RegisterEntry,
      ];
      expect(wins(a, b) && wins(b, a)).toBe(false);
      if (!alike(a, b)) expect(wins(a, b) || wins(b, a)).toBe(true);
      if (wins(a, b) && wins(b, c)) expect(wins(a, c)).toBe(true);
    }),
  );
});

test("at one moment the later stamp wins, then the tombstone, then the greater value", () => {
  const entry = (ms: number, value: string | undefined): RegisterEntry => ({
    ...{ key: "k", value, stamp: stampOf({ ms, counter: 0, node: "n" }) },
  });
  expect(wins(entry(2, "a"), entry(1, undefined))).toBe(true);
  expect(wins(entry(1, undefined), entry(1, "z"))).toBe(true);
  expect(wins(entry(1, "z"), entry(1, undefined))).toBe(false);
  expect(wins(entry(1, "b"), entry(1, "a"))).toBe(true);
});

/** What happens in a cluster, as numbers: cheap enough for a million sequences. */
interface Step {
  readonly what: "set" | "remove" | "send" | "lose" | "skew";
  readonly from: number;
  readonly to: number;
  readonly key: string;
}
const steps = fc.array(
  fc.record({
    what: fc.constantFrom("set", "set", "remove", "send", "send", "lose", "skew"),
    from: fc.nat(4),
    to: fc.nat(4),
    key: fc.constantFrom("a", "b", "c"),
  }) as fc.Arbitrary<Step>,
  { maxLength: 24, size: "max" },
);

/** Nodes that write, and exchange what changed: late, twice, out of order, or not at all. */
class Cluster {
  readonly nodes: { registers: Registers; clock: HybridClock; skew: number }[];
  readonly #wire: { to: number; entries: readonly RegisterEntry[] }[] = [];
  #now = 1_000_000;
  #values = 0;
  /** Per key the last thing that any node did, by stamp: what all must come to. */
  readonly last = new Map<string, RegisterEntry>();

  constructor(count: number) {
    this.nodes = Array.from({ length: count }, (_, n) => {
      const node = {
        registers: new Registers(),
        skew: 0,
        clock: undefined as never as HybridClock,
      };
      node.clock = new HybridClock(`n${n}`, () => this.#now + node.skew);
      return node;
    });
  }

  step({ what, from, to, key }: Step): void {
    const [here, there] = [from % this.nodes.length, to % this.nodes.length];
    const node = this.nodes[here]!;
    this.#now += to;
    if (what === "set") this.#done(node.registers.set(key, `${++this.#values}`, node.clock));
    else if (what === "remove") this.#done(node.registers.remove(key, node.clock));
    else if (what === "skew")
      node.skew = (to - 2) * 100; // Within what is believed.
    else if (what === "send")
      this.#wire.push({ to: there, entries: node.registers.since(0).entries });
    else this.#deliverLast();
  }

  /** Everybody's all to everybody, twice: what a healed network does. */
  settle(): void {
    while (this.#wire.length > 0) this.#deliverLast();
    for (let round = 0; round < 2; round++) {
      for (const { registers } of this.nodes) {
        for (let to = 0; to < this.nodes.length; to++) this.#merge(to, registers.since(0).entries);
      }
    }
  }

  #done(entry: RegisterEntry): void {
    const held = this.last.get(entry.key);
    if (held === undefined || wins(entry, held)) this.last.set(entry.key, entry);
  }
  /** The newest first: out of order on purpose. Every other one comes twice. */
  #deliverLast(): void {
    const message = this.#wire.pop();
    if (message === undefined) return;
    this.#merge(message.to, message.entries);
    if (this.#wire.length % 2 === 0) this.#merge(message.to, message.entries);
  }
  #merge(to: number, entries: readonly RegisterEntry[]): void {
    const { registers, clock } = this.nodes[to]!;
    registers.merge(entries.filter(({ stamp }) => clock.see(stamp)));
  }
}

test(`nodes come to the same, and what was removed stays away, ${SEQUENCES} times`, () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 5 }), steps, (count, sequence) => {
      const cluster = new Cluster(count);
      for (const step of sequence) cluster.step(step);
      cluster.settle();
      for (const { registers } of cluster.nodes) {
        for (const [key, entry] of cluster.last) {
          if (registers.get(key) !== entry.value) throw new Error(`${key} is not ${entry.value}`);
        }
        if (registers.state.size !== cluster.last.size) throw new Error("a key too many");
      }
    }),
    { numRuns: SEQUENCES },
  );
}, 600_000);

test("a node that sets after it saw a removal wins over it", () => {
  let wall = 1000;
  const [a, b] = [new Registers(), new Registers()];
  const [ca, cb] = [new HybridClock("a", () => wall), new HybridClock("b", () => wall - 400)];
  a.set("k", "1", ca);
  const gone = a.remove("k", ca);
  for (const entry of a.since(0).entries) cb.see(entry.stamp);
  b.merge(a.since(0).entries);
  const back = b.set("k", "2", cb); // Its own wall clock is behind.
  expect(wins(back, gone)).toBe(true);
  a.merge(b.since(0).entries);
  expect(a.get("k")).toBe("2");
  wall++;
});

test("a peer that keeps its cursor gets what came late from a third node", () => {
  const stamp = (ms: number, node: string) => stampOf({ ms, counter: 0, node });
  const hub = new Registers();
  hub.merge([{ key: "new", value: "1", stamp: stamp(500, "a") }]);
  const { cursor } = hub.since(0);
  hub.merge([{ key: "old", value: "2", stamp: stamp(100, "c") }]); // Set long before, heard now.
  expect(hub.since(cursor).entries.map(({ key }) => key)).toEqual(["old"]);
});

test("pruning forgets tombstones alone, and only old ones", () => {
  const stamp = (ms: number) => stampOf({ ms, counter: 0, node: "a" });
  const registers = new Registers();
  registers.merge([
    { key: "old", value: undefined, stamp: stamp(1) },
    { key: "late", value: undefined, stamp: stamp(9) },
    { key: "live", value: "1", stamp: stamp(1) },
  ]);
  expect(registers.prune(stamp(5))).toBe(1);
  expect([...registers.state.keys()].sort()).toEqual(["late", "live"]);
  expect(registers.since(0).entries).toHaveLength(2);
});
