import { expect, test } from "bun:test";
import { judgeTenant } from "../../src/ingress/deny-set.ts";
import { DenySet } from "../../src/state/keys/deny-set.ts";
import type { DenySource, OnDenyEvent } from "../../src/state/keys/deny-source.ts";
import { SimClock } from "../sim/clock.ts";

/** reliability.md §3.5. */
const STALENESS_MAX_MS = 15 * 60_000;

function set() {
  const clock = new SimClock();
  const denied = new DenySet(clock);
  let tell: OnDenyEvent = () => {};
  const source: DenySource = {
    ...{ name: "x", local: false, stop: async () => {} },
    start: (onEvent) => void (tell = onEvent),
  };
  denied.follow(source);
  return { clock, denied, tell };
}

test.each([
  ["spend", 402],
  ["fraud", 403],
  ["other", 403],
] as const)(
  "a tenant denied for %s is told %i, and let in when it is restored",
  (reason, status) => {
    const { denied, tell } = set();
    const judged = () => judgeTenant(1n, { denied, stalenessMaxMs: STALENESS_MAX_MS });
    expect(judged()).toBeUndefined();
    tell({ kind: "deny", tenant: 1n, reason, revision: 1n });
    expect(judged()).toEqual({ kind: "denied", status, reason });
    expect(judgeTenant(2n, { denied, stalenessMaxMs: STALENESS_MAX_MS })).toBeUndefined();
    tell({ kind: "restore", tenant: 1n, revision: 2n });
    expect(judged()).toBeUndefined();
  },
);

test("out of reach it is open up to the knob and shut behind it; who is denied stays denied", async () => {
  const { clock, denied, tell } = set();
  const judged = (tenant: bigint, stalenessMaxMs = STALENESS_MAX_MS) =>
    judgeTenant(tenant, { denied, stalenessMaxMs });
  tell({ kind: "deny", tenant: 1n, reason: "fraud", revision: 1n });
  tell({ kind: "broken", detail: "gone" });
  await clock.advance(STALENESS_MAX_MS);
  expect(judged(2n)).toBeUndefined();
  await clock.advance(1);
  const stalenessMs = STALENESS_MAX_MS + 1;
  expect(judged(2n)).toEqual({ kind: "deny_set_stale", status: 503, stalenessMs });
  expect(judged(2n, Number.POSITIVE_INFINITY)).toBeUndefined();
  expect(judged(1n)).toMatchObject({ status: 403 });
  tell({ kind: "fresh", revision: 2n, ageMs: 0 });
  expect(judged(2n)).toBeUndefined();
});
