import type { Config } from "../../config/config.ts";
import type { Ms } from "../../core/units.ts";
import { VERSION } from "../../core/version.ts";
import { type DataListener, listen } from "../../gateway/listener.ts";
import { logBug } from "../../gateway/log-bug.ts";
import { keepHeap } from "../../runtime/heap.ts";
import type { BufferedLog } from "../../runtime/log.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { drain } from "../drain.ts";
import type { LimitBook } from "../../governor/limit-book.ts";
import { denials } from "../denials.ts";
import { openLimits } from "../limits.ts";
import { storedKeys } from "../stored-keys.ts";
import { stateDirectory } from "./state-directory.ts";
import { Engine, type Prepared } from "./engine.ts";
import { type FleetHealth, mergeHealth, type WorkerHealth } from "./merge-health.ts";
import {
  DONE,
  failed,
  type Manner,
  type Plan,
  type Report,
  type Serving,
  type Verdict,
} from "./serving.ts";
import { steer, unsteer } from "./steer.ts";

/** What does not reach the ledger by then is found in the shared memory by the next start. */
const ACCOUNT_MS: Ms = 2000;
const ACCOUNT_LOOK_MS: Ms = 10;

export interface LocalOptions {
  readonly config: Config;
  readonly runtime: Runtime;
  readonly log: BufferedLog;
  readonly generation: number;
  /** The port, where the configuration leaves it to chance. */
  readonly port: number;
}

/** This process serving the data port itself. */
export class Local implements Serving {
  readonly listeners = 1;
  readonly workerPids: readonly number[] = [];
  onPids: (() => void) | undefined;
  readonly broken = Promise.withResolvers<string>().promise; // This process would be the one.
  readonly #runtime: Runtime;
  readonly #log: BufferedLog;
  readonly #engine: Engine;
  readonly #data: DataListener;
  readonly #hurry = Promise.withResolvers<void>();
  #limits: LimitBook | undefined;
  #generation: number;
  #drainMs: Ms;
  #next: { readonly plan: PlanHere; readonly prepared: Prepared } | undefined;
  #isEnding = false;

  /** @throws when the address cannot be bound (`code` EADDRINUSE, EACCES, EADDRNOTAVAIL). */
  constructor({ config, runtime, log, generation, port }: LocalOptions) {
    this.#runtime = runtime;
    this.#log = log;
    this.#generation = generation;
    this.#drainMs = config.server.drainMs;
    const directory = stateDirectory(process.env);
    const { slicePart } = config.state;
    const book = () => (this.#limits ??= openLimits({ directory, port, runtime, slicePart }));
    const askFor = () => this.#engine.askForStoredKeys();
    const stored = storedKeys({ directory, config }, runtime, askFor);
    const logLinesDropped = () => log.linesDropped;
    const denied = denials({ ...runtime, directory, port, state: config.state });
    const stated = { book, stored, denied };
    this.#engine = new Engine(config, { runtime, logLinesDropped, ...stated });
    const { current, watch } = this.#engine;
    this.#data = listen({ current, watch, port, shared: true, log });
    keepHeap(runtime.clock);
  }

  get url(): URL {
    return this.#data.url;
  }

  async prepare(plan: PlanHere): Promise<Verdict> {
    this.discard();
    try {
      this.#next = { plan, prepared: this.#engine.prepare(plan.config) };
      return DONE;
    } catch (bug) {
      logBug(this.#log, bug);
      return failed("it is valid and cannot be built, which is a bug: see the log");
    }
  }

  async commit(): Promise<Verdict> {
    if (this.#next === undefined) return failed("nothing was prepared");
    const { plan, prepared } = this.#next;
    this.#next = undefined;
    this.#engine.commit(prepared);
    this.#generation = plan.generation;
    this.#drainMs = plan.config.server.drainMs;
    this.#log.setLevel(plan.config.logLevel);
    return DONE;
  }

  discard(): void {
    if (this.#next !== undefined) this.#engine.discard(this.#next.prepared);
    this.#next = undefined;
  }

  metrics(): string {
    return this.#engine.metrics();
  }

  health(): FleetHealth {
    const document = this.#engine.health();
    return mergeHealth({
      version: VERSION,
      uptimeMs: this.#uptimeMs(),
      draining: this.#isEnding,
      generation: this.#generation,
      workers: this.workers(),
      documents: [document],
      ownBytes: 0,
    });
  }

  workers(): readonly WorkerHealth[] {
    const { requests_in_flight, memory_bytes } = this.#engine.health();
    const worker: WorkerHealth = {
      pid: process.pid,
      state: this.#isEnding ? "draining" : "serving",
      generation: this.#generation,
      uptime_seconds: Math.round(this.#uptimeMs() / 1000),
      requests_in_flight,
      memory_bytes,
      restarts: 0,
    };
    return [worker];
  }

  report(): Report {
    return {
      generation: this.#generation,
      uptimeMs: this.#uptimeMs(),
      metrics: this.#engine.metrics(),
      health: this.#engine.health(),
    };
  }

  hold(): void {} // One process has no places to fill.

  async steer(first: number | undefined): Promise<boolean> {
    const { port } = this.#data;
    return first === undefined ? unsteer(port) : steer(port, first);
  }

  async end(manner: Manner): Promise<number> {
    this.#isEnding = true;
    const { clock } = this.#runtime;
    const cut = await drain({
      engine: this.#engine,
      data: this.#data,
      clock,
      drainMs: this.#drainMs,
      manner,
      hurry: this.#hurry.promise,
    });
    await this.#accounted();
    return cut;
  }

  /** What was cut off settles, and facts find room in the ring, while somebody still writes. */
  async #accounted(): Promise<void> {
    const { clock } = this.#runtime;
    for (let waited = 0; waited < ACCOUNT_MS && this.#limits?.isOwing; waited += ACCOUNT_LOOK_MS) {
      await new Promise<void>((resolve) => clock.after(ACCOUNT_LOOK_MS, resolve));
    }
  }

  abandon(): void {
    this.#data.cut();
  }

  hurry(): void {
    this.#hurry.resolve();
  }

  #uptimeMs(): Ms {
    return this.#runtime.clock.now() - this.#engine.current().startedAt;
  }
}

/** What preparing here takes of a plan. */
type PlanHere = Pick<Plan, "generation" | "config">;
