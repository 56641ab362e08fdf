import { describe, expect, test } from "bun:test";
import { SQL } from "bun";
import { DENY_SCHEMA_DOWN, DENY_SCHEMA_UP } from "../../../src/state/keys/deny-postgres-schema.ts";
import {
  type PostgresDenialsOptions,
  postgresDenials,
} from "../../../src/state/keys/deny-postgres.ts";
import { DenySet } from "../../../src/state/keys/deny-set.ts";
import type { DenyEvent, DenyReason, DenySource } from "../../../src/state/keys/deny-source.ts";
import { CountedClock } from "./counted-clock.ts";
import { denyContract, type DenyRig } from "./deny-contract.ts";
import { frozenLink } from "./frozen-link.ts";

const URL_VARIABLE = "INTERLOCK_POSTGRES_URL";
const url = process.env[URL_VARIABLE];

interface PostgresRig extends DenyRig {
  readonly sql: SQL;
  readonly events: DenyEvent[];
  readonly until: (reached: () => boolean) => Promise<void>;
}

let schemas = 0;

/** A schema of its own, with the tables in it, through `at` when the link there is to be broken. */
async function open(
  options: Partial<PostgresDenialsOptions> = {},
  at: URL = new URL(url!),
): Promise<PostgresRig> {
  const schema = `interlock_test_${process.pid}_${++schemas}`;
  const sql = new SQL(url!, { max: 4, connection: { search_path: schema } });
  await sql.unsafe(`CREATE SCHEMA ${schema}`);
  await sql.unsafe(DENY_SCHEMA_UP).simple();
  const clock = new CountedClock();
  const events: DenyEvent[] = [];
  const inner = postgresDenials({
    clock,
    connect: () => new SQL(at.href, { max: 1, connection: { search_path: schema } }),
    ...options,
  });
  let running = false;
  const source: DenySource = {
    ...{ name: inner.name, local: inner.local },
    start: (onEvent, after) => {
      running = true;
      inner.start((event) => {
        events.push(event);
        onEvent(event);
      }, after);
    },
    stop: () => {
      running = false;
      return inner.stop();
    },
  };
  const until = async (reached: () => boolean): Promise<void> => {
    for (let waited = 0; !reached(); waited += 5) {
      if (waited > 8_000) throw new Error(`it never came: ${JSON.stringify(events, bigints)}`);
      await Bun.sleep(5);
    }
  };
  return {
    ...{ clock, source, sql, events, until },
    deny: async (tenant, reason) => {
      await sql`INSERT INTO interlock_deny VALUES (${`${tenant}`}, ${reason})
        ON CONFLICT (tenant) DO UPDATE SET reason = excluded.reason`;
    },
    restore: async (tenant) => {
      await sql`DELETE FROM interlock_deny WHERE tenant = ${`${tenant}`}::numeric`;
    },
    settle: async () => {
      if (!running) return Bun.sleep(50);
      const [{ revision }] = await sql`SELECT revision::text FROM interlock_deny_head`;
      await until(() => lastFresh(events) >= BigInt(revision));
    },
    [Symbol.asyncDispose]: async () => {
      await inner.stop();
      await sql.unsafe(`DROP SCHEMA ${schema} CASCADE`);
      await sql.close({ timeout: 1 });
    },
  };
}

const bigints = (_: string, value: unknown): unknown =>
  typeof value === "bigint" ? `${value}` : value;

function lastFresh(events: readonly DenyEvent[]): bigint {
  const fresh = events.findLast((event) => event.kind === "fresh");
  return fresh?.kind === "fresh" ? fresh.revision : -1n;
}

const needs = url === undefined ? ` skipped: needs postgres (${URL_VARIABLE})` : "";

describe.skipIf(url === undefined)(`denials in Postgres${needs}`, () => {
  denyContract("Postgres", () => open(), { remembers: true });
  denyContract("Postgres, read again and again", () => open({ rescanMs: 0, pollMs: 20 }), {
    ...{ remembers: true, rereads: true },
  });

  test("a change is heard of at once, not at the next poll", async () => {
    await using rig = await open({ pollMs: 3_600_000 });
    const set = new DenySet(rig.clock);
    set.follow(rig.source);
    await rig.until(() => lastFresh(rig.events) >= 0n);
    await rig.deny(7n, "fraud");
    await rig.until(() => set.find(7n) === "fraud");
  });

  test("a change that commits after a later one is not missed", async () => {
    await using rig = await open();
    const set = new DenySet(rig.clock);
    set.follow(rig.source);
    const first = Promise.withResolvers<void>();
    const slow = rig.sql.begin(async (tx) => {
      await tx`INSERT INTO interlock_deny VALUES (1, 'spend')`;
      first.resolve();
      await Bun.sleep(150);
    });
    await first.promise;
    await Promise.all([slow, rig.deny(2n, "spend")]);
    await rig.settle();
    expect([set.find(1n), set.find(2n)]).toEqual(["spend", "spend"]);
  });

  test("emptied at a stroke, pruned, or made anew: it begins again and is right", async () => {
    await using rig = await open();
    const set = new DenySet(rig.clock);
    set.follow(rig.source);
    await rig.deny(1n, "spend");
    await rig.settle();
    await rig.sql`TRUNCATE interlock_deny`;
    await rig.settle();
    await rig.until(() => set.find(1n) === undefined);

    const [before = -1n] = [lastFresh(rig.events)];
    await rig.source.stop();
    await rig.deny(2n, "fraud");
    await rig.sql`DELETE FROM interlock_deny_changes`;
    await rig.sql`UPDATE interlock_deny_head SET pruned = revision`;
    const told: DenyEvent[] = [];
    rig.source.start((event) => void told.push(event), before);
    await rig.until(() => told.some(({ kind }) => kind === "fresh"));
    expect(told[0]).toMatchObject({ kind: "reset", denied: new Map([[2n, "fraud"]]) });
    await rig.source.stop();

    const after = lastFresh(rig.events);
    await rig.sql.unsafe(DENY_SCHEMA_DOWN).simple();
    await rig.sql.unsafe(DENY_SCHEMA_UP).simple();
    await rig.deny(3n, "other");
    told.length = 0;
    rig.source.start((event) => void told.push(event), after);
    await rig.until(() => told.some(({ kind }) => kind === "fresh"));
    expect(told[0]).toMatchObject({ kind: "reset", denied: new Map([[3n, "other"]]) });
  });

  test("more denials than fit a page are all read, and a tenant's limits are the table's", async () => {
    await using rig = await open();
    await rig.sql`INSERT INTO interlock_deny
      SELECT n::numeric * 1000000007, 'spend' FROM generate_series(1, 25000) AS n`;
    const set = new DenySet(rig.clock);
    set.follow(rig.source);
    await rig.settle();
    expect([set.size, set.find(25_000n * 1_000_000_007n)]).toEqual([25_000, "spend"]);
    for (const tenant of ["-1", "18446744073709551616", "1.5"]) {
      const bad = rig.sql`INSERT INTO interlock_deny VALUES (${tenant}::numeric, 'x')`;
      if (tenant !== "1.5") expect(bad.execute()).rejects.toThrow();
      else await bad; // The type rounds it: two is a tenant.
    }
  });

  test("changes that were forgotten before it could look are not missed", async () => {
    await using rig = await open();
    const set = new DenySet(rig.clock);
    set.follow(rig.source);
    await rig.deny(9n, "spend");
    await rig.settle();
    await rig.sql.begin(async (tx) => {
      await tx`INSERT INTO interlock_deny VALUES (1, 'spend')`;
      await tx`DELETE FROM interlock_deny WHERE tenant = 9`;
      await tx`DELETE FROM interlock_deny_changes`;
      await tx`UPDATE interlock_deny_head SET pruned = revision`;
      await tx`INSERT INTO interlock_deny VALUES (2, 'spend')`;
    });
    await rig.settle();
    expect([1n, 2n, 9n].map((tenant) => set.find(tenant))).toEqual(["spend", "spend", undefined]);
  });

  test("more than 100,000 changes at once: the table of them stays small, nobody is missed", async () => {
    await using rig = await open();
    const set = new DenySet(rig.clock);
    set.follow(rig.source);
    await rig.settle();
    for (let round = 0; round < 3; round++) {
      await rig.sql`INSERT INTO interlock_deny
        SELECT n + ${round * 100_000}, 'spend' FROM generate_series(1, 60000) AS n`;
    }
    const [{ kept }] = await rig.sql`SELECT count(*)::int AS kept FROM interlock_deny_changes`;
    expect(kept).toBeLessThanOrEqual(160_000);
    await rig.settle();
    expect(set.size).toBe(180_000);
  }, 30_000);

  test("it calls itself in step only when every change was told", async () => {
    await using rig = await open();
    rig.source.start(() => {});
    await rig.settle();
    await rig.source.stop();
    const after = lastFresh(rig.events);
    await rig.sql`INSERT INTO interlock_deny SELECT n, 'spend' FROM generate_series(1, 25000) AS n`;
    rig.events.length = 0;
    rig.source.start(() => {}, after);
    await rig.settle();
    const told = rig.events.findIndex(({ kind }) => kind === "fresh");
    expect(rig.events.slice(0, told).filter(({ kind }) => kind === "deny").length).toBe(25_000);
  });

  test("one statement may deny, move and restore many", async () => {
    await using rig = await open();
    const set = new DenySet(rig.clock);
    set.follow(rig.source);
    await rig.settle();
    const found = () =>
      Array.from({ length: 8 }, (_, tenant) => set.find(BigInt(tenant))?.[0] ?? "-").join("");
    const { sql } = rig;
    await sql`INSERT INTO interlock_deny VALUES (1, 'spend'), (2, 'fraud'), (3, 'spend')`;
    await rig.settle();
    expect(found()).toBe("-sfs----");
    await sql`UPDATE interlock_deny SET tenant = tenant + 4, reason = 'fraud' WHERE reason = 'spend'`;
    await rig.settle();
    expect(found()).toBe("--f--f-f");
    await sql`INSERT INTO interlock_deny VALUES (5, 'spend'), (6, 'spend')
      ON CONFLICT (tenant) DO UPDATE SET reason = excluded.reason`;
    await rig.settle();
    expect(found()).toBe("--f--ssf");
    await sql`UPDATE interlock_deny SET reason = 'x' WHERE tenant > 100`;
    await sql`DELETE FROM interlock_deny WHERE tenant IN (2, 5, 6)`;
    await rig.settle();
    expect(found()).toBe("-------f");
  });

  test("frozen, it denies on and grows stale; thawed, it goes on where it was", async () => {
    const direct = new URL(url!);
    const port = Number(direct.port === "" ? 5432 : direct.port);
    using link = frozenLink({ hostname: direct.hostname, port });
    const through = new URL(direct);
    [through.hostname, through.port] = ["127.0.0.1", String(link.port)];
    await using rig = await open({ deadlineMs: 200, pollMs: 50 }, through);
    const set = new DenySet(rig.clock);
    set.follow(rig.source);
    await rig.deny(1n, "spend");
    await rig.settle();
    link.freeze();
    const told = rig.events.length;
    await rig.deny(2n, "fraud");
    await rig.restore(1n);
    await rig.until(() => rig.events.slice(told).some(({ kind }) => kind === "broken"));
    expect([set.find(1n), set.find(2n)]).toEqual(["spend", undefined]);
    expect(set.statuses()[0]?.broken).toBe("postgres: no answer in 200 ms");
    expect(set.stalenessMs).toBeGreaterThan(150);
    link.thaw();
    await rig.until(() => set.find(2n) === "fraud");
    expect([set.find(1n), set.statuses()[0]?.broken]).toEqual([undefined, undefined]);
    // Not one reset: it was told what it had missed and no more.
    expect(rig.events.slice(told).filter(({ kind }) => kind === "reset")).toEqual([]);
  }, 20_000);

  test("cut off again and again while denials come, it misses none", async () => {
    const direct = new URL(url!);
    const port = Number(direct.port === "" ? 5432 : direct.port);
    using link = frozenLink({ hostname: direct.hostname, port });
    const through = new URL(direct);
    [through.hostname, through.port] = ["127.0.0.1", String(link.port)];
    await using rig = await open({ pollMs: 20 }, through);
    const set = new DenySet(rig.clock);
    set.follow(rig.source);
    const right = new Map<bigint, DenyReason>();
    for (let i = 0n; i < 60n; i++) {
      await rig.deny(i % 17n, "spend");
      right.set(i % 17n, "spend");
      if (i % 3n === 0n) {
        await rig.restore(i % 5n);
        right.delete(i % 5n);
      }
      if (i % 25n === 24n) {
        link.cut();
        await Bun.sleep(20);
      }
    }
    await rig.settle();
    for (let tenant = 0n; tenant < 17n; tenant++) expect(set.find(tenant)).toBe(right.get(tenant));
    expect(rig.events.filter(({ kind }) => kind === "reset").length).toBeLessThanOrEqual(1);
  }, 30_000);
});
