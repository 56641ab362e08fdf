import { mkdirSync } from "node:fs";
import type { Ms } from "../core/units.ts";
import type { Clock, Random } from "../runtime/runtime.ts";
import { type LedgerSink, type SinkFailure, sqliteSink } from "../state/ledger/sink.ts";
import { EMBEDDED } from "../state/migrations/embedded.ts";
import { run } from "../state/migrations/migrate.ts";
import { databaseFile, openState } from "../state/store/open.ts";
import { StoreError } from "../state/store/sql.ts";
import { openDatabase } from "../state/store/sqlite.ts";

/** Another process may be at the file; a write that waits longer is tried again later. */
const DEADLINE_MS: Ms = 500;

export interface SinkRuntime {
  readonly clock: Clock;
  readonly random: Random;
}
export interface NoSink {
  readonly why: SinkFailure;
  readonly message: string;
}

/** Where facts go: the SQLite file of the state directory, its schema made when it is new. */
export async function openLedgerSink(
  directory: string,
  { clock, random }: SinkRuntime,
): Promise<LedgerSink | NoSink> {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const sql = openState({ dir: directory, clock });
    const outcome = await run(sql, EMBEDDED, { wall: clock.wall() });
    await sql.close();
    if (!outcome.ok) return { why: "io", message: outcome.why };
    const db = openDatabase({ path: databaseFile(directory), deadlineMs: DEADLINE_MS });
    return sqliteSink(db, { node: random.hex(4) });
  } catch (problem) {
    const message = problem instanceof Error ? problem.message : String(problem);
    return { why: whyOf(problem, message), message };
  }
}

function whyOf(problem: unknown, message: string): SinkFailure {
  const kind = problem instanceof StoreError ? problem.kind : undefined;
  if (kind === "full" || /full|ENOSPC/.test(message)) return "full";
  return kind === "deadline" || /locked|busy/.test(message) ? "busy" : "io";
}
