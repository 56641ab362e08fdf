import { readFile } from "node:fs/promises";
import type { Config } from "../config/config.ts";
import { discover, type Found } from "../config/discover.ts";
import { CONFIG_VARIABLE, type Environment, variable } from "../config/env.ts";
import { load } from "../config/load.ts";
import { systemProbe } from "../runtime/probe.ts";
import { diagnosticsText } from "./diagnostics.ts";
import { denyProblem } from "./deny-places.ts";
import { stateDirectory } from "./fleet/state-directory.ts";
import type { Sources } from "./fleet/inputs.ts";
import type { StartOptions } from "./start-options.ts";
import { hasStoredKeys } from "./stored-keys.ts";

export interface Loaded {
  readonly config: Config;
  /** What discovery saw, one clause each; empty with a file. */
  readonly found: readonly string[];
}

/** The files and the engines of this machine. */
export const MACHINE: Sources = {
  readFile: (name) => readFile(name, "utf8"),
  probe: systemProbe,
  hasStoredKeys: () => hasStoredKeys(process.env),
};

/** The configuration to serve: a file when one is named, else what this machine has. */
export async function loadConfig(
  { config: flag, flags }: StartOptions,
  env: Environment,
  sources: Sources = MACHINE,
): Promise<Loaded | string> {
  const path = flag ?? variable(env, CONFIG_VARIABLE);
  if (path !== undefined) {
    const resolved = await load({
      ...{ path, env, flags, readFile: sources.readFile },
      storedKeys: sources.hasStoredKeys(),
    });
    const problem = resolved.ok ? denyProblem(resolved.config, stateDirectory(env)) : undefined;
    if (problem !== undefined) return `${path} cannot be used\n  ${problem}`;
    if (resolved.ok) return { config: resolved.config, found: [] };
    return `${path} cannot be used\n${diagnosticsText("Errors", resolved.errors)}`;
  }
  const discovery = await discover({
    ...{ env, flags, probe: sources.probe },
    storedKeys: sources.hasStoredKeys(),
  });
  if (!discovery.ok) return `cannot start\n${diagnosticsText("Errors", discovery.errors)}`;
  const found = discovery.found.map(clauseOf);
  return { config: discovery.config, found: [...found, ...discovery.notes] };
}

function clauseOf({ backend, by, models }: Found): string {
  const count =
    models.length === 0 ? "" : `, ${models.length} model${models.length > 1 ? "s" : ""}`;
  return `${backend.name} (${backend.placement}), from ${by}${count}`;
}
