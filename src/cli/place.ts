import { systemClock } from "../runtime/clock.ts";
import { systemRandom } from "../runtime/random.ts";
import type { LedgerPlace } from "./cost-ledger.ts";
import { databaseOf } from "./database.ts";
import { stateDirectory } from "./fleet/state-directory.ts";
import type { KeyContext } from "./key.ts";
import { terminal } from "./terminal.ts";

/** Where nothing else is said and there is no home: the directory a command is called in. */
const HERE = ".interlock";

/** The state a key command works on. */
export function keyPlace(): KeyContext {
  return { stateDir: directory(), clock: systemClock, random: systemRandom };
}

/** The ledger a question is asked of. */
export async function ledgerPlace(): Promise<LedgerPlace> {
  const found = await databaseOf({}, terminal);
  if (typeof found === "string") throw new Error(found);
  const databaseUrl = found.databaseUrl?.expose();
  return {
    dir: directory(),
    clock: systemClock,
    ...(databaseUrl !== undefined && { databaseUrl }),
  };
}

function directory(): string {
  return stateDirectory(process.env) ?? HERE;
}
