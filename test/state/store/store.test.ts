import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { EMPTY_HEAD, link } from "../../../src/state/audit/chain.ts";
import { verifyAudit } from "../../../src/state/audit/verify.ts";
import type { JsonObject, NewEvent } from "../../../src/state/store/event.ts";
import { memoryStore } from "../../../src/state/store/memory-store.ts";
import type { RegisterEntry } from "../../../src/state/store/registers.ts";
import type { Store } from "../../../src/state/store/store.ts";
import { entries } from "../ledger/entries.ts";
import { STORES } from "./engines.ts";

let made = 0;
function event(kind: string, subject: string, body: JsonObject = {}): NewEvent {
  return { id: `e${++made}`, kind, subject, body, at: 1000 + made, node: "n1" };
}

describe.each(STORES)("$name", ({ name, missing, open }) => {
  if (missing !== undefined) {
    test.skip(missing, () => {});
    return;
  }
  let store: Store;
  let close: () => Promise<void>;
  beforeEach(async () => {
    ({ it: store, close } = await open());
  });
  afterEach(() => close());

  describe("the log", () => {
    test("numbers events without gaps, from 1, in the order of appending", async () => {
      await store.append([event("key.created", "a"), event("key.created", "b")]);
      const done = await store.append([event("key.created", "c")]);
      expect(done).toEqual({ ok: true, revision: 3, fresh: 1 });
      const read = await store.events(0, 10);
      expect(read.map(({ revision, subject }) => [revision, subject])).toEqual([
        [1, "a"],
        [2, "b"],
        [3, "c"],
      ]);
      expect((await store.events(1, 1)).map(({ subject }) => subject)).toEqual(["b"]);
      expect(await store.revision()).toBe(3);
    });

    test("keeps an event as it was given", async () => {
      const body = { a: [1, { b: null }], __proto__x: "y", "k\0": "é\u{1F600}" };
      const given = event("key.created", "a", body);
      await store.append([given]);
      expect(await store.events(0, 1)).toEqual([{ ...given, revision: 1 }]);
    });

    test("the same id twice is one event, in one call and in two", async () => {
      const once = event("key.created", "a");
      const other = event("key.created", "b");
      expect(await store.append([once, once])).toMatchObject({ revision: 1, fresh: 1 });
      expect(await store.append([once, other])).toMatchObject({ revision: 2, fresh: 1 });
    });

    test("an append that expects another end of the log changes nothing", async () => {
      await store.append([event("key.created", "a")]);
      const audit = { at: 1, actor: "x", action: "y", subject: "z", detail: "{}" };
      const lost = await store.append([event("key.created", "b")], { expected: 0, audit });
      expect(lost).toEqual({ ok: false, revision: 1 });
      expect(await store.revision()).toBe(1);
      expect(await store.auditHead()).toEqual(EMPTY_HEAD);
      expect(await store.append([event("key.created", "b")], { expected: 1 })).toMatchObject({
        ok: true,
      });
    });

    test("of many who expect the same end exactly one wins", async () => {
      const tries = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          store.append([event("key.created", `k${n}`)], { expected: 0 }),
        ),
      );
      expect(tries.filter(({ ok }) => ok)).toHaveLength(1);
      expect(await store.revision()).toBe(1);
    });

    test("many at once leave no gap and lose none", async () => {
      await Promise.all(
        Array.from({ length: 40 }, (_, n) => store.append([event("key.created", `k${n}`)])),
      );
      const read = await store.events(0, 100);
      expect(read.map(({ revision }) => revision)).toEqual(
        Array.from({ length: 40 }, (_, n) => n + 1),
      );
      expect(new Set(read.map(({ subject }) => subject)).size).toBe(40);
    });

    test("tells whoever follows", async () => {
      let woken = 0;
      const stop = await store.onChange(() => woken++);
      await store.append([event("key.created", "a")]);
      expect(woken).toBeGreaterThan(0);
      stop();
    });
  });

  describe("views", () => {
    test("are what the events left", async () => {
      await store.append([
        event("key.created", "a", { name: "A", rpm: 5 }),
        event("key.created", "b", { name: "B" }),
        event("key.updated", "a", { rpm: 6 }),
        event("key.revoked", "b", { revoked_at: 7 }),
        event("account.created", "a", { provider: "openai" }),
        event("key.seen", "a", { nothing: true }),
      ]);
      const keys = await store.view("key");
      expect([...keys.values()]).toEqual([
        { id: "a", revision: 3, body: { name: "A", rpm: 6 } },
        { id: "b", revision: 4, body: { name: "B", revoked_at: 7 } },
      ]);
      expect(await store.viewRow("account", "a")).toMatchObject({ body: { provider: "openai" } });
      expect(await store.viewRow("key", "c")).toBeUndefined();
    });

    test("what was removed stays away, whatever comes after", async () => {
      await store.append([event("key.created", "a", { name: "A" }), event("key.removed", "a")]);
      await store.append([event("key.updated", "a", { rpm: 1 }), event("key.revoked", "a")]);
      expect(await store.view("key")).toEqual(new Map());
      expect(await store.revision()).toBe(4);
    });

    test("a body's own __proto__ is a member like any other", async () => {
      const body = JSON.parse('{"__proto__": {"admin": true}, "a": 1}') as JsonObject;
      await store.append([event("key.created", "a", body)]);
      const row = await store.viewRow("key", "a");
      expect(Object.keys(row?.body ?? {}).sort()).toEqual(["__proto__", "a"]);
      expect((row?.body as { admin?: boolean }).admin).toBeUndefined();
    });

    test("rebuilt from the log they are the same, and equal to a store in memory", async () => {
      const kinds = ["created", "updated", "removed", "set", "disabled", "enabled", "other"];
      const change = fc.tuple(
        fc.constantFrom("key", "budget", "account"),
        fc.constantFrom(...kinds),
        fc.constantFrom("a", "b", "c"),
        fc.dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 }),
      );
      const model = memoryStore();
      await fc.assert(
        fc.asyncProperty(fc.array(change, { maxLength: 12 }), async (changes) => {
          const events = changes.map(([view, verb, id, body]) =>
            event(`${view}.${verb}`, id, body as JsonObject),
          );
          await model.append(events);
          await store.append(events);
          for (const view of ["key", "budget", "account"]) {
            expect(await store.view(view)).toEqual(await model.view(view));
          }
        }),
        { numRuns: name === "postgres" ? 15 : 40 },
      );
      await store.rebuild();
      for (const view of ["key", "budget", "account"]) {
        expect(await store.view(view)).toEqual(await model.view(view));
      }
    });
  });

  describe("the audit log", () => {
    const entry = { at: 5, actor: "ann", action: "key.create", subject: "a", detail: '{"x":1}' };

    test("is chained from the first record on", async () => {
      const first = await store.audit(entry);
      const second = await store.audit({ ...entry, subject: "b" });
      expect(first).toEqual(link(entry, EMPTY_HEAD, undefined));
      expect(second.prev).toBe(first.hash);
      expect(await store.auditRecords(0, 10)).toEqual([first, second]);
      expect(await store.auditHead()).toEqual({ seq: 2, hash: second.hash });
    });

    test("is written with the events it is about", async () => {
      await store.append([event("key.created", "a")], { audit: entry });
      expect((await store.auditRecords(0, 10)).map(({ action }) => action)).toEqual(["key.create"]);
    });

    test("many at once are one sound chain", async () => {
      await Promise.all(Array.from({ length: 30 }, (_, n) => store.audit({ ...entry, at: n })));
      expect(await verifyAudit(store, { key: undefined })).toMatchObject({
        sound: 30,
        broken: undefined,
      });
    });
  });

  describe("registers", () => {
    const register = (key: string, stamp: string, value?: string): RegisterEntry => ({
      ...{ key, stamp, value },
    });
    const stamp = (n: number) => `${n.toString(16).padStart(12, "0")}0000-n1`;

    test("keep what wins and answer what was news", async () => {
      const [old, late] = [register("a", stamp(1), "1"), register("a", stamp(2), "2")];
      expect(await store.mergeRegisters([late])).toEqual([late]);
      expect(await store.mergeRegisters([old, late])).toEqual([]);
      expect((await store.registersAfter(0, 10)).entries).toEqual([late]);
    });

    test("a tombstone stays, and an older value does not come back", async () => {
      const dead = register("a", stamp(2));
      await store.mergeRegisters([register("a", stamp(1), "1"), dead]);
      expect(await store.mergeRegisters([register("a", stamp(1), "1")])).toEqual([]);
      expect((await store.registersAfter(0, 10)).entries).toEqual([dead]);
      expect(await store.pruneRegisters(stamp(2))).toBe(0);
      expect(await store.pruneRegisters(stamp(3))).toBe(1);
      expect((await store.registersAfter(0, 10)).entries).toEqual([]);
    });

    test("pages go on where the last one ended, with what changed since", async () => {
      await store.mergeRegisters(["a", "b", "c"].map((key, n) => register(key, stamp(n), key)));
      const first = await store.registersAfter(0, 2);
      expect(first.entries.map(({ key }) => key)).toEqual(["a", "b"]);
      await store.mergeRegisters([register("a", stamp(9), "again")]);
      const rest = await store.registersAfter(first.cursor, 10);
      expect(rest.entries.map(({ key }) => key)).toEqual(["c", "a"]);
      expect(await store.registersAfter(rest.cursor, 10)).toEqual({
        entries: [],
        cursor: rest.cursor,
      });
    });
  });

  test("a fact is taken once, however often it comes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(entries, { maxLength: 8 }), async (batch) => {
        const again = await store.appendFacts(batch);
        expect(again).toBeLessThanOrEqual(new Set(batch.map(({ fact }) => fact.id)).size);
        expect(await store.appendFacts(batch)).toBe(0);
      }),
      { numRuns: name === "postgres" ? 10 : 30 },
    );
  });
});
