import { availableParallelism } from "node:os";
import type { Config } from "../../config/config.ts";
import { type Environment, type Flags, variable } from "../../config/env.ts";

/** The names under which a number of workers may have been given. */
const NAMES: ReadonlySet<string> = new Set(["server.workers", "--workers", "INTERLOCK_WORKERS"]);

/** Says how many processes are to serve: flag, variable, file; `auto` is one for each core. */
export function withWorkers(config: Config, flags: Flags, env: Environment): Config {
  const given = flags.workers ?? variable(env, "INTERLOCK_WORKERS") ?? config.server.workers;
  const workers = given === "auto" ? availableParallelism() : Number(given);
  const notActive = config.notActive.filter((name) => !NAMES.has(name));
  return { ...config, notActive, server: { ...config.server, workers } };
}
