import { LEDGER } from "../../state/slab/layout.ts";
import type { LedgerView } from "../../state/slab/ledger-desk.ts";
import type { Registry } from "../../telemetry/registry.ts";

/** What the ledger's keeper tells a scraper. */
export interface LedgerCounts {
  /** Undefined where nothing was ever kept. */
  readonly view: LedgerView | undefined;
  readonly restarts: number;
}

type Count = "written" | "twice" | "lost" | "skipped" | "failures";

const COUNTS: readonly (readonly [Count, name: string, help: string])[] = [
  ["written", "facts_written", "Facts of usage that are in the ledger."],
  ["twice", "facts_twice", "Facts that were there already after a writer had been killed."],
  ["lost", "facts_lost", "Facts that no ledger takes. It should stay 0."],
  ["skipped", "facts_skipped", "Requests that were served while there was no room for their fact."],
  ["failures", "write_failures", "Groups of facts that could not be written, and are tried again."],
];

/** How the ledger stands, from what its writer leaves in the shared memory. */
export function registerLedgerMetrics(registry: Registry, ledger: LedgerCounts): void {
  for (const [count, name, help] of COUNTS) {
    registry.sampled({
      ...{ kind: "counter", name: `gateway_ledger_${name}_total`, help, labels: [] },
      read: () => sample(ledger, (view) => view[count]),
    });
  }
  registry.sampled({
    kind: "gauge",
    name: "gateway_ledger_state",
    help: "1 for how the ledger stands: ok, its disk full, another program at its file, or broken.",
    labels: ["state"],
    *read() {
      const state = ledger.view?.state;
      if (state === undefined) return;
      for (const [name, value] of Object.entries(LEDGER)) {
        yield [{ state: name === "healthy" ? "ok" : name }, state === value ? 1 : 0];
      }
    },
  });
  registry.sampled({
    kind: "gauge",
    name: "gateway_ledger_waiting_bytes",
    help: "Bytes of facts on their way to the ledger.",
    labels: [],
    read: () => sample(ledger, ({ waitingBytes }) => waitingBytes),
  });
  registry.sampled({
    kind: "counter",
    name: "gateway_ledger_writer_restarts_total",
    help: "Writers of the ledger that were replaced after they died.",
    labels: [],
    read: () => [[{}, ledger.restarts]],
  });
}

function sample(
  { view }: LedgerCounts,
  read: (view: LedgerView) => number,
): [Record<never, string>, number][] {
  return view === undefined ? [] : [[{}, read(view)]];
}
