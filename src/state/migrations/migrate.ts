import type { Ms } from "../../core/units.ts";
import { type Engine, int, only, type Sql, type SqlRunner, str } from "../store/sql.ts";
import { checksumOf, type Migration, spelled } from "./migration.ts";

/** Where one step stands in a database. */
export interface Step {
  readonly version: number;
  readonly name: string;
  /** `foreign`: applied there, and unknown here. `changed`: its text is not what was applied. */
  readonly state: "applied" | "pending" | "changed" | "foreign";
  readonly appliedAt: Ms | undefined;
}

/** What a run or a revert did, or why it did nothing. */
export type Outcome =
  | { readonly ok: true; readonly steps: readonly Pick<Step, "version" | "name">[] }
  | { readonly ok: false; readonly why: string };

const TABLE = `CREATE TABLE IF NOT EXISTS schema_migration (
  version $int PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at $int NOT NULL
) $strict`;
/** Any number; the same for all of us, so that two nodes never migrate at once. */
const LOCK = 7_140_352_941;

/** Where every step stands, in order. */
export async function status(sql: Sql, known: readonly Migration[]): Promise<readonly Step[]> {
  return stepsOf(await appliedIn(sql, sql.engine), known);
}

/** Applies what is pending, all of it or nothing. A newer schema is not touched. */
export function run(
  sql: Sql,
  known: readonly Migration[],
  { wall }: { readonly wall: Ms },
): Promise<Outcome> {
  return locked(sql, async (within) => {
    const steps = stepsOf(await appliedIn(within, sql.engine), known);
    const why = refusal(steps);
    if (why !== undefined) return { ok: false, why };
    const pending = steps.filter(({ state }) => state === "pending");
    for (const { version } of pending) {
      const migration = find(known, version);
      await perform(within, migration, { text: migration.up, engine: sql.engine });
      await within.rows("INSERT INTO schema_migration VALUES (?, ?, ?, ?)", [
        ...[version, migration.name, checksumOf(migration), wall],
      ]);
    }
    return { ok: true, steps: pending };
  });
}

export interface RevertOptions {
  readonly steps: number;
  /** Also where it throws facts or events away. */
  readonly force: boolean;
}

/** Takes the last steps back, all of them or none. */
export function revert(
  sql: Sql,
  known: readonly Migration[],
  { steps: count, force }: RevertOptions,
): Promise<Outcome> {
  return locked(sql, async (within) => {
    const steps = stepsOf(await appliedIn(within, sql.engine), known);
    const why = refusal(steps);
    if (why !== undefined) return { ok: false, why };
    const last = steps.filter(({ state }) => state === "applied").slice(-count);
    last.reverse();
    for (const step of force ? [] : last) {
      const held = await rowsHeld(within, find(known, step.version), sql.engine);
      if (held !== undefined) return { ok: false, why: `${held}; --force throws it away` };
    }
    for (const { version } of last) {
      const migration = find(known, version);
      await perform(within, migration, { text: migration.down, engine: sql.engine });
      await within.rows("DELETE FROM schema_migration WHERE version = ?", [version]);
    }
    return { ok: true, steps: last };
  });
}

/** Why this program may not use that database; undefined when it may. */
export async function unfit(sql: Sql, known: readonly Migration[]): Promise<string | undefined> {
  const steps = await status(sql, known);
  const pending = steps.filter(({ state }) => state === "pending").length;
  if (pending > 0) return `${pending} migration(s) are pending: run interlock migrate run`;
  return refusal(steps);
}

function refusal(steps: readonly Step[]): string | undefined {
  const foreign = steps.find(({ state }) => state === "foreign");
  if (foreign !== undefined) {
    const name = `${foreign.version} ${foreign.name}`;
    return `the database has migration ${name}, which this program does not know: it is newer`;
  }
  const changed = steps.find(({ state }) => state === "changed");
  if (changed === undefined) return undefined;
  return `migration ${changed.version} ${changed.name} is not what was applied to this database`;
}

interface Applied {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
  readonly at: Ms;
}

async function appliedIn(sql: SqlRunner, engine: Engine): Promise<readonly Applied[]> {
  // A database that is only looked at must not be written to.
  const table =
    engine === "sqlite"
      ? "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'schema_migration'"
      : "SELECT to_regclass('schema_migration')::text AS name";
  const [found] = await sql.rows(table);
  if (found === undefined || found["name"] === null) return [];
  const text = "SELECT version, name, checksum, applied_at FROM schema_migration ORDER BY version";
  return (await sql.rows(text)).map((row) => ({
    version: int(row["version"]),
    name: str(row["name"]),
    checksum: str(row["checksum"]),
    at: int(row["applied_at"]),
  }));
}

function stepsOf(applied: readonly Applied[], known: readonly Migration[]): readonly Step[] {
  const here = new Map(known.map((migration) => [migration.version, migration]));
  const there = new Map(applied.map((each) => [each.version, each]));
  const versions = [...new Set([...here.keys(), ...there.keys()])].sort((a, b) => a - b);
  return versions.map((version) => {
    const migration = here.get(version);
    const found = there.get(version);
    const name = migration?.name ?? found?.name ?? "";
    const appliedAt = found?.at;
    if (migration === undefined) return { version, name, state: "foreign", appliedAt };
    if (found === undefined) return { version, name, state: "pending", appliedAt };
    const same = found.checksum === checksumOf(migration);
    return { version, name, state: same ? "applied" : "changed", appliedAt };
  });
}

function find(known: readonly Migration[], version: number): Migration {
  const migration = known.find((each) => each.version === version);
  if (migration === undefined) throw new Error(`migration ${version} was looked for`);
  return migration;
}

function locked(sql: Sql, work: (within: SqlRunner) => Promise<Outcome>): Promise<Outcome> {
  return sql.transaction(async (within) => {
    if (sql.engine === "postgres") await within.rows("SELECT pg_advisory_xact_lock(?)", [LOCK]);
    await within.rows(spelled(TABLE, sql.engine));
    return work(within);
  });
}

/** One statement at a time, since neither engine takes several with what is prepared. */
async function perform(
  sql: SqlRunner,
  { only: alone }: Migration,
  { text, engine }: { readonly text: string; readonly engine: Engine },
): Promise<void> {
  if (alone !== undefined && alone !== engine) return;
  for (const statement of splitStatements(spelled(text, engine))) await sql.rows(statement);
}

/** Statements of a script: apart at semicolons that stand outside of quotes and comments. */
export function splitStatements(script: string): readonly string[] {
  const token = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\$\$[\s\S]*?\$\$|;|[^'"$;-]+|[\s\S]/g;
  const found: string[] = [];
  let statement = "";
  for (const [part] of script.matchAll(token)) {
    if (part !== ";") {
      statement += part.startsWith("--") ? "" : part;
    } else {
      found.push(statement.trim());
      statement = "";
    }
  }
  return [...found, statement.trim()].filter((each) => each !== "");
}

async function rowsHeld(
  sql: SqlRunner,
  { name, holds, only: alone }: Migration,
  engine: Engine,
): Promise<string | undefined> {
  for (const table of alone === undefined || alone === engine ? holds : []) {
    const count = int(only(await sql.rows(`SELECT count(*) AS n FROM ${table}`))["n"]);
    if (count > 0) return `${name} would take ${count} row(s) of ${table} with it`;
  }
  return undefined;
}
