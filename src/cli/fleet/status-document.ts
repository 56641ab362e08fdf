import type { ConfigSource } from "../../config/config.ts";
import type { Ms } from "../../core/units.ts";
import { VERSION } from "../../core/version.ts";
import type { DatabaseStanding } from "./database-standing.ts";
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
  /** Null where no database is shared with other nodes. */
  readonly database: DatabaseStanding | null;
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
  readonly database: DatabaseStanding | undefined;
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
    database: facts.database ?? null,
  };
}

/** The same for a person. */
export function statusText(status: StatusDocument): string {
  const { pid, version, state, url, generation, workers } = status;
  const lines = [
    `${url}  pid ${pid}, interlock ${version}, ${state}`,
    row("uptime", `${status.uptime_seconds} s`),
    row("config", `${status.config}, generation ${generation}`),
    row("metrics", status.metrics_port === null ? "off" : `port ${status.metrics_port}`),
    ...(status.database === null ? [] : [row("database", databaseText(status.database))]),
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

function row(name: string, text: string): string {
  return `  ${name.padEnd(11)} ${text}`;
}

function workerRow(worker: WorkerHealth): string {
  const { pid, state, generation, uptime_seconds, requests_in_flight, restarts } = worker;
  const more = restarts === 0 ? "" : `, restarted ${restarts} times`;
  const work = `${state}, generation ${generation}, ${requests_in_flight} requests in flight`;
  return row(pid === 0 ? "-" : `pid ${pid}`, `${work}, up ${uptime_seconds} s${more}`);
}
