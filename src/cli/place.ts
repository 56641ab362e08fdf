import { systemClock } from "../runtime/clock.ts";
import { systemRandom } from "../runtime/random.ts";
import type { LedgerPlace } from "./cost-ledger.ts";
import { stateDirectory } from "./fleet/state-directory.ts";
import type { KeyContext } from "./key.ts";

/** Where nothing else is said and there is no home: the directory a command is called in. */
const HERE = ".interlock";

/** The state a key command works on. */
export function keyPlace(): KeyContext {
  return { stateDir: directory(), clock: systemClock, random: systemRandom };
}

/** This machine's ledger; a command says which other one it means (`ledgerMeant`). */
export function ledgerPlace(): LedgerPlace {
  return { dir: directory(), clock: systemClock };
}

function directory(): string {
  return stateDirectory(process.env) ?? HERE;
}
