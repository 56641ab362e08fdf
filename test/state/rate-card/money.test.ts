import { expect, test } from "bun:test";
import fc from "fast-check";
import { dollarsOfNano, dollarText, nanoOfDollars } from "../../../src/state/rate-card/money.ts";

test("dollars and nano-dollars are each other's exact spelling", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 17n }), (nano) => {
      expect(nanoOfDollars(dollarsOfNano(nano))).toBe(nano);
      expect(dollarsOfNano(-nano)).toBe(nano === 0n ? "0" : `-${dollarsOfNano(nano)}`);
    }),
  );
});

test.each(["", ".", "1.", ".5", "-1", "1e3", "0x1", "1.0000000001", "1,5", " 1", "NaN"])(
  "%p is no amount",
  (text) => expect(nanoOfDollars(text)).toBeUndefined(),
);

test.each([
  [0n, "$0.00"],
  [1n, "$0.000000"],
  [500n, "$0.000001"],
  [3_500_000n, "$0.003500"],
  [10_000_000n, "$0.01"],
  [1_234_567_894_999_999n, "$1,234,567.89"],
  [1_234_567_895_000_000n, "$1,234,567.90"],
  [-5_000_000_000n, "-$5.00"],
])("%s nano-dollars are told as %s", (nano, text) => expect(dollarText(nano)).toBe(text));
