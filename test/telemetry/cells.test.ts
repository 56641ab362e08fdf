import { expect, test } from "bun:test";
import fc from "fast-check";
import { HeapCells } from "../../src/telemetry/cells.ts";

test("cells keep their values however many are claimed after them", () => {
  const widths = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(widths, (all) => {
      const cells = new HeapCells();
      const firsts = all.map((width, at) => {
        const first = cells.claim(`s${at}`, width);
        for (let cell = 0; cell < width; cell++) {
          expect(cells.read(first + cell)).toBe(0);
          cells.add(first + cell, at + 1);
        }
        return first;
      });
      for (const [at, first] of firsts.entries()) {
        for (let cell = 0; cell < all[at]!; cell++) expect(cells.read(first + cell)).toBe(at + 1);
      }
    }),
  );
});
