import { describe, expect, test } from "bun:test";
import { Standing } from "../../../src/state/ledger/standing.ts";

const GRACE = { mode: "grace", graceMs: 1000, capNano: 100n } as const;

test("while all is well everybody is admitted", () => {
  const standing = new Standing({ mode: "strict" });
  expect(standing.admits("k", 10n ** 18n, 0)).toBe(true);
  expect(standing.at(0)).toEqual({ state: "healthy" });
});

test("strict admits nobody from the first failure to the next success", () => {
  const standing = new Standing({ mode: "strict" });
  standing.failed("full", 5);
  expect(standing.at(6)).toEqual({ state: "strict", why: "full", since: 5 });
  expect(standing.admits("k", 0n, 6)).toBe(false);
  standing.succeeded();
  expect(standing.admits("k", 1n, 7)).toBe(true);
});

describe("grace", () => {
  test("lets each key spend its cap and no more", () => {
    const standing = new Standing(GRACE);
    standing.failed("io", 0);
    expect(standing.admits("k", 60n, 1)).toBe(true);
    expect(standing.admits("k", 41n, 1)).toBe(false);
    expect(standing.admits("k", 40n, 1)).toBe(true);
    expect(standing.admits("k", 1n, 1)).toBe(false);
    expect(standing.admits("other", 100n, 1)).toBe(true);
  });

  test("ends on time, however often it fails meanwhile", () => {
    const standing = new Standing(GRACE);
    standing.failed("io", 0);
    standing.failed("io", 900);
    expect(standing.at(999).state).toBe("grace");
    expect(standing.at(1000)).toEqual({ state: "strict", why: "io", since: 0 });
    standing.failed("io", 1001); // And does not begin anew.
    expect(standing.at(1001).state).toBe("strict");
    expect(standing.admits("k", 1n, 1001)).toBe(false);
  });

  test("is over at once when memory is full as well", () => {
    const standing = new Standing(GRACE);
    standing.failed("full", 0);
    standing.failed("overflow", 1);
    expect(standing.at(1)).toEqual({ state: "strict", why: "overflow", since: 0 });
  });

  test("begins with a whole cap the next time", () => {
    const standing = new Standing(GRACE);
    standing.failed("io", 0);
    standing.admits("k", 100n, 1);
    standing.succeeded();
    standing.failed("io", 5000);
    expect(standing.admits("k", 100n, 5001)).toBe(true);
  });
});
