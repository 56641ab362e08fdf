import type { Clock } from "../../runtime/runtime.ts";
import { EMBEDDED } from "./embedded.ts";
import { run, unfit } from "./migrate.ts";
import type { Sql } from "../store/sql.ts";

export interface FitOptions {
  /** Whether somebody named this database for us: a variable may be another program's. */
  readonly isNamed: boolean;
  readonly clock: Pick<Clock, "wall">;
}

/** Makes the schema where it may be made; a sentence when the database cannot be used as it is. */
export async function fitProblem(
  sql: Sql,
  { isNamed, clock }: FitOptions,
): Promise<string | undefined> {
  if (!isNamed) {
    const problem = await unfit(sql, EMBEDDED);
    return problem && `DATABASE_URL: ${problem}`;
  }
  const outcome = await run(sql, EMBEDDED, { wall: clock.wall() });
  return outcome.ok ? undefined : outcome.why;
}
