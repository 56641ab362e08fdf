import { expect, test } from "bun:test";
import fc from "fast-check";
import { Told } from "../../../src/state/slab/told.ts";
import { join, smallSlab } from "./fixture.ts";

const telling = fc.record({
  who: fc.nat(2),
  period: fc.integer({ min: 1, max: 3 }),
  percent: fc.integer({ min: 1, max: 100 }),
});

test("of all processes one tells of each rise, and none of what was told or is over", () => {
  fc.assert(
    fc.property(fc.array(telling, { maxLength: 40 }), fc.boolean(), (tellings, isFull) => {
      const slab = smallSlab(isFull ? { limitRows: 1 } : {});
      const actors = [1, 2, 3].map((pid) => join(slab, pid));
      if (isFull) new Told(actors[0]!, "another");
      const alone = isFull ? 1 : 3; // Without a row in common, one process only.
      const tellers = actors.slice(0, alone).map((actor) => new Told(actor, "a budget"));
      let known = { period: 0, percent: 0 };
      for (const { who, period, percent } of tellings) {
        const before = period === known.period ? known.percent : 0;
        const rises = period >= known.period && percent > before;
        expect(tellers[who % alone]!.raise(period, percent)).toBe(rises ? before : undefined);
        if (rises) known = { period, percent };
      }
    }),
  );
});
