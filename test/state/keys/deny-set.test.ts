import { describe, expect, test } from "bun:test";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { HandDenials } from "./hand-denials.ts";
import { FileDenials } from "../../../src/state/keys/deny-file.ts";
import { SavedDenials } from "../../../src/state/keys/deny-saved.ts";
import { DenySet } from "../../../src/state/keys/deny-set.ts";
import type { DenyReason, DenySource, OnDenyEvent } from "../../../src/state/keys/deny-source.ts";
import { SimClock } from "../../sim/clock.ts";
import { denyContract } from "./deny-contract.ts";
import { stateDir } from "./state-dir.ts";

denyContract(
  "memory",
  async () => {
    const clock = new SimClock();
    const source = new HandDenials();
    return {
      ...{ clock, source },
      deny: (tenant, reason) => source.deny(tenant, reason),
      restore: (tenant) => source.restore(tenant),
      settle: async () => {},
      [Symbol.asyncDispose]: async () => {},
    };
  },
  { remembers: false },
);

denyContract(
  "memory saved on disk",
  async () => {
    const dir = stateDir();
    const clock = new SimClock();
    const admin = new HandDenials();
    const source = new SavedDenials(admin, { path: join(dir.path, "deny.log"), clock });
    return {
      ...{ clock, source },
      deny: (tenant, reason) => admin.deny(tenant, reason),
      restore: (tenant) => admin.restore(tenant),
      settle: async () => {},
      [Symbol.asyncDispose]: async () => dir[Symbol.dispose](),
    };
  },
  { remembers: false },
);

denyContract(
  "a file",
  async () => {
    const dir = stateDir();
    const clock = new SimClock();
    const path = join(dir.path, "deny.log");
    appendFileSync(path, "# by hand\n");
    return {
      ...{ clock, source: new FileDenials({ path, clock }) },
      deny: (tenant, reason) => appendFileSync(path, `deny ${tenant} ${reason}\n`),
      restore: (tenant) => appendFileSync(path, `restore ${tenant}\n`),
      settle: () => clock.advance(1_000),
      [Symbol.asyncDispose]: async () => dir[Symbol.dispose](),
    };
  },
  { remembers: true },
);

denyContract(
  "the log of another process",
  async () => {
    const dir = stateDir();
    const clock = new SimClock();
    const path = join(dir.path, "deny.log");
    const admin = new HandDenials();
    // Compacted all the time: what follows has to find its place again and again.
    const writer = new SavedDenials(admin, { path, clock, compactBytes: 40 });
    writer.start(() => {});
    return {
      ...{ clock, source: new FileDenials({ path, clock }) },
      deny: (tenant, reason) => admin.deny(tenant, reason),
      restore: (tenant) => admin.restore(tenant),
      settle: () => clock.advance(1_000),
      [Symbol.asyncDispose]: async () => {
        await writer.stop();
        dir[Symbol.dispose]();
      },
    };
  },
  { remembers: true },
);

/** A source that says what the test says. */
class Scripted implements DenySource {
  readonly name: string;
  readonly local: boolean;
  tell: OnDenyEvent = () => {};
  constructor(name: string, local = false) {
    this.name = name;
    this.local = local;
  }
  start(onEvent: OnDenyEvent): void {
    this.tell = onEvent;
  }
  async stop(): Promise<void> {}
}

describe("several sources", () => {
  test("a tenant is denied while any of them denies it, for the gravest of their reasons", () => {
    const gravity: readonly DenyReason[] = ["spend", "other", "fraud"];
    const step = fc.record({
      source: fc.nat(2),
      tenant: fc.bigInt({ min: 0n, max: 3n }),
      reason: fc.option(fc.constantFrom(...gravity)),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const set = new DenySet(new SimClock());
        const sources = ["a", "b", "c"].map((name) => new Scripted(name));
        for (const source of sources) set.follow(source);
        const right = sources.map(() => new Map<bigint, DenyReason>());
        for (const { source, tenant, reason } of steps) {
          const said =
            reason === null ? ({ kind: "restore" } as const) : { kind: "deny" as const, reason };
          sources[source]!.tell({ ...said, tenant, revision: 1n });
          if (reason === null) right[source]!.delete(tenant);
          else right[source]!.set(tenant, reason);
        }
        for (let tenant = 0n; tenant < 4n; tenant++) {
          const ranks = right.map((map) => gravity.indexOf(map.get(tenant) as DenyReason));
          expect(set.find(tenant)).toBe(gravity[Math.max(...ranks)]!);
        }
      }),
    );
  });

  test("a source that falls silent goes on denying, and grows stale by itself", async () => {
    const clock = new SimClock();
    const set = new DenySet(clock);
    const [silent, lively, local] = [new Scripted("a"), new Scripted("b"), new Scripted("c", true)];
    for (const source of [silent, lively, local]) set.follow(source);
    const denied = new Map<bigint, DenyReason>([[1n, "spend"]]);
    silent.tell({ kind: "reset", denied, revision: 1n, ageMs: 0 });
    silent.tell({ kind: "broken", detail: "ECONNREFUSED" });
    for (let i = 0; i < 60; i++) {
      await clock.advance(60_000);
      lively.tell({ kind: "fresh", revision: 1n, ageMs: 0 });
    }
    expect([set.find(1n), set.stalenessMs]).toEqual(["spend", 3_600_000]);
    expect(set.statuses()).toEqual([
      { name: "a", size: 1, stalenessMs: 3_600_000, broken: "ECONNREFUSED", flaw: undefined },
      { name: "b", size: 0, stalenessMs: 0, broken: undefined, flaw: undefined },
      { name: "c", size: 0, stalenessMs: 0, broken: undefined, flaw: undefined },
    ]);
    silent.tell({ kind: "fresh", revision: 2n, ageMs: 500 });
    expect([set.stalenessMs, set.statuses()[0]?.broken]).toEqual([500, undefined]);
  });
});
