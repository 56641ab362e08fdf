import type { Ms } from "../core/units.ts";
import type { Clock, Random } from "../runtime/runtime.ts";
import { EMBEDDED } from "../state/migrations/embedded.ts";
import { run } from "../state/migrations/migrate.ts";
import { openState } from "../state/store/open.ts";
import { sqlStore } from "../state/store/sql-store.ts";
import type { Store } from "../state/store/store.ts";

export interface StateStoreOptions {
  readonly directory: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /** How long another process's write is waited for; whoever serves waits with it. */
  readonly deadlineMs: Ms;
}

/** The state's database, opened and brought up to date when it is first asked for. */
export class StateStore {
  readonly #options: StateStoreOptions;
  #opening: Promise<Store | string> | undefined;

  constructor(options: StateStoreOptions) {
    this.#options = options;
  }

  /** The store, or a sentence why there is none now; whoever asks again makes another try. */
  get(): Promise<Store | string> {
    this.#opening ??= open(this.#options).then((opened) => {
      if (typeof opened === "string") this.#opening = undefined;
      return opened;
    });
    return this.#opening;
  }

  async close(): Promise<void> {
    const opened = await this.#opening;
    this.#opening = undefined;
    if (typeof opened === "object") await opened.close();
  }
}

async function open(options: StateStoreOptions): Promise<Store | string> {
  const { directory, clock, random, deadlineMs } = options;
  if (directory === undefined) return "there is no state directory: set INTERLOCK_STATE_DIR";
  try {
    const sql = openState({ dir: directory, clock }, deadlineMs);
    const outcome = await run(sql, EMBEDDED, { wall: clock.wall() });
    if (outcome.ok) return sqlStore(sql, { node: random.hex(4) });
    await sql.close();
    return outcome.why;
  } catch (problem) {
    return problem instanceof Error ? problem.message : "unknown reason";
  }
}
