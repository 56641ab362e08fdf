import { expect, test } from "bun:test";
import { rangeOf, readWindow } from "../../../src/state/ledger/window.ts";

test.each([
  ["30s", 30_000],
  ["90m", 5_400_000],
  ["24h", 86_400_000],
  ["7d", 604_800_000],
  ["2w", 1_209_600_000],
  ["1h30m", 5_400_000],
  ["all", Number.POSITIVE_INFINITY],
])("%s is %d ms", (text, ms) => expect(readWindow(text)).toBe(ms));

test.each(["", "24", "h", "-1h", "1.5h", "0h", "1y", "24 h", "1h junk", "all1h"])(
  "%j is no window",
  (text) => expect(readWindow(text)).toBeUndefined(),
);

test("a window ends with now and begins no earlier than time", () => {
  expect(rangeOf(1000, 5000)).toEqual({ from: 4000, to: 5001 });
  expect(rangeOf(Number.POSITIVE_INFINITY, 5000)).toEqual({ from: 0, to: 5001 });
});
