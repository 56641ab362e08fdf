import { expect, test } from "bun:test";
import fc from "fast-check";
import { type BlockEvent, BlockOrder } from "../../../src/protocol/ir/block-order.ts";

const start = (b: number): BlockEvent => ({
  t: "block_start",
  c: 0,
  b,
  block: { type: "text", text: "" },
});
const text = (b: number, text: string): BlockEvent => ({
  t: "delta",
  c: 0,
  b,
  d: { k: "text", text },
});
const stop = (b: number): BlockEvent => ({ t: "block_stop", c: 0, b });

test("blocks come out one after another, each whole and in its own order", () => {
  const event = fc.oneof(
    fc.nat(4).map(start),
    fc.tuple(fc.nat(4), fc.string()).map(([b, said]) => text(b, said)),
    fc.nat(4).map(stop),
  );
  const property = fc.property(fc.array(event, { maxLength: 60 }), (events) => {
    const order = new BlockOrder(() => {});
    const taken: BlockEvent[] = [];
    const out: BlockEvent[] = [];
    for (const each of events) {
      const ready = order.take(each);
      if (ready === undefined) continue;
      taken.push(each);
      out.push(...ready);
    }
    out.push(...order.drain());
    let open: number | undefined;
    for (const each of out) {
      if (each.t === "block_start") expect(open).toBeUndefined();
      else expect(each.b).toBe(open!);
      open = each.t === "block_stop" ? undefined : each.b;
    }
    const isText = ({ t }: BlockEvent) => t === "delta";
    for (let b = 0; b <= 4; b++) {
      const of = (all: BlockEvent[]) => all.filter((each) => each.b === b && isText(each));
      expect(of(out)).toEqual(of(taken));
    }
  });
  fc.assert(property, { numRuns: 500 });
});
test("the open block waits for nothing, and only the others do", () => {
  const waited: number[] = [];
  const order = new BlockOrder(({ b }) => waited.push(b));
  expect(order.take(start(0))).toHaveLength(1);
  expect(order.take(start(1))).toEqual([]);
  expect(order.take(text(1, "a"))).toEqual([]);
  expect(order.take(text(0, "b"))).toHaveLength(1);
  expect(order.take(stop(0))).toEqual([stop(0), start(1), text(1, "a")]);
  expect(order.take(text(1, "c"))).toEqual([text(1, "c")]);
  expect(order.take(text(7, "d"))).toBeUndefined();
  expect(waited).toEqual([1]);
});
