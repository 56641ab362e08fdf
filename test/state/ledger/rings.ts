import { type Actor } from "../../../src/state/slab/actor.ts";
import { Limits } from "../../../src/state/slab/limits.ts";
import { slabInMemory } from "../../../src/state/slab/open.ts";
import { joinSlab } from "../../../src/state/slab/stations.ts";
import { RingDrain } from "../../../src/state/ledger/drain.ts";
import { type Entry, FACT_BYTES_MAX } from "../../../src/state/ledger/facts.ts";
import type { LedgerSink } from "../../../src/state/ledger/sink.ts";
import { encodeEntry } from "../../../src/state/ledger/wire.ts";
import type { Clock } from "../../../src/runtime/runtime.ts";

/** Facts on their way through the ring of one process. */
export interface Rings {
  readonly actor: Actor;
  readonly drain: RingDrain;
  readonly lost: string[];
  /** Settles a request with this fact; false when it waits for room. */
  publish(entry: Entry): boolean;
  publishBytes(fact: Uint8Array): boolean;
  flush(): number;
}

export function ringsTo(sink: LedgerSink, clock: Clock, ringBytes = 1 << 20): Rings {
  const sizes = {
    ...{ limitRows: 8, records: 8192, stations: 2, ringBytes, factBytes: FACT_BYTES_MAX },
    ...{ metricCells: 8, guardWidth: 16 },
  };
  const slab = slabInMemory({ sizes, bootId: "boot", seed: 1n });
  const actor = joinSlab(slab, { pid: 1, born: 1 });
  if (actor === undefined) throw new Error("no station is free");
  const limits = new Limits(actor);
  const lost: string[] = [];
  const drain = new RingDrain({ actor, clock, sink, onLost: (why) => lost.push(why) });
  function publishBytes(fact: Uint8Array): boolean {
    const costs = { tokens: 0, nano: 0, inputTokens: 0, inputNano: 0, outputNanoPerMillion: 0 };
    const none = { limits: [], priceKey: 0, tag: new Uint8Array() };
    const admitted = limits.admit({ ...costs, ...none, nowNs: 1n, wall: 1 });
    if (admitted.kind !== "admitted") throw new Error("every record is taken");
    limits.settle(admitted, { tokens: 0, nano: 0, estimated: false, nowNs: 1n, fact });
    return limits.flush() === 0;
  }
  return {
    ...{ actor, drain, lost, publishBytes },
    publish: (entry) => publishBytes(encodeEntry(entry, FACT_BYTES_MAX)),
    flush: () => limits.flush(),
  };
}
