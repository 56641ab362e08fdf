import { expect, test } from "bun:test";
import fc from "fast-check";
import { BytesIn, BytesOut } from "../../../src/state/ledger/bytes.ts";

test("numbers and texts come back in their order, and a text that comes again is short", () => {
  const part = fc.oneof(fc.nat({ max: Number.MAX_SAFE_INTEGER }), fc.string({ unit: "grapheme" }));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 200, size: "max" }), (parts) => {
      const out = new BytesOut();
      for (const each of parts) typeof each === "number" ? out.number(each) : out.text(each);
      const input = new BytesIn(out.view());
      for (const each of parts) {
        expect(typeof each === "number" ? input.number() : input.text()).toBe(each);
      }
      expect(input.done).toBe(true);
    }),
  );
  const out = new BytesOut();
  out.text("x".repeat(5000));
  const { length } = out.view();
  out.text("x".repeat(5000));
  expect(out.view().length).toBe(length + 1);
});

test.each([[[0x80]], [[0, 5, 0, 0x61]], [[3]], [Array(20).fill(0xff)], [[0, 1, 0, 0xff]]])(
  "%j is nothing that was written",
  (bytes) => expect(() => new BytesIn(new Uint8Array(bytes)).text()).toThrow(),
);
