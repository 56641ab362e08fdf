import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { UNLIMITED } from "../../src/core/limits.ts";
import { Rejection } from "../../src/core/rejection.ts";
import { createGovernor, type Permit } from "../../src/governor/governor.ts";

const KEY = { id: "app", limits: UNLIMITED };
const COST = { inputTokens: 1, tokens: 2, inputNano: 0, nano: 0, outputNanoPerMillion: 0 };
const admit = (governor: ReturnType<typeof createGovernor>) =>
  governor.admit({ key: KEY, ...COST }, { nowNs: 0n, wall: 0 });
const machine = () => 0n;

type Step = "admit" | "release" | "release twice" | "goodbye" | "drain";
const step = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Step>("admit") },
  { weight: 4, arbitrary: fc.constant<Step>("release") },
  { weight: 1, arbitrary: fc.constantFrom<Step>("release twice", "goodbye", "drain") },
);

test("whatever comes in whatever order, what is admitted and not given back is what is in flight", () => {
  const which = fc.nat(20);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.tuple(step, which)),
      (inFlightMax, steps) => {
        const governor = createGovernor({ inFlightMax, machine });
        const held: Permit[] = [];
        const given: Permit[] = [];
        let closed = false;
        let draining = false;
        for (const [what, at] of steps) {
          if (what === "admit") {
            const permit = admit(governor);
            const wanted = closed
              ? "draining"
              : held.length >= inFlightMax
                ? "overloaded"
                : "admitted";
            expect(permit instanceof Rejection ? permit.reason.kind : "admitted").toBe(
              wanted as never,
            );
            if (!(permit instanceof Rejection)) held.push(permit);
          }
          if (what === "release" && held.length > 0) {
            const [permit] = held.splice(at % held.length, 1);
            permit!.release();
            given.push(permit!);
          }
          if (what === "release twice" && given.length > 0) {
            expect(() => given[at % given.length]!.release()).toThrow("released twice");
          }
          if (what === "goodbye") governor.sayGoodbye();
          if (what === "drain") governor.drain();
          closed ||= what === "drain";
          draining ||= what === "drain" || what === "goodbye";
          expect(governor.inFlight).toBe(held.length);
          expect(governor.draining).toBe(draining);
        }
      },
    ),
  );
});

test("a full machine says when to come back", () => {
  const governor = createGovernor({ inFlightMax: 1, machine });
  admit(governor);
  expect(admit(governor)).toMatchObject({ reason: { kind: "overloaded", retryAfterMs: 2000 } });
});

describe("at the end", () => {
  test("saying goodbye still admits; draining does not, and what runs may finish", () => {
    const governor = createGovernor({ inFlightMax: 9, machine });
    const running = admit(governor) as Permit;
    governor.sayGoodbye();
    expect(admit(governor)).not.toBeInstanceOf(Rejection);
    governor.drain();
    expect(admit(governor)).toMatchObject({ reason: { kind: "draining" } });
    running.release();
    expect(governor.inFlight).toBe(1);
  });
});
