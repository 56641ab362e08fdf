import { describe, expect, test } from "bun:test";
import { Secret } from "../../../src/core/secret.ts";
import {
  type KvBucket,
  type KvConnection,
  type KvEntry,
  natsConnector,
  natsDenials,
  type NatsDenialsOptions,
  type NatsModules,
} from "../../../src/state/keys/deny-nats.ts";
import { DenySet } from "../../../src/state/keys/deny-set.ts";
import type { DenyEvent, DenyReason, DenySource } from "../../../src/state/keys/deny-source.ts";
import { SimClock } from "../../sim/clock.ts";
import { CountedClock } from "./counted-clock.ts";
import { denyContract, type DenyRig } from "./deny-contract.ts";

type Message = Omit<KvEntry, "string"> & { readonly value: string };

/** A bucket as JetStream keeps one: the last message of each key, under rising numbers. */
class Bucket implements KvBucket {
  messages: Message[] = [];
  last = 0;
  ttl = 0;
  /** While true nothing answers, as with a server that was stopped. */
  frozen = false;
  connections = 0;
  readonly calls: string[] = [];
  #watches = new Set<{ push(entry: Message): void; stop(): void }>();

  write(key: string, operation: Message["operation"], value: string): void {
    const message = { key, operation, value, revision: ++this.last };
    this.messages = [...this.messages.filter((each) => each.key !== key), message];
    if (!this.frozen) for (const watch of this.#watches) watch.push(message);
  }
  /** As a time to live ends, or as old deletions are purged: in silence. */
  forget(key: string): void {
    this.messages = this.messages.filter((each) => each.key !== key);
  }
  cut(): void {
    for (const watch of this.#watches) watch.stop();
  }
  connect = async (): Promise<KvConnection> => {
    await this.#answer("connect");
    this.connections++;
    const close = async (): Promise<void> => void this.connections--;
    return { bucket: this, ping: () => this.#answer("ping"), close };
  };
  async status() {
    await this.#answer("status");
    const state = { first_seq: this.messages[0]?.revision ?? this.last + 1, last_seq: this.last };
    return { ttl: this.ttl, streamInfo: { state } };
  }
  async history({ key }: { readonly key: string }) {
    await this.#answer("history");
    return this.#entries(this.#matching(key, 0));
  }
  async watch(options: { readonly key: string; readonly resumeFromRevision: number }) {
    await this.#answer(`watch ${options.resumeFromRevision}`);
    const queue = this.#matching(options.key, options.resumeFromRevision);
    let more = Promise.withResolvers<void>();
    let over = false;
    const watch = {
      push: (message: Message) => {
        if (matches(options.key, message.key)) queue.push(message);
        more.resolve();
      },
      stop: () => {
        over = true;
        this.#watches.delete(watch);
        more.resolve();
      },
    };
    this.#watches.add(watch);
    const bucket = this;
    return {
      stop: watch.stop,
      async *[Symbol.asyncIterator]() {
        while (!over) {
          yield* bucket.#entries(queue.splice(0));
          more = Promise.withResolvers<void>();
          if (queue.length === 0 && !over) await more.promise;
        }
      },
    };
  }
  #matching(key: string, from: number): Message[] {
    return this.messages.filter((each) => each.revision >= from && matches(key, each.key));
  }
  async *#entries(messages: readonly Message[]): AsyncIterable<KvEntry> {
    for (const { value, ...message } of messages) yield { ...message, string: () => value };
  }
  async #answer(call: string): Promise<void> {
    this.calls.push(call);
    if (this.frozen) await new Promise(() => {});
  }
}

function matches(pattern: string, key: string): boolean {
  return pattern.endsWith("*") && key.startsWith(pattern.slice(0, -1));
}

function rigOf(options: Partial<NatsDenialsOptions> = {}) {
  const clock = new SimClock();
  const bucket = new Bucket();
  const events: DenyEvent[] = [];
  const inner = natsDenials({ clock, connect: bucket.connect, ...options });
  const source: DenySource = {
    ...{ name: inner.name, local: inner.local, stop: () => inner.stop() },
    start: (onEvent, after) =>
      inner.start((event) => {
        events.push(event);
        onEvent(event);
      }, after),
  };
  const rig: DenyRig = {
    ...{ clock, source },
    deny: (tenant, reason) => bucket.write(`blackhole.${tenant}`, "PUT", reason),
    restore: (tenant) => bucket.write(`blackhole.${tenant}`, "DEL", ""),
    settle: () => clock.advance(6_000),
    [Symbol.asyncDispose]: () => inner.stop(),
  };
  return { ...rig, clock, bucket, events };
}

denyContract("a NATS bucket (stood in for)", async () => rigOf(), { remembers: true });
denyContract(
  "a NATS bucket (stood in for), read again and again",
  async () => rigOf({ rescanMs: 2_000 }),
  {
    remembers: true,
  },
);

describe("a NATS bucket (stood in for)", () => {
  test.each([
    ["spend", "spend"],
    ["fraud", "fraud"],
    [" spend\n", "spend"],
    ['{"reason":"fraud"}', "fraud"],
    ['{"reason":"spend","by":"ops"}', "spend"],
    ['{"reason":7}', "other"],
    ["{}", "other"],
    ["{", "other"],
    ["", "other"],
    ["null", "other"],
  ] as const)("the value %p denies for %s", async (value, reason) => {
    const { source, clock, bucket, settle } = rigOf();
    const set = new DenySet(clock);
    bucket.write("blackhole.9", "PUT", value);
    set.follow(source);
    await settle();
    expect(set.find(9n)).toBe(reason);
    bucket.write("blackhole.9", "PURGE", "");
    await settle();
    expect(set.find(9n)).toBeUndefined();
    await set.stop();
  });

  test("keys of others in the bucket change nothing", async () => {
    const { source, clock, bucket, settle } = rigOf();
    const set = new DenySet(clock);
    for (const key of ["blackhole.x", "blackhole.-1", "blackhole.1.2", "config.1", "blackhole."]) {
      bucket.write(key, "PUT", "fraud");
    }
    set.follow(source);
    await settle();
    bucket.write("blackhole.y", "DEL", "");
    await settle();
    expect([set.size, set.stalenessMs < 6_000]).toEqual([0, true]);
    await set.stop();
  });

  test("a watch that ends is resumed where it was, 1 s later, then 2, 4 … 30", async () => {
    const { source, clock, bucket, deny, settle } = rigOf();
    const set = new DenySet(clock);
    set.follow(source);
    await deny(1n, "spend");
    await settle();
    bucket.cut();
    await deny(2n, "spend");
    await clock.advance(999);
    expect(set.find(2n)).toBeUndefined();
    await clock.advance(1);
    expect(set.find(2n)).toBe("spend");
    expect(bucket.calls.filter((call) => call.startsWith("watch"))).toEqual(["watch 1", "watch 1"]);

    bucket.frozen = true;
    bucket.cut();
    bucket.calls.length = 0;
    const connects: number[] = [];
    for (let second = 0; second < 240; second++) {
      await clock.advance(1_000);
      if (bucket.calls.splice(0).includes("connect")) connects.push(clock.now());
    }
    const gaps = connects.slice(1).map((at, i) => at - connects[i]!);
    // Each try waits five seconds for an answer first.
    expect(gaps.slice(0, 6)).toEqual([7_000, 9_000, 13_000, 21_000, 35_000, 35_000]);
    expect(set.find(1n)).toBe("spend");
    bucket.frozen = false;
    await clock.advance(40_000);
    expect(set.stalenessMs).toBeLessThan(6_000);
    await set.stop();
    expect(bucket.connections).toBe(0);
  });

  test("revision 0 is no place to go on from, nor one that was dropped, nor one of the future", async () => {
    for (const [after, calls] of [
      [0n, ["history", "watch 3"]],
      [1n, ["history", "watch 3"]],
      [2n, ["watch 2"]],
      [3n, ["watch 3"]],
      [4n, ["history", "watch 3"]],
    ] as const) {
      const { source, bucket, settle } = rigOf();
      bucket.write("blackhole.5", "PUT", "spend");
      bucket.write("blackhole.6", "PUT", "spend");
      bucket.write("blackhole.7", "PUT", "spend");
      bucket.forget("blackhole.5");
      bucket.forget("blackhole.6");
      source.start(() => {}, after);
      await settle();
      expect(bucket.calls.filter((call) => /^(history|watch)/.test(call))).toEqual([...calls]);
      await source.stop();
    }
  });

  test("an entry whose time is over is restored, though nobody says so", async () => {
    const { source, clock, bucket, deny, settle } = rigOf();
    bucket.ttl = 120_000;
    const set = new DenySet(clock);
    set.follow(source);
    await deny(1n, "spend");
    await settle();
    bucket.forget("blackhole.1");
    await clock.advance(70_000);
    expect(set.find(1n)).toBeUndefined();
    await set.stop();
  });
});

const URL_VARIABLE = "INTERLOCK_NATS_URL";
const servers = process.env[URL_VARIABLE];
const needs = servers === undefined ? ` skipped: needs nats (${URL_VARIABLE})` : "";
let buckets = 0;

/** The packages by names that are no literals: a clone without them still type-checks. */
async function packages(): Promise<Packages> {
  const [transport, kv] = ["@nats-io/transport-node", "@nats-io/kv"];
  return { transport: await import(transport!), kv: await import(kv!) };
}
interface Packages extends NatsModules {
  readonly kv: { readonly Kvm: KvmMaker };
}
type KvmMaker = new (client: Awaited<ReturnType<NatsModules["transport"]["connect"]>>) => {
  open(name: string): Promise<KvBucket>;
  create(name: string): Promise<WritableBucket>;
};
type WritableBucket = KvBucket & {
  put(key: string, value: string): Promise<number>;
  delete(key: string): Promise<void>;
  destroy(): Promise<boolean>;
};

describe.skipIf(servers === undefined)(`denials in NATS${needs}`, () => {
  denyContract(
    "a real NATS bucket",
    async () => {
      const { transport, kv } = await packages();
      const client = await transport.connect({
        servers: servers!,
        reconnect: false,
        timeout: 2_000,
      });
      const bucket = `interlock-test-${process.pid}-${++buckets}`;
      const writable = await new kv.Kvm(client).create(bucket);
      const clock = new CountedClock();
      const connect = natsConnector(packages, { url: new Secret(servers!), bucket });
      const source = natsDenials({ clock, connect, pingMs: 20 });
      return {
        ...{ clock, source },
        deny: async (tenant: bigint, reason: DenyReason) =>
          void (await writable.put(`blackhole.${tenant}`, reason)),
        restore: (tenant: bigint) => writable.delete(`blackhole.${tenant}`),
        settle: () => Bun.sleep(300),
        [Symbol.asyncDispose]: async () => {
          await source.stop();
          await writable.destroy();
          await client.close();
        },
      };
    },
    { remembers: true },
  );
});
