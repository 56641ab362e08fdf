import type { Ms } from "../../core/units.ts";
import { VERSION } from "../../core/version.ts";
import type { Clock, Log } from "../../runtime/runtime.ts";
import { HeapCells } from "../../telemetry/cells.ts";
import { registerProcessMetrics, residentBytes } from "../../telemetry/process-metrics.ts";
import { Registry } from "../../telemetry/registry.ts";
import type { StartOptions } from "../start-options.ts";
import { hostForUrl } from "./address.ts";
import type { Fixed } from "./fixed.ts";
import { type FleetHealth, mergeHealth, type WorkerHealth } from "./merge-health.ts";
import {
  countsOf,
  type Exposition,
  expositionOf,
  mergeExpositions,
  readExposition,
  writeExposition,
} from "./merge-metrics.ts";
import type { Manner, Plan, Report, Serving, Verdict } from "./serving.ts";
import { DONE, failed } from "./serving.ts";
import { Slot } from "./slot.ts";

/** How often workers are asked how they are: what they counted since is lost with a kill -9. */
const LOOK_MS: Ms = 2000;
/** A scrape waits this long for a worker, and then shows what it said last. */
const REPORT_LIMIT_MS: Ms = 1000;
/** An event loop that has not turned for so long never will. */
const STUCK_MS: Ms = 30_000;
const STEP_LIMIT_MS: Ms = 15_000;
/** Beyond what draining itself may take. */
const END_MARGIN_MS: Ms = 40_000;
const HURRY_MS: Ms = 2000;

export interface CrewOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly options: StartOptions;
  readonly plan: Plan;
  readonly fixed: Fixed;
  /** The port, where the configuration leaves it to chance. */
  readonly port: number;
}

/** A supervisor's workers, all listening on one port. */
export class Crew implements Serving {
  readonly url: URL;
  onPids: (() => void) | undefined;
  readonly #options: CrewOptions;
  readonly #slots: readonly Slot[];
  readonly #startedAt: Ms;
  readonly #own: Registry;
  #plan: Plan;
  #next: Plan | undefined;
  #gone: Exposition = new Map();
  #isEnding = false;
  readonly #broken = Promise.withResolvers<string>();

  constructor(options: CrewOptions) {
    const { clock, log, env, fixed, port, plan } = options;
    this.#options = options;
    this.#plan = plan;
    this.#startedAt = clock.now();
    this.url = new URL(`http://${hostForUrl(fixed.host)}:${port}/`);
    this.#own = new Registry(new HeapCells());
    registerProcessMetrics(this.#own, clock.wall());
    const order = () => {
      const { generation, inputs } = this.#plan;
      return { options: options.options, generation, inputs, fixed, port };
    };
    const onDeath = (last: Report | undefined): void => this.#bury(last);
    const onOpen = (slot: Slot): void => {
      this.onPids?.();
      void this.#catchUp(slot);
    };
    const slot = { clock, log, env, order, onDeath, onOpen };
    this.#slots = Array.from({ length: fixed.workers }, () => new Slot(slot));
  }

  /** Starts every worker; a sentence when one cannot serve, and then none is left. */
  async open(): Promise<Verdict> {
    const verdicts = await Promise.all(this.#slots.map((slot) => slot.fill()));
    const first = verdicts.find((verdict) => !verdict.ok);
    if (first !== undefined) {
      this.abandon();
      return first;
    }
    await this.#reports();
    this.#options.clock.after(LOOK_MS, () => void this.#look());
    return DONE;
  }

  get listeners(): number {
    return this.#serving().length;
  }
  get workerPids(): readonly number[] {
    return this.#slots.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }
  get broken(): Promise<string> {
    return this.#broken.promise;
  }

  async prepare(plan: Plan): Promise<Verdict> {
    this.#next = plan;
    const { generation, inputs } = plan;
    const serving = this.#serving();
    const answers = await Promise.all(
      serving.map((slot) => slot.ask("prepare", { generation, inputs }, STEP_LIMIT_MS)),
    );
    const silent = serving.find((_slot, at) => answers[at] === undefined);
    if (silent !== undefined) return failed(`worker ${silent.pid} does not answer`);
    return answers.find((answer) => answer?.ok === false) ?? DONE;
  }

  async commit(): Promise<Verdict> {
    if (this.#next === undefined) return failed("nothing was prepared");
    this.#plan = this.#next; // Before the first await: who is spawned from here on gets it.
    this.#next = undefined;
    const swap = async (slot: Slot): Promise<void> => {
      const answer = await slot.ask("commit", {}, STEP_LIMIT_MS);
      if (answer?.ok !== true) slot.kill(); // Its replacement begins with the new one.
    };
    await Promise.all(this.#serving().map(swap));
    await this.#reports();
    return DONE;
  }

  discard(): void {
    this.#next = undefined;
    for (const slot of this.#serving()) void slot.ask("discard", {}, STEP_LIMIT_MS);
  }

  async metrics(): Promise<string> {
    const reports = await this.#reports();
    const read = reports.map(({ metrics }) => readExposition(metrics));
    const all = [this.#gone, ...read, expositionOf(this.#own)];
    return writeExposition(mergeExpositions(all, "processes"));
  }

  async health(): Promise<FleetHealth> {
    const reports = await this.#reports();
    return mergeHealth({
      version: VERSION,
      uptimeMs: this.#options.clock.now() - this.#startedAt,
      draining: this.#isEnding,
      generation: this.#plan.generation,
      workers: this.workers(),
      documents: reports.map(({ health }) => health),
      ownBytes: residentBytes(),
    });
  }

  workers(): readonly WorkerHealth[] {
    return this.#slots.map((slot) => slot.health());
  }

  hold(still: boolean): void {
    for (const slot of this.#slots) slot.hold(still);
  }

  async steer(first: number | undefined): Promise<boolean> {
    const [slot] = this.#serving();
    return (await slot?.ask("steer", { first }, REPORT_LIMIT_MS))?.ok === true;
  }

  async end(manner: Manner): Promise<number> {
    this.#isEnding = true;
    const limit = this.#plan.config.server.drainMs + END_MARGIN_MS;
    const endOne = async (slot: Slot): Promise<number> => {
      const wasServing = slot.isServing;
      slot.close();
      const last = wasServing ? await slot.ask("end", { manner }, limit) : undefined;
      this.#bury(last?.report ?? slot.last);
      slot.takeLast();
      slot.kill(); // It has written its last line, or used up its time.
      await slot.exited;
      return last?.cut ?? 0;
    };
    const cut = await Promise.all(this.#slots.map(endOne));
    return cut.reduce((sum, each) => sum + each, 0);
  }

  abandon(): void {
    this.#isEnding = true;
    for (const slot of this.#slots) slot.close();
    for (const slot of this.#slots) slot.kill();
  }

  hurry(): void {
    for (const slot of this.#slots) void slot.ask("hurry", {}, HURRY_MS);
    this.#options.clock.after(HURRY_MS, () => {
      for (const slot of this.#slots) slot.kill();
    });
  }

  #serving(): readonly Slot[] {
    return this.#slots.filter(({ isServing }) => isServing);
  }

  /** What each worker says now, or said last. */
  async #reports(): Promise<readonly Report[]> {
    const asked = this.#slots.filter(({ pid }) => pid !== undefined);
    await Promise.all(asked.map((slot) => slot.report(REPORT_LIMIT_MS)));
    return this.#slots.flatMap(({ last }) => (last === undefined ? [] : [last]));
  }

  /** The dead keep their counts. */
  #bury(last: Report | undefined): void {
    if (last !== undefined) {
      const counts = countsOf(readExposition(last.metrics), "processes");
      this.#gone = mergeExpositions([this.#gone, counts], "processes");
    }
    if (this.#isEnding || !this.#slots.every(({ isHopeless }) => isHopeless)) return;
    this.#broken.resolve("every worker keeps dying");
  }

  /** A worker that was started in the middle of a reload may have the configuration before it. */
  async #catchUp(slot: Slot): Promise<void> {
    const { generation, inputs } = this.#plan;
    const report = await slot.report(STEP_LIMIT_MS);
    if (report === undefined || report.generation === generation) return;
    const prepared = await slot.ask("prepare", { generation, inputs }, STEP_LIMIT_MS);
    const committed = prepared?.ok === true && (await slot.ask("commit", {}, STEP_LIMIT_MS));
    if (!committed) slot.kill();
  }

  async #look(): Promise<void> {
    await this.#reports();
    if (this.#isEnding) return;
    for (const slot of this.#slots) {
      const { pid } = slot;
      if (!slot.killIfStuck(STUCK_MS)) continue;
      const { log } = this.#options;
      log.line("error", "supervisor", "A worker was stuck, and was killed", { pid });
    }
    this.#options.clock.after(LOOK_MS, () => void this.#look());
  }
}
