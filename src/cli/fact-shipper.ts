import { hostname } from "node:os";
import { basename } from "node:path";
import type { Ms } from "../core/units.ts";
import type { Clock, Timer } from "../runtime/runtime.ts";
import { sharedDirectory } from "../state/keys/shared-directory.ts";
import { checkShipped, type Outbox, shipFacts, unshipped } from "../state/ledger/ship.ts";
import { databaseFile } from "../state/store/open.ts";
import { openPostgres } from "../state/store/postgres.ts";
import { openSqlite } from "../state/store/sqlite.ts";
import type { Sql } from "../state/store/sql.ts";
import { sqlStore } from "../state/store/sql-store.ts";
import { fitProblem } from "../state/migrations/fit.ts";

/** Where facts are brought besides this node's ledger, as it can be sent to another process. */
export interface ShipOrder {
  readonly url: string;
  /** Whether tables may be made there. */
  readonly isNamed: boolean;
}

/** What is known of facts on their way. */
export interface ShipStatus {
  /** Facts of this node that the database does not have yet. */
  readonly waiting: number;
  /** Why they do not go; undefined while they do. */
  readonly problem: string | undefined;
}

/** Nobody who serves waits for it: enough for a slow link, short enough to see a frozen one. */
const DEADLINE_MS: Ms = 10_000;
const LEDGER_DEADLINE_MS: Ms = 2000;
const POLL_MS: Ms = 300;
const RETRY_MIN_MS: Ms = 1000;
const RETRY_MAX_MS: Ms = 3000;

export interface ShipperOptions {
  readonly directory: string;
  readonly order: ShipOrder;
  readonly clock: Clock;
  readonly onStatus: (status: ShipStatus) => void;
}

/** Brings this node's facts to the database that nodes share, for as long as it is told to. */
export class FactShipper {
  readonly #options: ShipperOptions;
  readonly #ledger: Sql;
  readonly #shared: Sql;
  readonly #outbox: Outbox;
  #isFit = false;
  #hasEnded = false;
  #retryMs = RETRY_MIN_MS;
  #timer: Timer | undefined;
  #turn: Promise<void> | undefined;
  #status: ShipStatus = { waiting: 0, problem: undefined };
  #told = "";

  /** The ledger's file is there and its schema current. @throws StoreError when it is not. */
  constructor(options: ShipperOptions) {
    this.#options = options;
    const { directory, order, clock } = options;
    this.#ledger = openSqlite({ path: databaseFile(directory), deadlineMs: LEDGER_DEADLINE_MS });
    this.#shared = openPostgres({
      ...{ url: order.url, clock, deadlineMs: DEADLINE_MS, connectionsMax: 1 },
    });
    this.#outbox = { ledger: this.#ledger, to: basename(sharedDirectory(directory, order.url)) };
  }

  get status(): ShipStatus {
    return this.#status;
  }
  /** Whether nothing is left to do: all is there, or it is somebody else's database. */
  get isIdle(): boolean {
    if (this.#told === "") return false;
    return this.#status.waiting === 0 || !(this.#isFit || this.#options.order.isNamed);
  }

  start(): void {
    this.#timer?.cancel();
    this.#turn = this.#ship().then(() => {
      this.#turn = undefined;
      if (this.#hasEnded) return;
      const delay = this.#status.problem === undefined ? POLL_MS : this.#retryMs;
      this.#timer = this.#options.clock.after(delay, () => this.start());
    });
  }

  /** Brings what can be brought within this time, and lets go. */
  async end(withinMs: Ms): Promise<void> {
    this.#hasEnded = true;
    this.#timer?.cancel();
    const late = Promise.withResolvers<void>();
    const timer = this.#options.clock.after(withinMs, late.resolve);
    await Promise.race([(this.#turn ?? Promise.resolve()).then(() => this.#ship()), late.promise]);
    timer.cancel();
    // What is not gone is in the ledger still, and goes after the next start.
    await Promise.race([this.#shared.close().catch(() => {}), late.promise]);
    await this.#ledger.close();
  }

  async #ship(): Promise<void> {
    const { order, clock } = this.#options;
    try {
      if (!this.#isFit) {
        const problem = await fitProblem(this.#shared, { isNamed: order.isNamed, clock });
        if (problem !== undefined) return await this.#tell(problem);
        await checkShipped(this.#outbox, this.#shared);
        this.#isFit = true;
      }
      const store = sqlStore(this.#shared, { node: hostname() });
      for (;;) {
        const { done } = await shipFacts(this.#outbox, store);
        await this.#tell(undefined);
        if (done) return;
      }
    } catch (error) {
      this.#isFit = false; // It may be another database when it is back.
      await this.#tell(error instanceof Error ? error.message : "unknown reason");
    }
  }

  async #tell(problem: string | undefined): Promise<void> {
    const isWell = problem === undefined;
    this.#retryMs = isWell ? RETRY_MIN_MS : Math.min(RETRY_MAX_MS, this.#retryMs * 1.5);
    // A ledger that cannot be read now has what it had.
    const waiting = await unshipped(this.#outbox).catch(() => this.#status.waiting);
    this.#status = { waiting, problem };
    const told = JSON.stringify(this.#status);
    if (told !== this.#told) this.#options.onStatus(this.#status);
    this.#told = told;
  }
}
