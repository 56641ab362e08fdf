import { expect, test } from "bun:test";
import { Deaths, DEATHS_MAX } from "../../../src/cli/fleet/deaths.ts";

test("one death costs nothing, more cost more, too many are a loop", () => {
  const deaths = new Deaths();
  const seen = Array.from({ length: DEATHS_MAX + 1 }, (_none, at) => deaths.note(at * 100));
  expect(seen.map(({ delayMs }) => delayMs)).toEqual([
    0, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 30_000, 30_000,
  ]);
  expect(seen.map(({ isLoop }) => isLoop).indexOf(true)).toBe(DEATHS_MAX - 1);
});

test("a minute of life forgets", () => {
  const deaths = new Deaths();
  for (let at = 0; at < DEATHS_MAX; at++) deaths.note(at);
  expect(deaths.note(60_000 + DEATHS_MAX)).toEqual({ delayMs: 0, isLoop: false });
});
