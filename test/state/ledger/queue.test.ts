import { expect, test } from "bun:test";
import fc from "fast-check";
import { bytesOf } from "../../../src/state/ledger/facts.ts";
import { EntryQueue } from "../../../src/state/ledger/queue.ts";
import { entry } from "./entries.ts";

test("it is a queue, and knows its size and bytes at any time", () => {
  const step = fc.oneof(fc.constant("push" as const), fc.nat(3000));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: "max" }), (steps) => {
      const queue = new EntryQueue(Number.POSITIVE_INFINITY);
      const model: string[] = [];
      let made = 0;
      for (const what of steps) {
        if (what === "push") {
          for (let n = 0; n < 100; n++) {
            const id = `f${++made}`;
            expect(queue.push(entry({ id }))).toBe(true);
            model.push(id);
          }
        } else {
          const count = Math.min(what, model.length);
          queue.drop(count);
          model.splice(0, count);
        }
        expect(queue.size).toBe(model.length);
        expect(queue.peek(2).map(({ fact }) => fact.id)).toEqual(model.slice(0, 2));
      }
      const bytes = queue.peek(queue.size).reduce((sum, each) => sum + bytesOf(each), 0);
      expect(queue.bytes).toBe(bytes);
    }),
    { numRuns: 20 },
  );
});

test("it takes no more than its bytes", () => {
  const one = bytesOf(entry());
  const queue = new EntryQueue(3 * one);
  expect([1, 2, 3, 4].map(() => queue.push(entry()))).toEqual([true, true, true, false]);
  queue.drop(1);
  expect(queue.push(entry())).toBe(true);
});
