import { hostname } from "node:os";
import type { AdminDesk } from "../../admin/desk.ts";
import type { Clock, Random } from "../../runtime/runtime.ts";
import { fileKeyBook, type KeyBook } from "../../state/keys/key-book.ts";
import { KeyLog } from "../../state/keys/key-log.ts";
import type { DenySourceStatus } from "../../state/keys/deny-set.ts";
import type { Store } from "../../state/store/store.ts";

export interface StateDeskOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly directory: string | undefined;
  /** The state of this node, or of the database that it shares. */
  readonly store: () => Promise<Store | string>;
  /** Whether that is the database's. */
  readonly isShared: boolean;
  readonly denials: () => readonly DenySourceStatus[] | undefined;
}

/** What the admin API works on in a running gateway: the same state as the commands'. */
export function stateDesk(options: StateDeskOptions): AdminDesk {
  const { clock, random, directory, store, isShared, denials } = options;
  const node = hostname();
  return {
    ...{ clock, node, store, denials },
    newId: () => random.hex(16),
    async keys(by): Promise<KeyBook | string> {
      if (!isShared) {
        if (directory === undefined) return "there is no state directory: set INTERLOCK_STATE_DIR";
        return fileKeyBook({ directory, random, by, audit: store });
      }
      const shared = await store();
      if (typeof shared === "string") return shared;
      return borrowed(new KeyLog(shared, { random, node, by }));
    },
  };
}

/** The database stays open for the next call. */
function borrowed(book: KeyLog): KeyBook {
  return {
    create: (wanted, now) => book.create(wanted, now),
    list: (now) => book.list(now),
    revoke: (named, now) => book.revoke(named, now),
    rotate: (named, times) => book.rotate(named, times),
    close: async () => {},
  };
}
