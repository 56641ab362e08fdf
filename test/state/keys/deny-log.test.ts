import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  denyLine,
  denyText,
  emptyDenyState,
  freshLine,
  readDenyLines,
  restoreLine,
} from "../../../src/state/keys/deny-log.ts";
import { type DenyReason, readReason, readTenant } from "../../../src/state/keys/deny-source.ts";

const U64 = 2n ** 64n - 1n;
const tenant = fc.oneof(fc.bigInt({ min: 0n, max: 9n }), fc.bigInt({ min: 0n, max: U64 }));
const reason = fc.constantFrom<DenyReason>("spend", "fraud", "other");
const change = fc.record({ tenant, reason: fc.option(reason) });

test("a log comes to what a map comes to, also cut in pieces, also written anew half-way", () => {
  fc.assert(
    fc.property(fc.array(change), fc.nat(), (changes, cut) => {
      const right = new Map<bigint, DenyReason>();
      let text = "";
      for (const [at, { tenant, reason }] of changes.entries()) {
        const revision = BigInt(at + 1);
        if (reason === null) right.delete(tenant);
        else right.set(tenant, reason);
        text +=
          reason === null ? restoreLine(tenant, revision) : denyLine(tenant, reason, revision);
        if (at === cut % 50) {
          const half = emptyDenyState();
          readDenyLines(text, half);
          text = denyText({ ...half, freshWall: 1 });
        }
      }
      const state = emptyDenyState();
      const lines = text.split("\n").map((line) => `${line}\n`);
      for (const line of lines) readDenyLines(line, state);
      expect(new Map([...state.denied].sort())).toEqual(new Map([...right].sort()));
      expect([state.revision, state.unreadable]).toEqual([BigInt(changes.length), 0]);
    }),
  );
});

test("a log by hand needs neither revisions nor order, and may explain itself", () => {
  const state = emptyDenyState();
  readDenyLines("# ours\n\n  deny 1 spend\r\ndeny 2\ndeny\t3  fruad\n restore 1 \n", state);
  expect([...state.denied]).toEqual([
    [2n, "other"],
    [3n, "other"],
  ]);
  expect([state.revision, state.freshWall, state.unreadable]).toEqual([0n, undefined, 0]);
});

test.each([
  "deny",
  "deny x spend",
  "deny -1 spend",
  "deny 1.5",
  "deny 0x10",
  "deny 01 spend",
  `deny ${U64 + 1n} spend`,
  "deny 1 spend x",
  "restore",
  "restore all",
  "forgive 1",
  "fresh soon 1",
  "DENY 1 spend",
])("what says nothing is counted and changes nothing: %p", (line) => {
  const state = emptyDenyState();
  readDenyLines(`${line}\n`, state);
  expect({ ...state }).toEqual({ ...emptyDenyState(), unreadable: 1 });
});

test("when the source was in step is the last thing that says so", () => {
  const state = emptyDenyState();
  readDenyLines(freshLine(5_000.7, 3n) + freshLine(9_000, 4n), state);
  expect([state.freshWall, state.revision]).toEqual([9_000, 4n]);
});

test("any text is read without an exception", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      readDenyLines(text, emptyDenyState());
    }),
  );
});

test("tenants are the numbers of 64 bits, spelled in one way", () => {
  fc.assert(fc.property(fc.bigInt({ min: 0n, max: U64 }), (n) => readTenant(`${n}`) === n));
  for (const text of ["", " 1", "1 ", "+1", "00", "1e3", `${U64 + 1n}`, "9".repeat(99)]) {
    expect(readTenant(text)).toBeUndefined();
  }
});

test("a reason nobody knows still denies", () => {
  expect(["spend", "fraud", "Spend", "", 7, null].map(readReason)).toEqual([
    "spend",
    "fraud",
    ...Array<DenyReason>(4).fill("other"),
  ]);
});
