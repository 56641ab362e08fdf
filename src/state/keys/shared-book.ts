import type { Ms } from "../../core/units.ts";
import type { Clock, Random } from "../../runtime/runtime.ts";
import { fitProblem } from "../migrations/fit.ts";
import { openPostgres } from "../store/postgres.ts";
import { sqlStore } from "../store/sql-store.ts";
import type { Actor } from "./key-audit.ts";
import type { KeyBook } from "./key-book.ts";
import { KeyLog } from "./key-log.ts";
import { KeyStoreError } from "./key-file.ts";

export interface SharedBookOptions {
  readonly url: string;
  /** Whether its tables may be made: somebody named this database for that. */
  readonly isNamed: boolean;
  readonly clock: Clock;
  readonly random: Random;
  /** Where keys are changed, as the log names it. */
  readonly node: string;
  /** Who changes them. */
  readonly by: Actor;
  readonly deadlineMs: Ms;
}

/** The keys that a database shares. @throws KeyStoreError, StoreError when it cannot be used. */
export async function openSharedBook(options: SharedBookOptions): Promise<KeyBook> {
  const { url, isNamed, clock, random, node, by, deadlineMs } = options;
  const sql = openPostgres({ url, clock, deadlineMs, connectionsMax: 1 });
  try {
    const problem = await fitProblem(sql, { isNamed, clock });
    if (problem !== undefined) throw new KeyStoreError(problem);
  } catch (error) {
    await sql.close().catch(() => {}); // The first trouble is the one to tell.
    throw error;
  }
  return new KeyLog(sqlStore(sql, { node }), { random, node, by });
}
