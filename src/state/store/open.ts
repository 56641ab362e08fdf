import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Ms } from "../../core/units.ts";
import type { Clock } from "../../runtime/runtime.ts";
import { openPostgres } from "./postgres.ts";
import { openSqlite } from "./sqlite.ts";
import type { Sql } from "./sql.ts";

/** Where the state of a gateway is. */
export interface StatePlace {
  /** The state directory. */
  readonly dir: string;
  readonly clock: Clock;
  /** A Postgres that holds it instead; undefined for the SQLite file in the directory. */
  readonly databaseUrl?: string | undefined;
}

const FILE = "interlock.db";
/** For commands, which a person waits for; a gateway's own calls have shorter ones. */
const DEADLINE_MS: Ms = 10_000;

export function databaseFile(dir: string): string {
  return join(dir, FILE);
}

/** Opens it to be written to; a SQLite file is made when there is none. */
export function openState({ dir, clock, databaseUrl }: StatePlace, deadlineMs = DEADLINE_MS): Sql {
  if (databaseUrl !== undefined) return openPostgres({ url: databaseUrl, clock, deadlineMs });
  return openSqlite({ path: databaseFile(dir), deadlineMs });
}

/** Opens it only to be read; undefined when there is nothing yet. */
export function openStateToRead(place: StatePlace): Sql | undefined {
  if (place.databaseUrl !== undefined) return openState(place);
  const path = databaseFile(place.dir);
  if (!existsSync(path)) return undefined;
  return openSqlite({ path, deadlineMs: DEADLINE_MS, readonly: true });
}
