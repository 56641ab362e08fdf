import { hostname, userInfo } from "node:os";
import { systemClock } from "../runtime/clock.ts";
import { systemRandom } from "../runtime/random.ts";
import type { LedgerPlace } from "./cost-ledger.ts";
import { stateDirectory } from "./fleet/state-directory.ts";
import type { StatePlace } from "../state/store/open.ts";
import type { KeyContext } from "./key.ts";

/** Where nothing else is said and there is no home: the directory a command is called in. */
const HERE = ".interlock";

/** The state a key command works on. */
export function keyPlace(): KeyContext {
  return { stateDir: directory(), clock: systemClock, random: systemRandom, by: whoami() };
}

/** The state directory alone, for a command that reads by itself which database is meant. */
export function statePlace(): StatePlace {
  return { dir: directory(), clock: systemClock };
}

/** This machine's ledger; a command says which other one it means (`ledgerMeant`). */
export function ledgerPlace(): LedgerPlace {
  return { dir: directory(), clock: systemClock };
}

/** Who sits at this terminal, as far as the machine knows. */
export function whoami(): string {
  return `cli:${userName()}@${hostname()}`;
}

function userName(): string {
  try {
    const { username } = userInfo();
    if (username !== "unknown") return username; // Bun's word where USER is not set.
  } catch {
    // A container's user may have no name: it has a number.
  }
  return `uid-${process.getuid?.() ?? "unknown"}`;
}

function directory(): string {
  return stateDirectory(process.env) ?? HERE;
}
