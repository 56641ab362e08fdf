import type { Config } from "../../config/config.ts";
import type { Environment } from "../../config/env.ts";
import type { Log } from "../../runtime/runtime.ts";
import { loadConfig, MACHINE } from "../load-config.ts";
import type { StartOptions } from "../start-options.ts";
import { type Fixed, withFixed } from "./fixed.ts";
import { digestOf, type Inputs, recording } from "./inputs.ts";
import type { Plan, Serving } from "./serving.ts";

/** What a reload came to. `reason` may have several lines, as `validate` prints them. */
export type Reloaded =
  | {
      readonly kind: "applied";
      readonly generation: number;
      readonly needsRestart: readonly string[];
    }
  | { readonly kind: "unchanged"; readonly generation: number }
  | { readonly kind: "refused"; readonly generation: number; readonly reason: string };

export interface ReloaderOptions {
  readonly options: StartOptions;
  readonly env: Environment;
  readonly serving: Serving;
  readonly fixed: Fixed;
  /** What serves now. */
  readonly plan: Plan;
  readonly log: Log;
}

/** Reloads one after the other. Whoever asks while one runs shares the next one. */
export class Reloader {
  readonly #options: ReloaderOptions;
  #generation: number;
  #digest: string;
  #config: Config;
  #running: Promise<Reloaded> | undefined;
  #waiting: Promise<Reloaded> | undefined;
  readonly #counts = { applied: 0, unchanged: 0, refused: 0 };

  constructor(options: ReloaderOptions) {
    this.#options = options;
    this.#generation = options.plan.generation;
    this.#digest = digestOf(options.plan.inputs);
    this.#config = options.plan.config;
  }

  /** What serves now. */
  get config(): Config {
    return this.#config;
  }
  /** Which files and answers it was made of. */
  get digest(): string {
    return this.#digest;
  }
  get generation(): number {
    return this.#generation;
  }
  get counts(): Readonly<Record<Reloaded["kind"], number>> {
    return this.#counts;
  }

  /** The answer is about the files as they were at this call, or later. */
  reload(): Promise<Reloaded> {
    if (this.#running === undefined) return this.#start();
    this.#waiting ??= this.#running.then(() => {
      this.#waiting = undefined;
      return this.#start();
    });
    return this.#waiting;
  }

  #start(): Promise<Reloaded> {
    this.#running = this.#reload().then((reloaded) => {
      this.#running = undefined;
      this.#tell(reloaded);
      return reloaded;
    });
    return this.#running;
  }

  async #reload(): Promise<Reloaded> {
    const { options, env, serving, fixed } = this.#options;
    const sources = recording(MACHINE);
    const loaded = await loadConfig(options, env, sources);
    if (typeof loaded === "string") return this.#refused(loaded);
    const inputs: Inputs = sources.inputs();
    const digest = digestOf(inputs);
    if (digest === this.#digest) return { kind: "unchanged", generation: this.#generation };
    const fitted = withFixed(loaded.config, fixed);
    if (typeof fitted === "string") return this.#refused(fitted);
    const plan: Plan = { generation: this.#generation + 1, config: fitted.config, inputs };
    const prepared = await serving.prepare(plan);
    if (!prepared.ok) {
      serving.discard();
      return this.#refused(prepared.reason);
    }
    const committed = await serving.commit();
    if (!committed.ok) return this.#refused(committed.reason);
    this.#generation = plan.generation;
    this.#digest = digest;
    this.#config = plan.config;
    const { needsRestart } = fitted;
    return { kind: "applied", generation: plan.generation, needsRestart };
  }

  #refused(reason: string): Reloaded {
    return { kind: "refused", generation: this.#generation, reason: reason.trimEnd() };
  }

  #tell(reloaded: Reloaded): void {
    const { log } = this.#options;
    this.#counts[reloaded.kind]++;
    const { generation } = reloaded;
    switch (reloaded.kind) {
      case "applied": {
        const restart = reloaded.needsRestart.join("; ");
        const fields = { generation, ...(restart !== "" && { needs_restart: restart }) };
        log.line(restart === "" ? "info" : "warn", "reload", "Configuration reloaded", fields);
        return;
      }
      case "unchanged":
        log.line("info", "reload", "Configuration is unchanged", { generation });
        return;
      case "refused":
        log.line("error", "reload", "Configuration refused: the one before it stays in effect", {
          generation,
          reason: reloaded.reason,
        });
    }
  }
}
