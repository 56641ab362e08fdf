import { describe, expect, test } from "bun:test";
import { DenySet } from "../../../src/state/keys/deny-set.ts";
import type {
  DenyEvent,
  DenyReason,
  DenySource,
  Revision,
} from "../../../src/state/keys/deny-source.ts";
import type { Clock } from "../../../src/runtime/runtime.ts";

/** One kind of source, with somebody who writes to what it reads. */
export interface DenyRig extends AsyncDisposable {
  /** With a count of the timers that are armed. */
  readonly clock: Clock & { readonly armed: number };
  readonly source: DenySource;
  readonly deny: (tenant: bigint, reason: DenyReason) => void | Promise<void>;
  readonly restore: (tenant: bigint) => void | Promise<void>;
  /** Lets simulated and real time pass until the source has told what is there to tell. */
  readonly settle: () => Promise<void>;
}

export interface DenyRigOptions {
  /** Whether what is written while the source is stopped reaches it afterwards. */
  readonly remembers: boolean;
  /** Whether it reads everything again and again, so that a stop may fall between its two words. */
  readonly rereads?: boolean;
}

/** What every source must keep, run once for each. */
export function denyContract(
  name: string,
  open: () => Promise<DenyRig>,
  { remembers, rereads = false }: DenyRigOptions,
): void {
  describe(`the deny-set fed by ${name}`, () => {
    test("a denial is in force with its reason, changes it, and is lifted", async () => {
      await using rig = await open();
      const set = new DenySet(rig.clock);
      set.follow(rig.source);
      await rig.settle();
      const seen = (tenant: bigint) => set.find(tenant);
      expect([seen(42n), set.size]).toEqual([undefined, 0]);
      await rig.deny(42n, "spend");
      await rig.deny(2n ** 64n - 1n, "fraud");
      await rig.settle();
      expect([seen(42n), seen(2n ** 64n - 1n), seen(43n)]).toEqual(["spend", "fraud", undefined]);
      await rig.deny(42n, "fraud");
      await rig.settle();
      expect([seen(42n), set.size]).toEqual(["fraud", 2]);
      await rig.restore(42n);
      await rig.settle();
      expect([seen(42n), set.size]).toEqual([undefined, 1]);
      await set.stop();
    });

    test("it says that it is in step, and its revisions only rise", async () => {
      await using rig = await open();
      const events: DenyEvent[] = [];
      rig.source.start((event) => void events.push(event));
      for (let i = 0n; i < 5n; i++) {
        await rig.deny(i, "other");
        await rig.settle();
      }
      await rig.source.stop();
      const revisions = events.flatMap((event) => ("revision" in event ? [event.revision] : []));
      expect(revisions).toEqual([...revisions].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
      expect(events.map(({ kind }) => kind)).toContain("fresh");
      const last = rereads ? events.findLast(({ kind }) => kind !== "reset") : events.at(-1);
      expect(last?.kind).toBe("fresh");
    });

    test("a stopped source tells nothing more, and leaves no timer armed", async () => {
      await using rig = await open();
      const events: DenyEvent[] = [];
      rig.source.start((event) => void events.push(event));
      await rig.settle();
      await rig.source.stop();
      const told = events.length;
      expect(rig.clock.armed).toBe(0);
      if (remembers) await rig.deny(1n, "spend");
      await rig.settle();
      expect(events.length).toBe(told);
    });

    if (!remembers) return;
    test("what happens between a stop and a start is not missed", async () => {
      await using rig = await open();
      const denied = new Map<bigint, DenyReason>();
      let revision: Revision | undefined;
      const take = (event: DenyEvent): void => {
        if (!("revision" in event)) return;
        revision = event.revision;
        if (event.kind === "deny") denied.set(event.tenant, event.reason);
        if (event.kind === "restore") denied.delete(event.tenant);
        if (event.kind !== "reset") return;
        denied.clear();
        for (const [tenant, reason] of event.denied) denied.set(tenant, reason);
      };
      await rig.deny(1n, "spend");
      await rig.deny(2n, "spend");
      for (let round = 0n; round < 4n; round++) {
        rig.source.start(take, revision);
        await rig.settle();
        await rig.deny(10n + round, "fraud");
        await rig.settle();
        await rig.source.stop();
        await rig.restore(1n + round);
        await rig.deny(20n + round, "other");
      }
      rig.source.start(take, revision);
      await rig.settle();
      await rig.source.stop();
      const tenants = [...denied.keys()].sort((a, b) => Number(a - b));
      expect(tenants).toEqual([10n, 11n, 12n, 13n, 20n, 21n, 22n, 23n]);
    });
  });
}
