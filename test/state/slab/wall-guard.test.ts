import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Slab } from "../../../src/state/slab/slab.ts";
import { WallGuard } from "../../../src/state/slab/wall-guard.ts";
import { smallSlab } from "./fixture.ts";

const DAY = 86_400_000;
const START = Date.UTC(2030, 0, 15, 23, 59, 50);

/** A machine: its clocks, and processes that guard theirs by one slab. */
class Machine {
  readonly slab: Slab = smallSlab();
  readonly jumps: (number | undefined)[] = [];
  /** By how much the wall clock is wrong. */
  wrong = 0;
  #boot = 100_000;
  #slept = 0;

  pass(ms: number): void {
    this.#boot += ms;
  }
  sleep(ms: number): void {
    this.#boot += ms;
    this.#slept += ms;
  }
  get truth(): number {
    return START + this.#boot - 100_000;
  }
  start(knowsBoot = true): WallGuard {
    const begun = this.#boot - this.#slept;
    const clocks = {
      wall: () => this.truth + this.wrong,
      now: () => this.#boot - this.#slept - begun,
      boot: () => (knowsBoot ? Math.floor(this.#boot / 10) * 10 : undefined),
    };
    return new WallGuard(this.slab, clocks, (jump) => void this.jumps.push(jump));
  }
}

describe("a jump", () => {
  test.each([3_600_000, -3_600_000, 40 * DAY, -7_200_000])(
    "of %d ms stops the wall clock, and time goes on by the machine's, also in who starts then",
    (jump) => {
      const machine = new Machine();
      const guard = machine.start();
      machine.pass(1000);
      expect(guard.read()).toBe(machine.truth);
      machine.wrong = jump;
      machine.pass(1000);
      const late = machine.start();
      for (let n = 0; n < 5; n++) {
        machine.pass(700);
        for (const each of [guard, late]) {
          expect(Math.abs(each.read() - machine.truth)).toBeLessThan(20);
          expect(each.isFrozen).toBe(true);
          each.look();
        }
      }
      expect(machine.jumps).toHaveLength(2);
      expect(machine.jumps.every((each) => Math.abs(each! - jump) < 20)).toBe(true);
    },
  );

  test("that is undone is forgotten", () => {
    const machine = new Machine();
    const guard = machine.start();
    machine.wrong = 3_600_000;
    expect(guard.read()).toBe(machine.truth);
    machine.wrong = 0;
    machine.pass(1000);
    expect(guard.read()).toBe(machine.truth);
    expect([guard.isFrozen, machine.jumps]).toEqual([false, [3_600_000, undefined]]);
  });

  test("that is accepted in one process is the time of all, and of who starts later", () => {
    const machine = new Machine();
    const guards = [machine.start(), machine.start()];
    machine.wrong = 3_600_000;
    for (const guard of guards) guard.read();
    guards[0]!.accept();
    machine.pass(1000);
    for (const guard of [...guards, machine.start()]) {
      expect([guard.read(), guard.isFrozen]).toEqual([machine.truth + 3_600_000, false]);
    }
  });
});

test("where nothing says how long the machine runs, a process guards its own time", () => {
  const machine = new Machine();
  const guards = [machine.start(false)];
  machine.pass(60_000);
  guards.push(machine.start(false));
  for (const guard of guards) expect(guard.read()).toBe(machine.truth);
  machine.wrong = -3_600_000;
  for (const guard of guards) expect([guard.read(), guard.isFrozen]).toEqual([machine.truth, true]);
  guards[0]!.accept();
  expect(guards.map((guard) => guard.isFrozen)).toEqual([false, true]);
});

test("time that the machine slept is no jump", () => {
  const machine = new Machine();
  const guard = machine.start();
  machine.sleep(8 * 3_600_000);
  expect([guard.read(), guard.isFrozen]).toEqual([machine.truth, false]);
});

test("small corrections are followed, for as long as they come", () => {
  const machine = new Machine();
  const [guard, idle] = [machine.start(), machine.start()];
  for (let n = 1; n <= 30; n++) {
    machine.pass(2000);
    machine.wrong += 1000;
    guard.look();
    expect(guard.read()).toBe(machine.truth + machine.wrong);
  }
  expect(idle.read()).toBe(machine.truth + 30_000);
  expect(machine.jumps).toEqual([]);
});

test("whatever the clock does, no day's budget begins early, or twice", () => {
  const step = fc.record({
    passes: fc.integer({ min: 0, max: 60_000 }),
    wrong: fc.oneof(
      fc.constant(0),
      fc.integer({ min: -4000, max: 4000 }),
      fc.integer({ min: -9e7, max: 9e7 }),
    ),
    does: fc.constantFrom("read", "read", "look", "restart"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const machine = new Machine();
      let guard = machine.start();
      let day = Math.floor(START / DAY);
      const opened: number[] = [day];
      for (const { passes, wrong, does } of steps) {
        machine.pass(passes);
        machine.wrong = wrong;
        if (does === "look") guard.look();
        if (does === "restart") guard = machine.start();
        const next = Math.max(day, Math.floor(guard.read() / DAY));
        if (next !== day) opened.push(next);
        day = next;
        // Small errors add up to at most one step a read, so a day never begins hours early.
        expect(day * DAY).toBeLessThanOrEqual(machine.truth + 5000 * (steps.length + 1));
      }
      expect(new Set(opened).size).toBe(opened.length);
    }),
  );
});
