import type { Config } from "../../config/config.ts";
import type { DetailedHealth } from "../../telemetry/health.ts";
import type { Inputs } from "./inputs.ts";
import type { FleetHealth, WorkerHealth } from "./merge-health.ts";

/** Done, or in words for a person why not. */
export type Verdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export const DONE: Verdict = { ok: true };

export function failed(reason: string): Verdict {
  return { ok: false, reason };
}

/** A configuration on its way in, as read here and as every other process can read it again. */
export interface Plan {
  readonly generation: number;
  readonly config: Config;
  readonly inputs: Inputs;
}

/**
 * How serving ends. `stop`: a second of goodbyes, then nothing new. `handover`: another process
 * listens on the same port and takes the new connections.
 */
export type Manner = { readonly kind: "stop" | "handover" };

/** What one serving process says of itself. */
export interface Report {
  readonly generation: number;
  readonly uptimeMs: number;
  readonly metrics: string;
  readonly health: DetailedHealth;
}

/** What serves the data port: this process, or a supervisor's workers. */
export interface Serving {
  readonly url: URL;
  /** Sockets that share the data port. */
  readonly listeners: number;
  /** Pids of the processes that serve, where they are not this one. */
  readonly workerPids: readonly number[];
  /** Called whenever those have changed. */
  onPids: (() => void) | undefined;
  /** Resolves to a sentence when nothing serves and nothing will. */
  readonly broken: Promise<string>;
  /** First step of a reload: everything is read, checked and built; nothing changes. */
  prepare(plan: Plan): Promise<Verdict>;
  /** Second step: what was prepared serves every request from now on. */
  commit(): Promise<Verdict>;
  /** Forgets what was prepared. */
  discard(): void;
  metrics(): Promise<string> | string;
  health(): Promise<FleetHealth> | FleetHealth;
  workers(): readonly WorkerHealth[];
  /** Nobody takes the place of a process that dies from now on, or again somebody does. */
  hold(still: boolean): void;
  /** Sends new connections to the listener at `first` in order of age, or to all again. */
  steer(first: number | undefined): Promise<boolean>;
  /** Ends it; resolves to how many requests were cut off. */
  end(manner: Manner): Promise<number>;
  /** Ends it at once; nobody was promised an answer yet. */
  abandon(): void;
  /** Whoever waits for the end has lost patience. */
  hurry(): void;
}
