import { LEDGER } from "../../state/slab/layout.ts";
import type { LedgerView } from "../../state/slab/ledger-desk.ts";
import type { Registry } from "../../telemetry/registry.ts";

/** What the ledger's keeper tells a scraper. */
export interface LedgerCounts {
  /** Undefined where nothing was ever kept. */
  readonly view: LedgerView | undefined;
  readonly restarts: number;
}

const STATES = [
  ["ok", LEDGER.healthy],
  ["full", LEDGER.full],
  ["busy", LEDGER.busy],
  ["io", LEDGER.io],
] as const;

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
      for (const [name, value] of STATES) yield [{ state: name }, state === value ? 1 : 0];
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

/** How the ledger stands, for `interlock status`. */
export interface LedgerStanding {
  readonly state: "ok" | "full" | "busy" | "io";
  readonly facts_written: number;
  /** Facts that no ledger takes, and requests that were served without one. */
  readonly facts_lost: number;
  readonly facts_skipped: number;
  readonly waiting_bytes: number;
}

/** Undefined where nothing was ever kept. */
export function ledgerStanding({ view }: LedgerCounts): LedgerStanding | undefined {
  if (view === undefined) return undefined;
  return {
    state: STATES.find(([, value]) => value === view.state)?.[0] ?? "io",
    facts_written: view.written,
    facts_lost: view.lost,
    facts_skipped: view.skipped,
    waiting_bytes: view.waitingBytes,
  };
}

/** In words for a person. */
export function ledgerText(ledger: LedgerStanding): string {
  const { state, facts_written, facts_lost, facts_skipped, waiting_bytes } = ledger;
  const parts = [TEXTS[state], `${facts_written} facts written`];
  if (waiting_bytes > 0) parts.push(`${waiting_bytes} bytes wait`);
  if (facts_lost > 0) parts.push(`${facts_lost} lost`);
  if (facts_skipped > 0) parts.push(`${facts_skipped} requests without one`);
  return parts.join(", ");
}

const TEXTS = {
  ok: "ok",
  full: "its disk is full",
  busy: "another program holds its file",
  io: "it cannot be written",
} as const;
