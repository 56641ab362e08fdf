import type { ConfigSource } from "../../config/config.ts";
import type { Ms } from "../../core/units.ts";
import { VERSION } from "../../core/version.ts";
import type { DatabaseStanding } from "./database-standing.ts";
import type { PeerStanding } from "../peer-link.ts";
import type { ShareStanding } from "../share-keeper.ts";
import { type LedgerStanding, ledgerText } from "./ledger-metrics.ts";
import type { WorkerHealth } from "./merge-health.ts";

/** What `interlock status` shows of one gateway. */
export interface StatusDocument {
  readonly pid: number;
  readonly version: string;
  readonly state: "serving" | "restarting" | "ending";
  readonly generation: number;
  readonly uptime_seconds: number;
  readonly url: string;
  readonly metrics_port: number | null;
  readonly config: string;
  readonly workers_wanted: number;
  readonly workers: readonly WorkerHealth[];
  /** Null where nothing was ever kept. */
  readonly ledger: LedgerStanding | null;
  /** Null where no database is shared with other nodes. */
  readonly database: DatabaseStanding | null;
  /** Null where every node's budgets are its own. */
  readonly budgets: SharedBudgets | null;
  readonly peers: readonly PeerStatus[];
}

/** How another node stands to this one. */
export interface PeerStatus {
  readonly peer: string;
  readonly status: "in_step" | "behind";
  readonly behind_seconds: number;
  readonly problem: string | null;
}

/** How budgets are that several nodes spend from. */
export interface SharedBudgets {
  readonly nodes: number;
  readonly slice_percent: number;
  /** The most by which all nodes together can pass the largest budget, whatever fails. */
  readonly overspend_usd_max: number;
  readonly overspend_tokens_max: number;
}

export interface StatusFacts {
  readonly state: StatusDocument["state"];
  readonly uptimeMs: Ms;
  readonly generation: number;
  readonly url: URL;
  readonly adminPort: number | undefined;
  readonly source: ConfigSource;
  readonly wanted: number;
  readonly workers: readonly WorkerHealth[];
  readonly ledger: LedgerStanding | undefined;
  readonly database: DatabaseStanding | undefined;
  readonly shares: ShareStanding | undefined;
  readonly peers: readonly PeerStanding[];
}

export function statusOf(facts: StatusFacts): StatusDocument {
  const { state, generation, source, wanted, workers } = facts;
  return {
    pid: process.pid,
    version: VERSION,
    state,
    generation,
    uptime_seconds: Math.round(facts.uptimeMs / 1000),
    url: facts.url.href,
    metrics_port: facts.adminPort ?? null,
    config: source.kind === "file" ? source.path : source.kind,
    workers_wanted: wanted,
    workers,
    ledger: facts.ledger ?? null,
    database: facts.database ?? null,
    peers: facts.peers.map(peerStatus),
    budgets: facts.shares === undefined ? null : sharedBudgets(facts.shares),
  };
}

function sharedBudgets(shares: ShareStanding): SharedBudgets {
  return {
    nodes: shares.nodes,
    slice_percent: shares.slicePart * 100,
    overspend_usd_max: shares.overspendNano / NANO,
    overspend_tokens_max: shares.overspendTokens,
  };
}

const NANO = 1e9;

function peerStatus({ peer, isInStep, behindMs, problem }: PeerStanding): PeerStatus {
  const status = isInStep ? "in_step" : "behind";
  return { peer, status, behind_seconds: Math.round(behindMs / 1000), problem: problem ?? null };
}

/** The same for a person. */
export function statusText(status: StatusDocument): string {
  const { pid, version, state, url, generation, workers } = status;
  const lines = [
    `${url}  pid ${pid}, interlock ${version}, ${state}`,
    row("uptime", `${status.uptime_seconds} s`),
    row("config", `${status.config}, generation ${generation}`),
    row("metrics", status.metrics_port === null ? "off" : `port ${status.metrics_port}`),
    ...(status.ledger === null ? [] : [row("ledger", ledgerText(status.ledger))]),
    ...(status.database === null ? [] : [row("database", databaseText(status.database))]),
    ...(status.budgets === null ? [] : [row("budgets", budgetsText(status.budgets))]),
    ...status.peers.map((each) => row("peer", peerText(each))),
    row("workers", `${workers.length} of ${status.workers_wanted}`),
    ...workers.map(workerRow),
  ];
  return `${lines.join("\n")}\n`;
}

function databaseText(database: DatabaseStanding): string {
  const { status, keys_behind_seconds: behind, facts_waiting: facts, problem } = database;
  if (status === "in_step") return "in step";
  const why = problem === null ? "" : `: ${problem}`;
  return `keys as of ${behind} s ago, ${facts} facts waiting${why}`;
}

function peerText({ peer, status, behind_seconds: behind, problem }: PeerStatus): string {
  return status === "in_step" ? `${peer}: in step` : `${peer}: as of ${behind} s ago: ${problem}`;
}

function budgetsText(budgets: SharedBudgets): string {
  const { nodes, slice_percent: percent, overspend_usd_max: usd } = budgets;
  const tokens = budgets.overspend_tokens_max;
  const most = [
    ...(usd > 0 ? [`$${usd.toFixed(2)}`] : []),
    ...(tokens > 0 ? [`${tokens} tokens`] : []),
  ];
  const bound = most.length === 0 ? "nothing" : most.join(" and ");
  const by = nodes === 0 ? "nobody else yet" : `${nodes} node${nodes === 1 ? "" : "s"}`;
  return `shared by ${by}; largest overspend ${bound} (${percent} % of a budget for each node)`;
}

function row(name: string, text: string): string {
  return `  ${name.padEnd(11)} ${text}`;
}

function workerRow(worker: WorkerHealth): string {
  const { pid, state, generation, uptime_seconds, requests_in_flight, restarts } = worker;
  const more = restarts === 0 ? "" : `, restarted ${restarts} times`;
  const work = `${state}, generation ${generation}, ${requests_in_flight} requests in flight`;
  return row(pid === 0 ? "-" : `pid ${pid}`, `${work}, up ${uptime_seconds} s${more}`);
}
