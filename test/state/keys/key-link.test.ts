import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { deniedByHand, denyByHand } from "../../../src/state/keys/deny-events.ts";
import { findStoredKey } from "../../../src/ingress/stored-key.ts";
import { systemRandom } from "../../../src/runtime/random.ts";
import { KeyFollower } from "../../../src/state/keys/key-follower.ts";
import { importKeys, seedReplica } from "../../../src/state/keys/key-import.ts";
import { KeyLink } from "../../../src/state/keys/key-link.ts";
import { KeyLog } from "../../../src/state/keys/key-log.ts";
import { KeyReplica } from "../../../src/state/keys/key-replica.ts";
import { KeyStore } from "../../../src/state/keys/key-store.ts";
import { sharedDirectory } from "../../../src/state/keys/shared-directory.ts";
import { keyDigest } from "../../../src/state/keys/stored-key.ts";
import { memoryStore } from "../../../src/state/store/memory-store.ts";
import type { Store } from "../../../src/state/store/store.ts";
import { StoreError } from "../../../src/state/store/sql.ts";
import { SimClock } from "../../sim/clock.ts";
import { STORES, temporaryFolder } from "../store/engines.ts";

/** A node with a copy of its own, and what its workers would say of a text. */
function nodeOf(store: Store, clock = new SimClock()) {
  const folder = temporaryFolder();
  const random = systemRandom;
  let troubles: (string | undefined)[] = [];
  let replica = new KeyReplica({ directory: folder.path, random });
  const onProblem = (problem: string): never => {
    throw new Error(problem);
  };
  const follower = new KeyFollower({ directory: folder.path, clock, random, onProblem });
  const linkOf = (): KeyLink => {
    const onTrouble = (problem: string | undefined) => void troubles.push(problem);
    const prepare = async (): Promise<undefined> => undefined;
    return new KeyLink({ store, replica, clock, random, node: "n", prepare, onTrouble });
  };
  let link = linkOf();
  return {
    ...{ clock, folder, follower },
    replica: () => replica,
    link: () => link,
    troubles: () => troubles.splice(0),
    judged(text: string): string {
      follower.poll();
      const found = findStoredKey(keyDigest(text), { keys: follower, wall: clock.wall() });
      return typeof found === "string" ? found : found.id;
    },
    /** As a process that ends and is started again. */
    again() {
      link.stop();
      replica.close();
      replica = new KeyReplica({ directory: folder.path, random });
      link = linkOf();
    },
    [Symbol.dispose]() {
      link.stop();
      follower.stop();
      replica.close();
      troubles = [];
      folder.remove();
    },
  };
}

const bookOf = (store: Store): KeyLog =>
  new KeyLog(store, { random: systemRandom, node: "a", by: "cli:test" });
const soon = async (done: () => boolean): Promise<void> => {
  for (const end = performance.now() + 4000; performance.now() < end;) {
    if (done()) return;
    await Bun.sleep(2);
  }
  throw new Error("it did not come to pass");
};

describe.each(STORES)("over $name", ({ missing, open }) => {
  test.skipIf(missing !== undefined)(
    `a key made on one node opens the others, and its end shuts them${missing ? `: ${missing}` : ""}`,
    async () => {
      const { it: store, close } = await open();
      try {
        using node = nodeOf(store);
        node.link().start();
        const book = bookOf(store);
        const { key, text } = await book.create({ name: "app", limits: { concurrency: 3 } }, 1);
        await soon(() => node.judged(text) === key.id);
        const now = node.clock.wall();
        const turned = await book.rotate("app", { now, overlap: 0 });
        if ("refused" in turned) throw new Error(turned.refused);
        await soon(() => node.judged(turned.text) === key.id);
        expect(node.judged(text)).toBe("expired");
        expect((await book.list(now + 1)).map(({ name, secrets }) => [name, secrets])).toEqual([
          ["app", 1],
        ]);
        expect(await book.revoke(key.id, 4)).toEqual({ id: key.id });
        expect(await book.revoke(key.id, 4)).toEqual({ refused: "revoked", id: key.id });
        await soon(() => node.judged(turned.text) === "revoked");
        expect(await book.rotate("none", { now: 2, overlap: 0 })).toEqual({ refused: "unknown" });
      } finally {
        await close();
      }
    },
  );

  test.skipIf(missing !== undefined)("two rotations at once lose no text", async () => {
    const { it: store, close } = await open();
    try {
      using node = nodeOf(store);
      const { key } = await bookOf(store).create({ name: "app" }, 1);
      const turn = () => bookOf(store).rotate(key.id, { now: node.clock.wall(), overlap: 1e9 });
      const turned = await Promise.all([turn(), turn(), turn()]);
      node.link().start();
      for (const each of turned) {
        if ("refused" in each) throw new Error(each.refused);
        await soon(() => node.judged(each.text) === key.id);
      }
    } finally {
      await close();
    }
  });
});

/** What befalls a cluster of two nodes; the copy must end as the log says. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("create" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("revoke" as const), of: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("rotate" as const), of: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("remove" as const), of: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("restart" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("anew" as const) }) },
);

test("whatever happens and whenever a node restarts, its copy says what the log says", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      let inner = memoryStore();
      // The database as the node sees it may be another one from one moment to the next.
      const store = new Proxy({} as Store, {
        get: (_, name: keyof Store) => {
          const member = inner[name];
          return typeof member === "function" ? member.bind(inner) : member;
        },
      });
      using node = nodeOf(store);
      const texts: { text: string; id: string }[] = [];
      let now = node.clock.wall();
      for (const each of steps) {
        now++;
        const book = bookOf(inner);
        const { text = "", id = "none" } =
          "of" in each ? (texts[each.of % (texts.length || 1)] ?? {}) : {};
        void text;
        if (each.do === "create") {
          const made = await book.create({ name: `k${now}` }, now);
          texts.push({ text: made.text, id: made.key.id });
        } else if (each.do === "revoke") await book.revoke(id, now);
        else if (each.do === "rotate") {
          const turned = await book.rotate(id, { now, overlap: 1e12 });
          if (!("refused" in turned)) texts.push({ text: turned.text, id });
        } else if (each.do === "remove") {
          const event = { id: `e${now}`, kind: "key.removed", subject: id, body: {}, at: now };
          await inner.append([{ ...event, node: "a" }]);
        } else {
          const opens = () => texts.map(({ text, id }) => node.judged(text) === id);
          const before = opens();
          if (each.do === "anew") inner = memoryStore();
          node.again();
          node.link().start();
          await node.link().inStep;
          // A log that has lost everything is told by who knows: nothing ends, and nothing begins.
          if (each.do === "anew") expect(opens()).toEqual(before);
        }
      }
      node.again();
      node.link().start();
      await node.link().inStep;
      const view = await inner.view("key");
      for (const { text, id } of texts) {
        const body = view.get(id)?.body;
        const secrets = (body?.["secrets"] ?? {}) as object;
        const opens = body?.["revoked"] === null && keyDigest(text) in secrets;
        expect([text, node.judged(text) === id]).toEqual([text, opens]);
      }
    }),
    { numRuns: 60 },
  );
}, 60_000);

test("while the database is away a node goes on with its copy, also from a start", async () => {
  const inner = memoryStore();
  let away = false;
  const store = new Proxy(inner, {
    get: (target, name: keyof Store) => {
      const member = target[name];
      if (typeof member !== "function") return member;
      return (...given: never[]) => {
        if (away) throw new StoreError("unavailable", "gone");
        return (member as (...all: never[]) => unknown).apply(target, given);
      };
    },
  });
  using node = nodeOf(store);
  node.link().start();
  const { text, key } = await bookOf(inner).create({ name: "app" }, 1);
  await soon(() => node.judged(text) === key.id);
  away = true;
  node.again();
  node.link().start();
  await soon(() => node.troubles().includes("gone"));
  expect(node.judged(text)).toBe(key.id);
  expect(node.link().status.isLinked).toBe(false);
  away = false;
  await bookOf(inner).revoke("app", 2);
  await soon(() => {
    node.clock.advance(600);
    return node.judged(text) === "revoked";
  });
  expect(node.link().status).toMatchObject({ isLinked: true, revision: 2 });
});

test("a node's own keys are brought in once, and one that was ended since stays so", async () => {
  const own = temporaryFolder();
  const random = systemRandom;
  const store = memoryStore();
  using node = nodeOf(store);
  const at = { directory: own.path, random, node: "a" };
  using keys = new KeyStore(at);
  const [app, old] = [keys.create({ name: "app" }, 1), keys.create({ name: "old" }, 1)];
  keys.revoke("old", 2);
  expect(seedReplica(node.replica(), at)).toBe(true);
  expect([node.judged(app.text), node.judged(old.text)]).toEqual([app.key.id, "revoked"]);
  await importKeys(store, node.replica(), at);
  node.link().start();
  await node.link().inStep;
  expect([node.judged(app.text), node.judged(old.text)]).toEqual([app.key.id, "revoked"]);
  await bookOf(store).revoke("app", 3);
  const other = keys.create({ name: "new" }, 4);
  await importKeys(store, node.replica(), at);
  await soon(() => node.judged(other.text) === other.key.id);
  expect(node.judged(app.text)).toBe("revoked");
  const before = await store.revision();
  await importKeys(store, node.replica(), at);
  expect(await store.revision()).toBe(before);
  own.remove();
});

test("each database has a copy of its own, however its URL is spelled", () => {
  const at = (url: string): string => sharedDirectory("/s", url);
  expect(at("postgres://a:b@DB/x")).toBe(at("postgresql://c@db:5432/x?sslmode=require"));
  const all = ["postgres://db/x", "postgres://db/y", "postgres://db:1/x", "postgres://dc/x"];
  expect(new Set(all.map(at)).size).toBe(4);
});

test("what a log that was put back has lost comes back from the copies, ends above all", async () => {
  const whole = memoryStore();
  const old = memoryStore();
  const { text, key } = await bookOf(whole).create({ name: "app" }, 1);
  for (const event of await whole.events(0, 9)) await old.append([event]);
  const later = await bookOf(whole).create({ name: "later" }, 2);
  await bookOf(whole).revoke(key.id, 3);
  const audit = { at: 1, actor: "cli:t", action: "deny.set", subject: "7", detail: "{}" } as const;
  const denial = { tenant: 7n, reason: "fraud" } as const;
  await denyByHand(whole, denial, { id: "d1", node: "a", audit });
  using one = nodeOf(whole);
  one.link().start();
  await one.link().inStep;
  let inner = whole;
  const store = new Proxy(whole, {
    get: (_, name: keyof Store) => {
      const member = inner[name];
      return typeof member === "function" ? member.bind(inner) : member;
    },
  });
  using two = nodeOf(store);
  two.link().start();
  await two.link().inStep;
  two.link().stop();
  inner = old;
  two.again();
  two.link().start();
  await two.link().inStep;
  expect(two.troubles()).toContain("the database had lost 3 settings: brought back");
  expect(await deniedByHand(old)).toEqual(new Map([[7n, "fraud"]]));
  using fresh = nodeOf(old);
  fresh.link().start();
  await fresh.link().inStep;
  for (const node of [two, fresh]) {
    expect([node.judged(text), node.judged(later.text)]).toEqual(["revoked", later.key.id]);
  }
});
