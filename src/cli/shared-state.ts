import { hostname } from "node:os";
import type { StateConfig } from "../config/config.ts";
import type { Ms } from "../core/units.ts";
import type { Clock, Log, Random } from "../runtime/runtime.ts";
import { importKeys, seedReplica } from "../state/keys/key-import.ts";
import { KeyLink, type LinkStatus } from "../state/keys/key-link.ts";
import { KeyReplica } from "../state/keys/key-replica.ts";
import { sharedDirectory } from "../state/keys/shared-directory.ts";
import { openPostgres } from "../state/store/postgres.ts";
import type { Sql } from "../state/store/sql.ts";
import { sqlStore } from "../state/store/sql-store.ts";
import type { Store } from "../state/store/store.ts";
import { fitProblem } from "../state/migrations/fit.ts";
import { ShareKeeper, type ShareStanding } from "./share-keeper.ts";

/** No request waits for the database; this only says when a connection is given up. */
const DEADLINE_MS: Ms = 4000;
/** One hears what others change, one asks; facts and budgets have one each of their own. */
const CONNECTIONS_MIN = 2;
const CONNECTIONS_ELSEWHERE = 2;
/** A node without a copy yet waits this long for its first: it would know no key. */
const FIRST_COPY_MS: Ms = 3000;

export interface SharedStateOptions {
  readonly config: StateConfig;
  readonly directory: string | undefined;
  readonly runtime: { readonly clock: Clock; readonly random: Random; readonly log: Log };
}

/** What a node shares with others through a database, kept in step by its one master process. */
export interface SharedState {
  readonly status: LinkStatus;
  /** How budgets are shared; undefined where each node has its own. */
  readonly shares: ShareStanding | undefined;
  /** Shares budgets from here on: what they are counted in goes by the port. */
  keepShares(port: number): void;
  readonly store: Store;
  /** `isForGood`: no successor goes on with what this process holds. */
  close(end: { readonly isForGood: boolean }): Promise<void>;
}

/**
 * Undefined where no database is configured. A sentence where one is named and the node has no
 * place for its copy: it could not tell keys that open it from others.
 */
export async function openSharedState(
  options: SharedStateOptions,
): Promise<SharedState | string | undefined> {
  const { config, directory, runtime } = options;
  const { clock, random, log } = runtime;
  const url = config.databaseUrl?.expose();
  if (url === undefined) return undefined;
  const say = (problem: string | undefined): void => {
    if (problem === undefined) log.line("info", "state", "The shared state is in step");
    else log.line("warn", "state", "The shared state is not in step", { problem });
  };
  const replica = openReplica(directory, { url, random });
  if (typeof replica === "string" || directory === undefined) {
    if (config.isNamed) return `state.database_url needs a state directory: ${replica}`;
    say(`DATABASE_URL is not used: ${replica}`);
    return undefined;
  }
  const sql = openPostgres({
    ...{ url, clock, deadlineMs: DEADLINE_MS },
    connectionsMax: Math.max(CONNECTIONS_MIN, config.connectionsMax - CONNECTIONS_ELSEWHERE),
  });
  const node = hostname();
  const store = sqlStore(sql, { node });
  const own = { directory, random, node };
  const isNew = seedReplica(replica, own);
  const prepare = preparing(sql, { config, clock }, () => importKeys(store, replica, own));
  const link = new KeyLink({ store, replica, clock, random, node, prepare, onTrouble: say });
  link.start();
  if (isNew) {
    const enough = Promise.withResolvers<void>();
    const timer = clock.after(FIRST_COPY_MS, enough.resolve);
    await Promise.race([link.inStep, enough.promise]);
    timer.cancel();
  }
  let shares: ShareKeeper | undefined;
  return {
    store,
    get status() {
      return link.status;
    },
    get shares() {
      return shares?.standing;
    },
    keepShares(port) {
      const { slicePart } = config;
      if (slicePart === undefined) return;
      shares = new ShareKeeper({ ...runtime, url, slicePart, place: { directory, port } });
      shares.start();
    },
    async close({ isForGood }) {
      link.stop();
      await shares?.end({ isForGood });
      await store.close().catch(() => {}); // It is gone: there is nothing to close.
      replica.close();
    },
  };
}

/** The node's copy of the shared keys, or why there can be none. */
function openReplica(
  directory: string | undefined,
  { url, random }: { readonly url: string; readonly random: Random },
): KeyReplica | string {
  if (directory === undefined) return "there is no home directory: set INTERLOCK_STATE_DIR";
  try {
    return new KeyReplica({ directory: sharedDirectory(directory, url), random });
  } catch (error) {
    return error instanceof Error ? error.message : "unknown reason";
  }
}

interface Preparing {
  readonly config: StateConfig;
  readonly clock: Clock;
}

/** Makes the schema, or asks for it; then brings in what the node had for itself. */
function preparing(sql: Sql, { config, clock }: Preparing, bring: () => Promise<void>) {
  // Each time: whatever went wrong, it may be another database now.
  return async (): Promise<string | undefined> => {
    const problem = await fitProblem(sql, { isNamed: config.isNamed, clock });
    if (problem === undefined) await bring();
    return problem;
  };
}
