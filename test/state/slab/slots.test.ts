import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Admitted, Limits } from "../../../src/state/slab/limits.ts";
import { slotLimit, slotsTaken } from "../../../src/state/slab/slots.ts";
import { ask, join, smallSlab, sweepBut, truth } from "./fixture.ts";

test("workers together hold as many slots as there are, and the dead give theirs back", () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ worker: fc.nat(2), do: fc.constant("take") }) },
    { weight: 2, arbitrary: fc.record({ worker: fc.nat(2), do: fc.constant("give") }) },
    { weight: 1, arbitrary: fc.record({ worker: fc.nat(2), do: fc.constant("die") }) },
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(step, { maxLength: 60, size: "max" }),
      (max, steps) => {
        const slab = smallSlab();
        const limit = slotLimit(slab, "k", max);
        const supervisor = join(slab, 1);
        const born = (worker: number) => ({
          limits: new Limits(join(slab, 10 + worker)),
          held: [] as Admitted[],
        });
        const workers = [0, 1, 2].map(born);
        for (const { worker, do: what } of steps) {
          const { limits, held } = workers[worker]!;
          const taken = workers.reduce((sum, each) => sum + each.held.length, 0);
          if (what === "take") {
            const answer = limits.admit(ask({ limits: [limit] }));
            expect(answer.kind).toBe(taken < max ? "admitted" : "refused");
            if (answer.kind === "admitted") held.push(answer);
          }
          if (what === "give" && held.length > 0) {
            limits.settle(held.pop()!, { ...truth(0, 0), fact: undefined });
          }
          if (what === "die") {
            const living = [10, 11, 12].filter((pid) => pid !== 10 + worker);
            sweepBut(supervisor, living);
            workers[worker] = born(worker);
          }
          const now = workers.reduce((sum, each) => sum + each.held.length, 0);
          expect(slotsTaken(slab, limit)).toBe(now);
        }
      },
    ),
  );
});
