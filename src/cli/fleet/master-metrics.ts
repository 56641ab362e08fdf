import { HeapCells } from "../../telemetry/cells.ts";
import { renderMetrics } from "../../telemetry/exposition.ts";
import type { DenySourceStatus } from "../../state/keys/deny-set.ts";
import { Registry } from "../../telemetry/registry.ts";
import type { DenyKeeper } from "../deny-keeper.ts";
import type { PeerStanding } from "../peer-link.ts";
import type { Peers } from "../peers.ts";
import type { DatabaseStanding } from "./database-standing.ts";
import { type LedgerCounts, registerLedgerMetrics } from "./ledger-metrics.ts";
import type { Reloader } from "./reloader.ts";
import type { Serving } from "./serving.ts";

export interface MasterCounts {
  readonly ledger: LedgerCounts | undefined;
  readonly reloader: Pick<Reloader, "generation" | "counts">;
  readonly serving: Pick<Serving, "workers">;
  readonly denials: Pick<DenyKeeper, "statuses">;
  /** Undefined where no database is shared with other nodes. */
  readonly database: (() => DatabaseStanding) | undefined;
  readonly peers: Pick<Peers, "standings"> | undefined;
}

/** The metrics of reloads and workers, as a function that gives their text now. */
export function createMasterMetrics(counts: MasterCounts): () => string {
  const { reloader, serving, denials, database, ledger } = counts;
  const registry = new Registry(new HeapCells());
  registry.sampled({
    kind: "gauge",
    name: "gateway_config_generation",
    help: "How many configurations have been in effect since the start, this one included.",
    labels: [],
    read: () => [[{}, reloader.generation]],
  });
  registry.sampled({
    kind: "counter",
    name: "gateway_config_reloads_total",
    help: "Reloads asked for, by what they came to.",
    labels: ["result"],
    *read() {
      for (const [result, count] of Object.entries(reloader.counts)) yield [{ result }, count];
    },
  });
  registry.sampled({
    kind: "gauge",
    name: "gateway_workers",
    help: "Processes that serve, by state.",
    labels: ["state"],
    *read() {
      const byState = Map.groupBy(serving.workers(), ({ state }) => state);
      for (const state of ["starting", "serving", "draining", "down"] as const) {
        yield [{ state }, byState.get(state)?.length ?? 0];
      }
    },
  });
  registry.sampled({
    kind: "counter",
    name: "gateway_worker_restarts_total",
    help: "Workers that were replaced after they died.",
    labels: [],
    read: () => [[{}, serving.workers().reduce((sum, { restarts }) => sum + restarts, 0)]],
  });
  registerDenySources(registry, denials);
  if (database !== undefined) addDatabase(registry, database);
  if (counts.peers !== undefined) addPeers(registry, counts.peers);
  if (ledger !== undefined) registerLedgerMetrics(registry, ledger);
  return () => renderMetrics(registry);
}

/** Of each place where it is said which tenants are shut out. */
function registerDenySources(registry: Registry, denials: MasterCounts["denials"]): void {
  const gauge = (name: string, help: string, of: (status: DenySourceStatus) => number): void =>
    registry.sampled({
      ...{ kind: "gauge", name, help, labels: ["source"] },
      *read() {
        for (const status of denials.statuses()) yield [{ source: status.name }, of(status)];
      },
    });
  gauge("gateway_deny_set_size", "Tenants that a source shuts out.", ({ size }) => size);
  gauge("gateway_deny_set_connected", "1 while a source can be read or reached.", ({ broken }) =>
    broken === undefined ? 1 : 0,
  );
  gauge(
    "gateway_deny_set_staleness_seconds",
    "How long ago all that a source says was surely known.",
    ({ stalenessMs }) => stalenessMs / 1000,
  );
}

function addPeers(registry: Registry, peers: Pick<Peers, "standings">): void {
  const gauge = (name: string, help: string, of: (peer: PeerStanding) => number): void =>
    registry.sampled({
      ...{ kind: "gauge", name, help, labels: ["peer"] },
      *read() {
        for (const each of peers.standings()) yield [{ peer: each.peer }, of(each)];
      },
    });
  gauge("gateway_peer_in_step", "1 while all that another node has set is known here.", (of) =>
    Number(of.isInStep),
  );
  gauge(
    "gateway_peer_behind_seconds",
    "How long ago all that another node had set was surely known here.",
    ({ behindMs }) => behindMs / 1000,
  );
  gauge(
    "gateway_peer_clock_skew_seconds",
    "How far another node's clock is ahead of ours; over half a second its settings are refused.",
    ({ skewMs }) => skewMs / 1000,
  );
}

function addDatabase(registry: Registry, standing: () => DatabaseStanding): void {
  const gauge = (name: string, help: string, read: (of: DatabaseStanding) => number): void => {
    const kind = "gauge";
    registry.sampled({ kind, name, help, labels: [], read: () => [[{}, read(standing())]] });
  };
  gauge(
    "gateway_database_in_step",
    "1 while this node and the database it shares with others know the same.",
    ({ status }) => Number(status === "in_step"),
  );
  gauge(
    "gateway_database_keys_behind_seconds",
    "How long ago the keys here were surely all there are in the database.",
    (of) => of.keys_behind_seconds,
  );
  gauge(
    "gateway_database_facts_waiting",
    "Facts of usage in this node's ledger that the database does not have yet.",
    (of) => of.facts_waiting,
  );
}
