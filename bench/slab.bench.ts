import { bench, do_not_optimize, group } from "mitata";
import { budgetLimit } from "../src/state/slab/budget.ts";
import { readFacts, releaseFacts } from "../src/state/slab/facts.ts";
import { Guard } from "../src/state/slab/guard.ts";
import { DEFAULT_SIZES, KIND, type SlabSizes } from "../src/state/slab/layout.ts";
import { type Ask, Limits } from "../src/state/slab/limits.ts";
import { slabInMemory } from "../src/state/slab/open.ts";
import { requestLimit, tokenLimit } from "../src/state/slab/rate.ts";
import { SharedCells } from "../src/state/slab/shared-cells.ts";
import { digestOf, type Slab } from "../src/state/slab/slab.ts";
import { slotLimit } from "../src/state/slab/slots.ts";
import { joinSlab } from "../src/state/slab/stations.ts";
import { findRow } from "../src/state/slab/table.ts";
import { HeapCells } from "../src/telemetry/cells.ts";

// What one request costs to be counted by, on memory of this process: mapped memory is the same.
function slabOf(sizes: Partial<SlabSizes> = {}): Slab {
  return slabInMemory({ sizes: { ...DEFAULT_SIZES, ...sizes }, bootId: "bench", seed: 5n });
}

const slab = slabOf();
const actor = joinSlab(slab, { pid: 1, born: 1 })!;
const limits = new Limits(actor);
const periodAt = (): number => 24_310;
const every: Ask["limits"] = [
  requestLimit(slab, "key", { perMinute: 1e8 }),
  tokenLimit(slab, "key", { perMinute: 1e9, burst: 1e12 }),
  slotLimit(slab, "key", 1e6),
  budgetLimit(slab, "key", { unit: "nano", max: 9e15, scheme: "monthly", periodAt }),
];
const spent = budgetLimit(slab, "spent", { unit: "nano", max: 0, scheme: "monthly", periodAt });
const cost = { tokens: 1000, nano: 5_000_000, inputTokens: 100, inputNano: 500_000 };
const parts = { outputNanoPerMillion: 15e9, priceKey: 1, tag: new Uint8Array(48), wall: 1e12 };
const fact = new Uint8Array(300);
let now = 5_000_000_000_000n;
let turn = 0;

function askFor(list: Ask["limits"]): Ask {
  now += 10_000n;
  return { limits: list, ...cost, ...parts, nowNs: now };
}

function visit(list: Ask["limits"], kept: Uint8Array | undefined): void {
  const admitted = limits.admit(askFor(list));
  if (admitted.kind === "refused") throw new Error("refused");
  limits.settle(admitted, {
    tokens: 500,
    nano: 2_500_000,
    estimated: false,
    nowNs: now,
    fact: kept,
  });
  if (kept === undefined || (++turn & 1023) !== 0) return;
  releaseFacts(
    slab,
    readFacts(slab, { station: actor.station, max: Infinity }, () => {}),
  );
}

group("slab, one request", () => {
  bench("admit + settle: rpm, tpm, concurrency, budget, a fact", () => visit(every, fact));
  bench("the same without a fact", () => visit(every, undefined));
  bench("admit + settle: rpm alone", () => visit([every[0]!], undefined));
  bench("refused by the last of five", () => {
    do_not_optimize(limits.admit(askFor([...every, spent])));
  });
});

group("slab, find a key's row", () => {
  for (const keys of [10, 1000, 100_000, 1_000_000]) {
    const table = slabOf({ limitRows: keys, records: 16, metricCells: 16 });
    const digests = Array.from({ length: Math.min(keys, 4096) }, (_, at) => {
      return digestOf(table, `key ${at}`);
    });
    for (let at = 0; at < keys; at++) findRow(table, digestOf(table, `key ${at}`), KIND.slots);
    let at = 0;
    bench(`of ${keys.toLocaleString("en")}`, () => {
      at = (at + 1) % digests.length;
      do_not_optimize(findRow(table, digests[at]!, KIND.slots));
    });
  }
});

group("slab, guard before verification", () => {
  const guard = new Guard(slab, 1e9);
  bench("an address", () => do_not_optimize(guard.allows("203.0.113.7", 1e9, now)));
  bench("one that is over its rate", () => {
    do_not_optimize(guard.allows("203.0.113.8", 0, now));
  });
});

group("slab, a counter of the metrics", () => {
  const shared = new SharedCells(actor);
  const heap = new HeapCells();
  const [there, here] = [shared.claim("bench", 1), heap.claim("bench", 1)];
  bench("shared by all processes", () => shared.add(there, 1));
  bench("of this process", () => heap.add(here, 1)).baseline(true);
});
