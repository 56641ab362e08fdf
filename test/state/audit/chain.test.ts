import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type AuditRecord,
  ChainCheck,
  type ChainKey,
  EMPTY_HEAD,
  link,
} from "../../../src/state/audit/chain.ts";

const KEY = new TextEncoder().encode("a key that only the gateway has");
const RECORDS = 5000;

function chain(count: number, key: ChainKey): AuditRecord[] {
  const records: AuditRecord[] = [];
  for (let n = 0; n < count; n++) {
    const entry = {
      at: n,
      actor: "ann",
      action: "key.create",
      subject: `k${n}`,
      detail: `{"n":${n}}`,
    };
    records.push(link(entry, records.at(-1) ?? EMPTY_HEAD, key));
  }
  return records;
}
function verdict(records: readonly AuditRecord[], head: AuditRecord, key: ChainKey) {
  const check = new ChainCheck(key);
  return check.feed(records) ?? check.end(head);
}

describe.each([
  ["with a key", KEY],
  ["without one", undefined],
] as const)("%s", (_, key) => {
  const whole = chain(RECORDS, key);
  const head = whole.at(-1)!;

  test("a chain nobody touched is sound, however it is read", () => {
    expect(verdict(whole, head, key)).toBeUndefined();
    const check = new ChainCheck(key);
    for (let at = 0; at < RECORDS; at += 777)
      expect(check.feed(whole.slice(at, at + 777))).toBeUndefined();
    expect(check.end(head)).toBeUndefined();
  });

  // Five records stand for the chain around the one that is touched: reading all of it each time
  // would be 25 million hashes. The checks below over the whole chain say that its length is no matter.
  const SHORT = 5;
  const short = chain(SHORT, key);
  function verdictAfter(change: (records: readonly AuditRecord[]) => AuditRecord[]) {
    return verdict(change(short), short.at(-1)!, key);
  }

  test("a record deleted anywhere is found where it was", () => {
    for (let at = 0; at < SHORT; at++) {
      expect(verdictAfter((records) => records.toSpliced(at, 1))?.seq).toBe(at + 1);
    }
    for (let at = 0; at < RECORDS; at += 97) {
      expect(verdict(whole.toSpliced(at, 1), head, key)?.seq).toBe(at + 1);
    }
  });

  test("one edited in any part is found where it is", () => {
    const edits: readonly Partial<AuditRecord>[] = [
      ...[{ at: 1e9 }, { actor: "eve" }, { action: "none" }, { subject: "x" }, { detail: "{}" }],
      ...[{ prev: "f".repeat(64) }, { hash: "f".repeat(64) }],
    ];
    for (const edit of edits) {
      for (let at = 0; at < SHORT; at++) {
        const broken = verdictAfter((records) => records.with(at, { ...records[at]!, ...edit }));
        expect(broken).toEqual({ seq: at + 1, why: "changed" });
      }
    }
    for (let at = 0; at < RECORDS; at += 97) {
      const edited = whole.with(at, { ...whole[at]!, ...edits[at % edits.length]! });
      expect(verdict(edited, head, key)).toEqual({ seq: at + 1, why: "changed" });
    }
  });

  test("two that changed places are found", () => {
    fc.assert(
      fc.property(fc.nat(RECORDS - 2), (at) => {
        const swapped = [...whole.slice(0, at), whole[at + 1]!, whole[at]!, ...whole.slice(at + 2)];
        expect(verdict(swapped, head, key)?.seq).toBe(at + 1);
      }),
      { numRuns: 20 },
    );
  });

  test("a chain that was cut off is found by its head", () => {
    for (const left of [0, 1, 2500, RECORDS - 1]) {
      expect(verdict(whole.slice(0, left), head, key)).toEqual({ seq: left + 1, why: "cut_off" });
    }
  });

  test("a record that was put behind the head is found", () => {
    const more = link(whole[0]!, head, key);
    expect(verdict([...whole, more], head, key)).toEqual({ seq: RECORDS + 1, why: "beyond_head" });
  });
});

test("a chain made anew without the key is found at its first record", () => {
  const [real, forged] = [chain(10, KEY), chain(10, undefined)];
  expect(verdict(forged, forged.at(-1)!, KEY)).toEqual({ seq: 1, why: "changed" });
  expect(verdict(real, real.at(-1)!, KEY)).toBeUndefined();
});

test("a record that was edited and given a new hash is found by the one after it", () => {
  const records = chain(10, undefined);
  const forged = link({ ...records[4]!, actor: "eve" }, records[3]!, undefined);
  const broken = verdict(records.with(4, forged), records.at(-1)!, undefined);
  expect(broken).toEqual({ seq: 6, why: "changed" });
});

test("where one part ends and the next begins is in the hash", () => {
  const entry = { at: 1, subject: "s", detail: "{}" };
  const [a, b] = [
    link({ ...entry, actor: "ab", action: "c" }, EMPTY_HEAD, KEY),
    link({ ...entry, actor: "a", action: "bc" }, EMPTY_HEAD, KEY),
  ];
  expect(a.hash).not.toBe(b.hash);
});

test("two records never spell the same text", () => {
  const texts = fc.string({ maxLength: 6, unit: fc.constantFrom("1", ":", ",", "a") });
  const entry = fc.record({
    ...{ at: fc.nat(20), actor: texts, action: texts, subject: texts, detail: texts },
  });
  fc.assert(
    fc.property(entry, entry, (a, b) => {
      const same = JSON.stringify(a) === JSON.stringify(b);
      expect(link(a, EMPTY_HEAD, KEY).hash === link(b, EMPTY_HEAD, KEY).hash).toBe(same);
    }),
    { numRuns: 5000 },
  );
});
