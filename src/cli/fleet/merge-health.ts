import type { Ms } from "../../core/units.ts";
import type { BackendHealth, DetailedHealth, HealthStatus } from "../../telemetry/health.ts";

/** One process that serves, as health and `interlock status` show it. */
export interface WorkerHealth {
  readonly pid: number;
  readonly state: "starting" | "serving" | "draining" | "down";
  readonly generation: number;
  readonly uptime_seconds: number;
  readonly requests_in_flight: number;
  readonly memory_bytes: number;
  /** How often this place has been filled anew after a death. */
  readonly restarts: number;
}

/** `/health?detailed=true` of the whole gateway, however many processes it has. */
export interface FleetHealth extends DetailedHealth {
  /** How many configurations have been in effect, this one included. */
  readonly generation: number;
  readonly workers: readonly WorkerHealth[];
}

export interface FleetFacts {
  readonly version: string;
  readonly uptimeMs: Ms;
  readonly draining: boolean;
  readonly generation: number;
  readonly workers: readonly WorkerHealth[];
  /** What those that answered say of themselves. */
  readonly documents: readonly DetailedHealth[];
  /** Memory of the process that only supervises; 0 where it serves itself. */
  readonly ownBytes: number;
}

/** One document out of many: the worst status, sums, and of each backend the latest news. */
export function mergeHealth(facts: FleetFacts): FleetHealth {
  const { documents, workers } = facts;
  const sum = (read: (each: DetailedHealth) => number): number =>
    documents.reduce((total, each) => total + read(each), 0);
  return {
    status: statusOf(facts),
    version: facts.version,
    uptime_seconds: Math.round(facts.uptimeMs / 1000),
    requests_in_flight: sum((each) => each.requests_in_flight),
    memory_bytes: facts.ownBytes + sum((each) => each.memory_bytes),
    ledger: worstLedger(documents),
    backends: mergeBackends(documents),
    generation: facts.generation,
    workers,
  };
}

/** A place without a process is less than was asked for: degraded, and still serving. */
function statusOf({ draining, workers, documents }: FleetFacts): HealthStatus {
  if (draining) return "draining";
  if (workers.some(({ state }) => state === "down")) return "degraded";
  return documents.some(({ status }) => status === "degraded") ? "degraded" : "ok";
}

/** The worst word first: one who meets a full disk speaks for all. */
const LEDGER_WORDS = ["full", "failing", "ok", "off"] as const;

function worstLedger(documents: readonly DetailedHealth[]): DetailedHealth["ledger"] {
  const said = new Set(documents.map(({ ledger }) => ledger));
  return LEDGER_WORDS.find((word) => said.has(word)) ?? "off";
}

function mergeBackends(documents: readonly DetailedHealth[]): readonly BackendHealth[] {
  const latest = new Map<string, BackendHealth>();
  for (const backend of documents.flatMap((each) => each.backends)) {
    const known = latest.get(backend.name);
    if (known === undefined || ageOf(backend) < ageOf(known)) latest.set(backend.name, backend);
  }
  return [...latest.values()];
}

function ageOf({ observed_seconds_ago: age }: BackendHealth): number {
  return age ?? Infinity;
}
