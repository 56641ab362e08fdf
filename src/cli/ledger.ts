import { mkdirSync } from "node:fs";
import type { Clock, Log, Random } from "../runtime/runtime.ts";
import type { Entry } from "../state/ledger/facts.ts";
import { sqliteSink } from "../state/ledger/sink.ts";
import { LedgerWriter } from "../state/ledger/writer.ts";
import { EMBEDDED } from "../state/migrations/embedded.ts";
import { run } from "../state/migrations/migrate.ts";
import { databaseFile, openState } from "../state/store/open.ts";
import { openDatabase } from "../state/store/sqlite.ts";
import type { Ms } from "../core/units.ts";

export interface LedgerRuntime {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Another process may be at the file; a write that waits longer is tried again later. */
const DEADLINE_MS: Ms = 500;
/** Facts are gathered this long: one write for many, and few pauses for those who are answered. */
const GATHER_MS: Ms = 100;

/**
 * Keeps what each request used, in the SQLite file of the state directory, and makes its schema
 * when it is new. Facts that come before it is ready wait in memory.
 */
export function openLedger(
  directory: string | undefined,
  runtime: LedgerRuntime,
): ((entry: Entry) => void) | undefined {
  const { clock, log } = runtime;
  if (directory === undefined) {
    log.line("error", "gateway", "No ledger is kept", { problem: "there is no state directory" });
    return undefined;
  }
  const waiting: Entry[] = [];
  let writer: LedgerWriter | undefined;
  void prepare(directory, clock).then((problem) => {
    if (problem !== undefined) {
      log.line("error", "gateway", "No ledger is kept", { problem });
      return;
    }
    const db = openDatabase({ path: databaseFile(directory), deadlineMs: DEADLINE_MS });
    const sink = sqliteSink(db, { node: runtime.random.hex(4) });
    writer = new LedgerWriter({
      sink,
      clock,
      gatherMs: GATHER_MS,
      onHealth: ({ state }) =>
        log.line("warn", "gateway", "The ledger's health changed", { state }),
      onLost: (_entry, problem) => log.line("error", "gateway", "A fact was lost", { problem }),
    });
    for (const entry of waiting.splice(0)) writer.append(entry);
  });
  return (entry) => {
    if (writer === undefined) waiting.push(entry);
    else writer.append(entry);
  };
}

/** A sentence when the schema cannot be made or is another program's. */
async function prepare(directory: string, clock: Clock): Promise<string | undefined> {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const sql = openState({ dir: directory, clock });
    const outcome = await run(sql, EMBEDDED, { wall: clock.wall() });
    await sql.close();
    return outcome.ok ? undefined : outcome.why;
  } catch (problem) {
    return problem instanceof Error ? problem.message : String(problem);
  }
}
