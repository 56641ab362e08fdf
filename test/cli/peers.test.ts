import { expect, test } from "bun:test";
import fc from "fast-check";
import { Peers } from "../../src/cli/peers.ts";
import { Secret } from "../../src/core/secret.ts";
import { findStoredKey } from "../../src/ingress/stored-key.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import type { Clock, Network } from "../../src/runtime/runtime.ts";
import { deniedByHand, denyByHand } from "../../src/state/keys/deny-events.ts";
import { KeyFollower } from "../../src/state/keys/key-follower.ts";
import { KeyStore } from "../../src/state/keys/key-store.ts";
import { keyDigest } from "../../src/state/keys/stored-key.ts";
import { memoryStore } from "../../src/state/store/memory-store.ts";
import { SimClock } from "../sim/clock.ts";
import { temporaryFolder } from "../state/store/engines.ts";

const SECRET = new Secret("0123456789abcdef0123456789abcdef");
const random = systemRandom;

/** Nodes in one process: what one asks another is answered at once, or refused while it is cut. */
function cluster(count: number, secrets: readonly Secret[] = []) {
  const clock = new SimClock();
  const cut = new Set<number>();
  const lines: string[] = [];
  const line = (...parts: unknown[]) => void lines.push(JSON.stringify(parts));
  const log = { line, flush: async () => {} };
  const nodes = Array.from({ length: count }, (_, at) => {
    const folder = temporaryFolder();
    const store = memoryStore();
    const skew = { ms: 0 };
    const own: Clock = {
      now: () => clock.now(),
      wall: () => clock.wall() + skew.ms,
      machine: () => clock.machine(),
      after: (delay, wake) => clock.after(delay, wake),
    };
    const follower = new KeyFollower({
      ...{ directory: folder.path, clock: own, random },
      onProblem: (problem) => {
        throw new Error(problem);
      },
    });
    return { at, folder, store, skew, clock: own, follower, peers: undefined as Peers | undefined };
  });
  type Node = (typeof nodes)[number];
  const networkOf = (from: number): Network => ({
    resolve: async () => [],
    reach: async () => true,
    session: () => ({
      async fetch(url: string, init: BunFetchRequestInit): Promise<Response> {
        const { hostname, pathname, search } = new URL(url);
        const to = Number(hostname.slice(1));
        if (cut.has(from) || cut.has(to)) throw new Error("cut");
        const asked = new Request(url, { headers: init.headers as Record<string, string> });
        const answer = await nodes[to]!.peers?.answer(asked, pathname + search);
        return answer ?? new Response("no", { status: 401 });
      },
      close: () => {},
    }),
  });
  const begin = (node: Node): void => {
    const others = nodes.filter((each) => each !== node);
    node.peers = new Peers({
      peers: others.map(({ at }) => new URL(`http://n${at}`)),
      secret: secrets[node.at] ?? SECRET,
      directory: node.folder.path,
      ...{ clock: node.clock, random, log, network: networkOf(node.at) },
      store: async () => node.store,
    });
    void node.peers.start();
  };
  for (const node of nodes) begin(node);
  return {
    ...{ nodes, cut, clock, lines },
    again(node: Node) {
      node.peers?.stop();
      begin(node);
    },
    /** Lets time pass until every node has asked every other a few times. */
    async settle(rounds = 6) {
      for (let round = 0; round < rounds; round++) {
        for (let turn = 0; turn < 40; turn++) await Promise.resolve();
        await Bun.sleep(0);
        await clock.advance(600);
      }
      for (let turn = 0; turn < 40; turn++) await Promise.resolve();
      await Bun.sleep(0);
    },
    keys: (node: Node) => new KeyStore({ directory: node.folder.path, random }),
    judged(node: Node, text: string): string {
      node.follower.poll();
      const found = findStoredKey(keyDigest(text), {
        keys: node.follower,
        wall: clock.wall(),
      });
      return typeof found === "string" ? found : found.id;
    },
    [Symbol.dispose]() {
      for (const { peers, follower, folder } of nodes) {
        peers?.stop();
        follower.stop();
        folder.remove();
      }
    },
  };
}

test("a key made on one node opens all, and its end and its new text count on all", async () => {
  using all = cluster(3);
  const [a, b, c] = all.nodes as [
    (typeof all.nodes)[0],
    (typeof all.nodes)[0],
    (typeof all.nodes)[0],
  ];
  using keys = all.keys(a);
  const { key, text } = keys.create({ name: "app", limits: { concurrency: 3 } }, all.clock.wall());
  await all.settle();
  for (const node of all.nodes) expect(all.judged(node, text)).toBe(key.id);
  using there = all.keys(b);
  const now = all.clock.wall();
  const turned = there.rotate("app", { now, overlap: 0 });
  if ("refused" in turned) throw new Error(turned.refused);
  await all.settle();
  for (const node of all.nodes) {
    expect([all.judged(node, turned.text), all.judged(node, text)]).toEqual([key.id, "expired"]);
  }
  using last = all.keys(c);
  last.revoke(key.id, all.clock.wall());
  await all.settle();
  for (const node of all.nodes) expect(all.judged(node, turned.text)).toBe("revoked");
  expect(a.peers!.standings().map(({ isInStep }) => isInStep)).toEqual([true, true]);
});

test("a tenant that is shut out on one node is on all, until that is taken back anywhere", async () => {
  using all = cluster(3);
  const deny = (at: number, reason: "fraud" | "spend" | undefined) => {
    const { store } = all.nodes[at]!;
    const audit = { at: 1, actor: "cli:t", action: "deny", subject: "7", detail: "{}" } as const;
    return denyByHand(store, { tenant: 7n, reason }, { id: random.hex(8), node: "n", audit });
  };
  const denied = () =>
    Promise.all(all.nodes.map(async ({ store }) => (await deniedByHand(store)).get(7n)));
  await deny(0, "fraud");
  await all.settle();
  expect(await denied()).toEqual(["fraud", "fraud", "fraud"]);
  const [record] = await all.nodes[1]!.store.auditRecords(-1, 9);
  expect(record).toMatchObject({ action: "deny.set", subject: "7" });
  all.cut.add(2);
  await deny(1, undefined);
  await all.settle();
  expect(await denied()).toEqual([undefined, undefined, "fraud"]);
  all.cut.delete(2);
  await all.settle();
  expect(await denied()).toEqual([undefined, undefined, undefined]);
  await deny(2, "spend");
  await all.settle();
  expect(await denied()).toEqual(["spend", "spend", "spend"]);
});

test("who does not know the secret is told nothing and is not believed", async () => {
  using all = cluster(2, [SECRET, new Secret("f".repeat(32))]);
  using keys = all.keys(all.nodes[0]!);
  const { text } = keys.create({ name: "app" }, all.clock.wall());
  using others = all.keys(all.nodes[1]!);
  const theirs = others.create({ name: "app" }, all.clock.wall());
  await all.settle();
  expect(all.judged(all.nodes[1]!, text)).toBe("unknown");
  expect(all.judged(all.nodes[0]!, theirs.text)).toBe("unknown");
  expect(all.nodes[0]!.peers!.standings()[0]!.problem).toContain("401");
});

test("settings from a clock that is ahead are refused until ours has come as far", async () => {
  using all = cluster(2);
  const [ahead, node] = [all.nodes[0]!, all.nodes[1]!];
  await all.settle();
  ahead.skew.ms = 20_000;
  using keys = all.keys(ahead);
  const { key, text } = keys.create({ name: "app" }, all.clock.wall());
  await all.settle(4);
  expect(all.judged(node, text)).toBe("unknown");
  expect(node.peers!.standings()[0]).toMatchObject({ isInStep: false });
  expect(node.peers!.standings()[0]!.problem).toContain("ahead of ours");
  await all.settle(40);
  expect(all.judged(node, text)).toBe(key.id);
});

const event = fc.record({
  kind: fc.constantFrom(
    ...["create", "create", "pass", "revoke", "revoke", "rotate", "cut", "heal", "again"],
  ),
  node: fc.nat(2),
  of: fc.nat(2),
});

test("whatever is cut and whoever restarts, in the end all nodes agree and what was ended is ended", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 8, maxLength: 16 }), async (events) => {
      using all = cluster(3);
      const texts: { text: string; id: string; revoked: boolean }[] = [];
      const known = (at: number) => (texts.length === 0 ? undefined : texts[at % texts.length]);
      for (const { kind, node: at, of } of events) {
        const node = all.nodes[at]!;
        const now = all.clock.wall();
        using keys = all.keys(node);
        const target = known(of);
        if (kind === "create") {
          const made = keys.create({ name: `k${texts.length}` }, now);
          texts.push({ text: made.text, id: made.key.id, revoked: false });
        } else if (kind === "revoke" && target !== undefined) {
          const done = keys.revoke(target.id, now);
          if (!("refused" in done) || done.refused === "revoked") {
            for (const each of texts) if (each.id === target.id) each.revoked = true;
          }
        } else if (kind === "rotate" && target !== undefined) {
          const turned = keys.rotate(target.id, { now, overlap: 1e12 });
          if (!("refused" in turned)) {
            texts.push({ text: turned.text, id: target.id, revoked: target.revoked });
          }
        } else if (kind === "cut") all.cut.add(at);
        else if (kind === "heal") all.cut.delete(at);
        else if (kind === "again") all.again(node);
        await all.settle(kind === "pass" ? 3 : 1);
      }
      all.cut.clear();
      await all.settle(16);
      for (const { text, id, revoked } of texts) {
        const wanted = revoked || texts.some((each) => each.id === id && each.revoked);
        const seen = all.nodes.map((node) => all.judged(node, text));
        expect(seen).toEqual(Array(3).fill(wanted ? "revoked" : id));
      }
    }),
    { numRuns: Bun.env["INTERLOCK_FULL"] === "1" ? 200 : 12 },
  );
}, 120_000);
