import { describe, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { HandDenials } from "./hand-denials.ts";
import { SavedDenials } from "../../../src/state/keys/deny-saved.ts";
import { DenySet } from "../../../src/state/keys/deny-set.ts";
import type {
  DenyEvent,
  DenyReason,
  DenySource,
  OnDenyEvent,
  Revision,
} from "../../../src/state/keys/deny-source.ts";
import { SimClock } from "../../sim/clock.ts";
import { stateDir } from "./state-dir.ts";

/** A server with a history, out of reach until it is told to be in reach. */
class Server implements DenySource {
  readonly name = "server";
  readonly local = false;
  readonly history: { tenant: bigint; reason: DenyReason | undefined; revision: Revision }[] = [];
  reachable = true;
  startedAfter: (Revision | undefined)[] = [];
  #onEvent: OnDenyEvent = () => {};

  change(tenant: bigint, reason?: DenyReason): void {
    const revision = BigInt(this.history.length + 1);
    this.history.push({ tenant, reason, revision });
    if (this.reachable) this.#tellFrom(revision - 1n);
  }
  start(onEvent: OnDenyEvent, after?: Revision): void {
    this.startedAfter.push(after);
    this.#onEvent = onEvent;
    if (!this.reachable) return onEvent({ kind: "broken", detail: "ECONNREFUSED" });
    if (after === undefined) onEvent({ kind: "reset", denied: new Map(), revision: 0n, ageMs: 0 });
    this.#tellFrom(after ?? 0n);
  }
  async stop(): Promise<void> {
    this.#onEvent = () => {};
  }
  #tellFrom(after: Revision): void {
    for (const { tenant, reason, revision } of this.history) {
      if (revision <= after) continue;
      if (reason === undefined) this.#onEvent({ kind: "restore", tenant, revision });
      else this.#onEvent({ kind: "deny", tenant, reason, revision });
    }
    this.#onEvent({ kind: "fresh", revision: BigInt(this.history.length), ageMs: 0 });
  }
}

function started(server: DenySource, path: string, clock = new SimClock()) {
  const set = new DenySet(clock);
  const saved = new SavedDenials(server, { path, clock });
  set.follow(saved);
  return { set, saved, clock };
}

test("after a restart it denies before the server is reached, as stale as it then is", async () => {
  using dir = stateDir();
  const path = join(dir.path, "state", "deny.log");
  const clock = new SimClock();
  const server = new Server();
  server.change(1n, "spend");
  server.change(2n, "fraud");
  server.change(1n);
  const first = started(server, path, clock);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await first.set.stop();
  server.reachable = false;
  server.change(2n);
  await clock.advance(90_000);
  const second = started(server, path, clock);
  expect([second.set.find(1n), second.set.find(2n)]).toEqual([undefined, "fraud"]);
  expect(second.set.stalenessMs).toBeWithin(80_000, 100_001);
  await second.set.stop();

  // Back in reach it goes on behind the revision it had, and hears only what was new.
  server.reachable = true;
  const third = started(server, path, clock);
  expect([third.set.find(2n), third.set.stalenessMs]).toEqual([undefined, 0]);
  expect(server.startedAfter).toEqual([undefined, 3n, 3n]);
  await third.set.stop();
});

const TENANTS = [1n, 12n, 123n, 1234n, 2n, 21n];

test("killed anywhere in a write, a restart comes to what the server says, without a gap", () => {
  const change = fc.tuple(
    // Cut short, the number of one is the number of another.
    fc.constantFrom(...TENANTS),
    fc.option(fc.constantFrom<DenyReason>("spend", "fraud"), { nil: undefined }),
  );
  fc.assert(
    fc.property(
      fc.array(change, { minLength: 1 }),
      fc.array(change),
      fc.nat(),
      (before, after, cut) => {
        using dir = stateDir();
        const path = join(dir.path, "deny.log");
        const server = new Server();
        const first = started(server, path);
        for (const [tenant, reason] of before) server.change(tenant, reason);
        void first.set.stop();
        const bytes = readFileSync(path);
        // The head of the file was put in its place whole; what was appended may end anywhere.
        const head = bytes.indexOf("\n") + 1;
        writeFileSync(path, bytes.subarray(0, head + (cut % (bytes.length - head + 1))));
        for (const [tenant, reason] of after) server.change(tenant, reason);
        const second = started(server, path);
        const right = new Map([...before, ...after]);
        for (const tenant of TENANTS) {
          expect(second.set.find(tenant)).toBe(right.get(tenant));
        }
        void second.set.stop();
      },
    ),
    { numRuns: 60 },
  );
});

test("killed at each byte of a line, no tenant whose number begins alike is denied for it", () => {
  using dir = stateDir();
  const path = join(dir.path, "deny.log");
  const server = new Server();
  const first = started(server, path);
  server.change(1234n, "spend");
  void first.set.stop();
  const bytes = readFileSync(path);
  server.reachable = false;
  for (let cut = bytes.lastIndexOf("deny"); cut < bytes.length; cut++) {
    writeFileSync(path, bytes.subarray(0, cut));
    const { set } = started(server, path);
    expect(set.size).toBe(0);
    void set.stop();
  }
});

test("the log stays small however often a tenant is denied and restored", () => {
  using dir = stateDir();
  const path = join(dir.path, "deny.log");
  const admin = new HandDenials();
  const saved = new SavedDenials(admin, { path, clock: new SimClock(), compactBytes: 2_000 });
  saved.start(() => {});
  admin.deny(7n, "fraud");
  for (let i = 0; i < 1_000; i++) {
    admin.deny(1n, "spend");
    admin.restore(1n);
    expect(statSync(path).size).toBeLessThanOrEqual(2_000);
  }
  void saved.stop();
  expect(readFileSync(path, "latin1")).toContain("deny 7 fraud");
});

test("a set larger than the log may be is not written anew with each line", () => {
  using dir = stateDir();
  const path = join(dir.path, "deny.log");
  const admin = new HandDenials();
  const saved = new SavedDenials(admin, { path, clock: new SimClock(), compactBytes: 1_000 });
  saved.start(() => {});
  const files: number[] = [];
  for (let tenant = 0n; tenant < 4_000n; tenant++) {
    admin.deny(tenant, "spend");
    files.push(statSync(path).ino);
  }
  void saved.stop();
  // From 1 KB to 80 KB by doubling.
  expect(files.filter((file, at) => file !== files[at - 1]).length).toBeLessThan(12);
});

describe("denials made by hand", () => {
  test("are there after a restart, and after one of a file that somebody wrote", async () => {
    using dir = stateDir();
    const path = join(dir.path, "deny.log");
    appendFileSync(path, "deny 5 fraud\n");
    for (let round = 1n; round <= 3n; round++) {
      const admin = new HandDenials();
      const { set } = started(admin, path);
      expect(set.find(5n)).toBe("fraud");
      for (let tenant = 100n; tenant < 100n + round - 1n; tenant++) {
        expect(set.find(tenant)).toBe("spend");
      }
      admin.deny(99n + round, "spend");
      await set.stop();
    }
  });

  test("say nothing of staleness, here or to who follows the file", async () => {
    using dir = stateDir();
    const path = join(dir.path, "deny.log");
    const { set, clock } = started(new HandDenials(), path);
    await clock.advance(3_600_000);
    expect(set.stalenessMs).toBe(0);
    expect(readFileSync(path, "latin1")).not.toContain("fresh");
    await set.stop();
  });

  test("are refused aloud before there is somebody to hear them", () => {
    expect(() => new HandDenials().deny(1n, "spend")).toThrow("not started");
  });
});

describe("a disk that does not take it", () => {
  test("costs the log, is said once, and is made good when it takes again", () => {
    using dir = stateDir();
    const path = join(dir.path, "deny.log");
    mkdirSync(`${path}.new`); // Stands where the log would be written.
    const events: DenyEvent[] = [];
    const server = new Server();
    const saved = new SavedDenials(server, { path, clock: new SimClock() });
    saved.start((event) => void events.push(event));
    for (let tenant = 1n; tenant < 20n; tenant++) server.change(tenant, "spend");
    const broken = events.filter(({ kind }) => kind === "flaw");
    expect(broken).toEqual([{ kind: "flaw", detail: expect.stringContaining("not saved: ") }]);
    expect(events.filter(({ kind }) => kind === "deny").length).toBe(19);
    Bun.spawnSync(["rmdir", `${path}.new`]);
    server.change(1n);
    expect(events).toContainEqual({ kind: "flaw", detail: undefined });
    expect(readFileSync(path, "latin1").match(/^deny/gm)?.length).toBe(18);
    void saved.stop();
  });

  test("a log that cannot be read stops only what has no other copy", () => {
    using dir = stateDir();
    const path = join(dir.path, "deny.log");
    mkdirSync(path);
    const clock = new SimClock();
    const admin = new SavedDenials(new HandDenials(), { path, clock, durable: true });
    expect(() => admin.start(() => {})).toThrow();
    const events: DenyEvent[] = [];
    const server = new SavedDenials(new Server(), { path, clock });
    server.start((event) => void events.push(event));
    expect(events[0]).toEqual({ kind: "flaw", detail: expect.stringContaining("not read: ") });
    expect(events.map(({ kind }) => kind)).toContain("fresh");
    void server.stop();
  });
});

test("what was never in step is counted as behind from its first start on, over restarts", async () => {
  using dir = stateDir();
  const path = join(dir.path, "deny.log");
  const clock = new SimClock();
  const server = new Server();
  server.reachable = false;
  for (let start = 0; start < 3; start++) {
    const { set } = started(server, path, clock);
    await clock.advance(300_000);
    expect(set.stalenessMs).toBe((start + 1) * 300_000);
    await set.stop();
  }
});
