import { expect, test } from "bun:test";
import fc from "fast-check";
import { AlertBook, crossed } from "../../../src/state/budget-periods/alerts.ts";

test.each([
  [0n, 49n, []],
  [0n, 50n, [50]],
  [50n, 79n, []],
  [49n, 100n, [50, 80, 100]],
  [99n, 500n, [100]],
  [100n, 101n, []],
])("from %d to %d of 100 crosses %p", (before, after, lines) => {
  expect(crossed({ before, after, limit: 100n })).toEqual(lines);
});

const amounts = fc.array(fc.bigInt({ min: 0n, max: 400n }), { maxLength: 30 });

test("whoever adds atomically, each line is told exactly once, and in the period it was crossed", () => {
  fc.assert(
    fc.property(amounts, fc.bigInt({ min: 1n, max: 2000n }), (spends, limit) => {
      const books = [new AlertBook(), new AlertBook()]; // Two workers, one shared cell.
      const told: number[] = [];
      let cell = 0n;
      for (const [n, nano] of spends.entries()) {
        const before = cell;
        cell += nano;
        const spent = { before, after: cell, limit };
        told.push(...books[n % 2]!.settle("b", spent, { period: "p" }).map((a) => a.percent));
      }
      expect(told).toEqual(
        [50, 80, 100].filter((percent) => cell * 100n >= limit * BigInt(percent)),
      );
    }),
  );
});

test("a refund, a raised limit or a restart tells nobody twice", () => {
  const book = new AlertBook();
  const settle = (before: bigint, after: bigint, limit: bigint, period = "p") =>
    book.settle("b", { before, after, limit }, { period }).map(({ id }) => id);
  expect(settle(0n, 60n, 100n)).toEqual(["alert:b:p:50"]);
  expect(settle(40n, 60n, 100n)).toEqual([]); // After a refund.
  expect(settle(60n, 110n, 200n)).toEqual([]); // After the limit was raised.
  expect(settle(110n, 170n, 200n)).toEqual(["alert:b:p:80"]);
  expect(settle(0n, 60n, 100n, "q")).toEqual(["alert:b:q:50"]);
  const restarted = new AlertBook();
  restarted.recall("b", "q", 50);
  expect(restarted.settle("b", { before: 40n, after: 60n, limit: 100n }, { period: "q" })).toEqual(
    [],
  );
  book.forget("b");
  expect(settle(40n, 60n, 100n, "q")).toEqual(["alert:b:q:50"]);
});
