import type { StateConfig } from "../config/config.ts";
import { CONFIG_VARIABLE, variable } from "../config/env.ts";
import { noFindings } from "../config/findings.ts";
import { load } from "../config/load.ts";
import { isPostgres, readState } from "../config/state.ts";
import type { Io } from "./io.ts";

/** What was typed about where the shared state is. */
export interface DatabaseOptions {
  readonly "database-url"?: string | undefined;
  readonly config?: string | undefined;
}

/** The same for whoever reads options. */
export const DATABASE_OPTIONS = {
  "database-url": { type: "string" },
  config: { type: "string", short: "c" },
} as const;

/** The database a command works on, as a gateway of the same file has it; a sentence if unsure. */
export async function databaseOf(
  options: DatabaseOptions,
  { env, readFile }: Pick<Io, "env" | "readFile">,
): Promise<Pick<StateConfig, "databaseUrl" | "isNamed"> | string> {
  const typed = options["database-url"];
  if (typed !== undefined) {
    if (!isPostgres(typed)) return "--database-url: give postgres://USER:PASSWORD@HOST:5432/NAME";
    return readState({ state: { database_url: typed } }, env, noFindings());
  }
  const path = options.config ?? variable(env, CONFIG_VARIABLE);
  if (path === undefined) return readState({}, env, noFindings());
  const loaded = await load({ path, env, readFile });
  return loaded.ok ? loaded.config.state : `${path} cannot be used: interlock validate ${path}`;
}
