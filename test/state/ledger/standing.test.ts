import { describe, expect, test } from "bun:test";
import { Standing } from "../../../src/state/ledger/standing.ts";

const GRACE = { mode: "grace", graceMs: 1000, capNano: 100 } as const;
const at = (ms: number, rest: object = {}) => ({
  ...{ sinceNs: 5_000_000n, nowNs: 5_000_000n + BigInt(ms) * 1_000_000n, hasRoom: true },
  ...rest,
});

test("strict admits nobody, whatever it costs", () => {
  const standing = new Standing({ mode: "strict" });
  expect(standing.admits({ key: "k", nano: () => 0 }, at(0))).toBe(false);
});

describe("grace", () => {
  test("lets each key spend its cap and no more", () => {
    const standing = new Standing(GRACE);
    expect(standing.admits({ key: "k", nano: () => 60 }, at(1))).toBe(true);
    expect(standing.admits({ key: "k", nano: () => 41 }, at(1))).toBe(false);
    expect(standing.admits({ key: "k", nano: () => 40 }, at(1))).toBe(true);
    expect(standing.admits({ key: "k", nano: () => 1 }, at(1))).toBe(false);
    expect(standing.admits({ key: "other", nano: () => 100 }, at(1))).toBe(true);
  });

  test("ends on time", () => {
    const standing = new Standing(GRACE);
    expect(standing.admits({ key: "k", nano: () => 1 }, at(999))).toBe(true);
    expect(standing.admits({ key: "k", nano: () => 1 }, at(1000))).toBe(false);
  });

  test("is over at once where facts find no room, and is not for what has no price", () => {
    const standing = new Standing(GRACE);
    expect(standing.admits({ key: "k", nano: () => 1 }, at(1, { hasRoom: false }))).toBe(false);
    expect(standing.admits({ key: "k", nano: () => undefined }, at(1))).toBe(false);
  });

  test("begins with a whole cap the next time", () => {
    const standing = new Standing(GRACE);
    expect(standing.admits({ key: "k", nano: () => 100 }, at(1))).toBe(true);
    const next = { sinceNs: 9_000_000n, nowNs: 9_000_000n };
    expect(standing.admits({ key: "k", nano: () => 100 }, at(1, next))).toBe(true);
  });
});
