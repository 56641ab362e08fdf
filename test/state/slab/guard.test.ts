import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Guard } from "../../../src/state/slab/guard.ts";
import { smallSlab } from "./fixture.ts";

const SECOND = 1_000_000_000n;
const START = 5000n * SECOND;

/** What a list of instants says: this epoch's, and the last one's as far as it has not faded. */
function exact(times: readonly bigint[], now: bigint): number {
  const epoch = now / SECOND;
  const here = times.filter((time) => time / SECOND === epoch).length;
  const before = times.filter((time) => time / SECOND === epoch - 1n).length;
  return here + before * (1 - Number(now % SECOND) / 1e9);
}

const attempt = fc.record({ who: fc.nat(4), after: fc.nat(60_000_000) });

test("nobody gets more than the limit, however many names there are for how few counters", () => {
  fc.assert(
    fc.property(
      fc.array(attempt, { minLength: 60, maxLength: 300, size: "max" }),
      fc.boolean(),
      (attempts, crowded) => {
        const slab = smallSlab({ guardWidth: crowded ? 4 : 1024 });
        const guards = [new Guard(slab, 1e9), new Guard(slab, 1e9)];
        const times = new Map<number, bigint[]>();
        let now = START;
        for (const [at, { who, after }] of attempts.entries()) {
          now += BigInt(after);
          const mine = times.get(who) ?? [];
          times.set(who, mine);
          const fits = exact(mine, now) + 1 <= 6;
          const allowed = guards[at % 2]!.allows(`10.0.0.${who}`, 6, now);
          if (!fits) expect(allowed).toBe(false);
          if (!crowded) expect(allowed).toBe(fits);
          if (allowed) mine.push(now);
        }
      },
    ),
  );
});

describe("time", () => {
  test("forgets after two epochs, however long nobody came", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 4000 }), fc.nat(5), (epochs, offset) => {
        const guard = new Guard(smallSlab(), 1e9);
        const start = START + BigInt(offset) * SECOND;
        for (let each = 0; each < 9; each++) guard.allows("a", 9, start);
        expect(guard.allows("a", 9, start)).toBe(false);
        const later = start + BigInt(epochs) * SECOND;
        for (let each = 0; each < 9; each++) expect(guard.allows("a", 9, later)).toBe(true);
        expect(guard.allows("a", 9, later)).toBe(false);
      }),
    );
  });
  test("of a process that is a little behind counts as the others' time", () => {
    const guard = new Guard(smallSlab(), 1e9);
    for (let each = 0; each < 5; each++) expect(guard.allows("a", 5, START)).toBe(true);
    expect(guard.allows("a", 5, START - 1n)).toBe(false);
  });
});

test("a flood of names costs no memory and takes nothing from those before it but room", () => {
  const slab = smallSlab({ guardWidth: 1024 });
  const guard = new Guard(slab, 1e9);
  let refused = 0;
  for (let name = 0; name < 20_000; name++) {
    if (!guard.allows(`name ${name}`, 1e6, START)) refused++;
  }
  expect(refused).toBe(0);
  let quiet = 0;
  for (let name = 0; name < 1000; name++) {
    if (guard.allows(`late ${name}`, 60, START)) quiet++;
  }
  expect(quiet).toBe(1000);
});
