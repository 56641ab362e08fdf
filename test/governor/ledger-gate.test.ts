import { describe, expect, test } from "bun:test";
import type { LedgerFailure } from "../../src/config/config.ts";
import { LedgerGate } from "../../src/governor/ledger-gate.ts";
import { LimitBook } from "../../src/governor/limit-book.ts";
import { UNLIMITED } from "../../src/core/limits.ts";
import { LEDGER } from "../../src/state/slab/layout.ts";
import { tellLedger, viewLedger } from "../../src/state/slab/ledger-desk.ts";
import { slabInMemory } from "../../src/state/slab/open.ts";
import { joinSlab } from "../../src/state/slab/stations.ts";

const NOW = 5_000_000_000n;

function rig(failure: LedgerFailure, shared = true) {
  const sizes = {
    ...{ limitRows: 8, records: 64, stations: 2, ringBytes: 1 << 12, factBytes: 256 },
    ...{ metricCells: 8, guardWidth: 16 },
  };
  const slab = slabInMemory({ sizes, bootId: "boot", seed: 1n });
  const book = new LimitBook(joinSlab(slab, { pid: 1, born: 1 })!, { shared });
  const gate = new LedgerGate(book, failure);
  let asked = 0;
  return {
    slab,
    judge: (key: string | undefined, nano = 1, ms = 0) =>
      gate.judge({
        ...{ key, nowNs: NOW + BigInt(ms) * 1_000_000n },
        nano: () => (asked++, nano),
      }),
    asked: () => asked,
    tell: (state: (typeof LEDGER)[keyof typeof LEDGER]) => tellLedger(slab, state, NOW),
    /** Facts until none finds room. */
    fill() {
      const key = { id: "k", limits: UNLIMITED };
      const none = { inputTokens: 0, tokens: 0, inputNano: 0, nano: 0, outputNanoPerMillion: 0 };
      const instant = { nowNs: NOW, wall: 1 };
      while (book.flush() === 0) {
        const taken = book.admit({ key, ...none, tag: new Uint8Array(1) }, instant);
        if (!("admitted" in taken)) throw new Error("refused");
        const settled = { tokens: 0, nano: 0, estimated: false };
        book.settle(taken, { settled, nowNs: NOW, fact: new Uint8Array(200) });
      }
    },
  };
}

describe("while the ledger takes facts", () => {
  test("everybody starts, and nobody's price is asked for", () => {
    const { judge, asked } = rig({ mode: "strict" });
    expect([judge("k"), judge(undefined)]).toEqual(["kept", "kept"]);
    expect(asked()).toBe(0);
  });
});

describe.each(["full", "busy", "io"] as const)("while its disk is %s", (state) => {
  test("strict lets no key start, and does as soon as it is over", () => {
    const { judge, tell } = rig({ mode: "strict" });
    tell(LEDGER[state]);
    expect(judge("k")).toBe("refused");
    tell(LEDGER.healthy);
    expect(judge("k")).toBe("kept");
  });

  test("grace lets each key go on for its time and its money", () => {
    const { judge, tell } = rig({ mode: "grace", graceMs: 1000, capNano: 10 });
    tell(LEDGER[state]);
    expect([judge("k", 10), judge("k", 1), judge("other", 1)]).toEqual([
      ...["kept", "refused", "kept"],
    ] as const);
    expect(judge("other", 1, 999)).toBe("kept");
    expect(judge("other", 1, 1000)).toBe("refused");
  });
});

test("a ledger that was asked for and has no place lets no key start, and everybody else", () => {
  const { judge } = rig({ mode: "grace", graceMs: 1000, capNano: 10 }, false);
  expect([judge("k"), judge(undefined)]).toEqual(["refused", "unkept"]);
});

test("grace ends where facts find no room any more", () => {
  const { judge, tell, fill } = rig({ mode: "grace", graceMs: 1000, capNano: 10 });
  tell(LEDGER.full);
  expect(judge("k")).toBe("kept");
  fill();
  expect(judge("k")).toBe("refused");
});

test("where there are no keys everybody starts, and what leaves no fact is counted", () => {
  const { judge, tell, fill, slab } = rig({ mode: "strict" });
  tell(LEDGER.full);
  expect(judge(undefined)).toBe("kept");
  fill();
  expect([judge(undefined), judge(undefined)]).toEqual(["unkept", "unkept"]);
  expect(viewLedger(slab).skipped).toBe(2);
});
