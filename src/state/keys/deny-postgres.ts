import type { SQL } from "bun";
import type { Ms } from "../../core/units.ts";
import type { Clock } from "../../runtime/runtime.ts";
import { DENY_CHANNEL } from "./deny-postgres-schema.ts";
import { type DenySession, RemoteDenials, within } from "./deny-remote.ts";
import {
  type DenyReason,
  type DenySource,
  readReason,
  readTenant,
  type Revision,
} from "./deny-source.ts";

export interface PostgresDenialsOptions {
  readonly clock: Clock;
  /** A connection pool of this source's own: it is closed when a query does not come back. */
  readonly connect: () => SQL;
  /** How often it asks by itself, which also proves that it is in step. */
  readonly pollMs?: Ms | undefined;
  /** How long any query may take. */
  readonly deadlineMs?: Ms | undefined;
  /** How often it reads everything again, in case the database was put back to an earlier state. */
  readonly rescanMs?: Ms | undefined;
}

const POLL_MS: Ms = 1_000;
const DEADLINE_MS: Ms = 2_000;
const RESCAN_MS: Ms = 3_600_000;
/** Rows asked for at a time: so much answers well inside the deadline. */
const PAGE_ROWS = 10_000;

/** Denials from the tables of deny-postgres-schema.ts. */
export function postgresDenials(options: PostgresDenialsOptions): DenySource {
  const { clock } = options;
  return new RemoteDenials({
    name: "postgres",
    clock,
    follow: async (session) => {
      const sql = options.connect();
      try {
        await follow(new Server(sql, options), session, options);
      } finally {
        // Not waited for: a frozen server does not answer to a farewell either.
        void sql.close({ timeout: 0 }).catch(() => {}); // It is gone: there is nothing to close.
      }
    },
  });
}

async function follow(
  server: Server,
  session: DenySession,
  { clock, pollMs = POLL_MS, rescanMs = RESCAN_MS }: PostgresDenialsOptions,
): Promise<void> {
  const begun = clock.now();
  const { tell } = session;
  let revision = await server.resumable(session.after);
  if (revision === undefined) {
    const { denied, revision: at } = await server.scan();
    tell({ kind: "reset", denied, revision: at, ageMs: 0 });
    revision = at;
  }
  const news = await server.listen();
  while (!session.hasEnded()) {
    const woken = news.next();
    const changes = await server.changesAfter(revision);
    if (changes === undefined) return; // So many came at once that some are forgotten again.
    for (const { tenant, reason, revision: at } of changes) {
      if (tenant === undefined) return; // The table was emptied at a stroke: read it again.
      if (reason === undefined) tell({ kind: "restore", tenant, revision: at });
      else tell({ kind: "deny", tenant, reason, revision: at });
      revision = at;
    }
    if (changes.length === PAGE_ROWS) continue;
    tell({ kind: "fresh", revision, ageMs: 0 });
    if (clock.now() - begun >= rescanMs) return;
    await session.sleep(pollMs, woken);
  }
}

interface Change {
  /** Undefined: every tenant. */
  readonly tenant: bigint | undefined;
  /** Undefined: restored. */
  readonly reason: DenyReason | undefined;
  readonly revision: Revision;
}

interface Row {
  readonly revision: string;
  readonly tenant: string | null;
  readonly reason: string | null;
}

/** Numbers come as text: both kinds are wider than a JavaScript number. */
class Server {
  readonly #sql: SQL;
  readonly #options: PostgresDenialsOptions;

  constructor(sql: SQL, options: PostgresDenialsOptions) {
    this.#sql = sql;
    this.#options = options;
  }

  /** `after`, when every change behind it is still there; a revision ahead is of another past. */
  async resumable(after: Revision | undefined): Promise<Revision | undefined> {
    if (after === undefined) return undefined;
    const { revision, pruned } = await this.#head();
    return after >= pruned && after <= revision ? after : undefined;
  }

  /**
   * All denials, page by page. Later pages may know more than the revision that was read first: its
   * changes are told once more after it and come to the same.
   */
  async scan(): Promise<{ denied: ReadonlyMap<bigint, DenyReason>; revision: Revision }> {
    const { revision } = await this.#head();
    const denied = new Map<bigint, DenyReason>();
    let last = "-1";
    for (;;) {
      const sql = this.#sql;
      const rows: readonly Row[] = await this.#ask(
        sql`SELECT tenant::text, reason FROM interlock_deny WHERE tenant > ${last}::numeric
          ORDER BY interlock_deny.tenant LIMIT ${PAGE_ROWS}`,
      );
      for (const { tenant, reason } of rows) denied.set(tenantOf(tenant), readReason(reason));
      if (rows.length < PAGE_ROWS) return { denied, revision };
      last = rows.at(-1)?.tenant ?? last;
    }
  }

  /** Undefined when changes behind `revision` are no longer all there. */
  async changesAfter(revision: Revision): Promise<readonly Change[] | undefined> {
    const sql = this.#sql;
    const rows: readonly (Row & { readonly pruned: string })[] = await this.#ask(
      sql`SELECT changes.revision::text, tenant::text, reason, pruned::text
        FROM interlock_deny_changes AS changes, interlock_deny_head
        WHERE changes.revision > ${String(revision)}::bigint
        ORDER BY changes.revision LIMIT ${PAGE_ROWS}`,
    );
    if (rows.some(({ pruned }) => BigInt(pruned) > revision)) return undefined;
    return rows.map(({ revision: at, tenant, reason }) => ({
      tenant: tenant === null ? undefined : tenantOf(tenant),
      reason: reason === null ? undefined : readReason(reason),
      revision: BigInt(at),
    }));
  }

  /** Resolves `next` with each notification. Without them, behind a pooler, polling does alone. */
  async listen(): Promise<{ next: () => Promise<void> }> {
    let waiting = Promise.withResolvers<void>();
    const wake = (): void => {
      waiting.resolve();
      waiting = Promise.withResolvers<void>();
    };
    await this.#ask(this.#sql.listen(DENY_CHANNEL, wake, wake));
    return { next: () => waiting.promise };
  }

  async #head(): Promise<{ revision: Revision; pruned: Revision }> {
    const sql = this.#sql;
    const rows: readonly { revision: string; pruned: string }[] = await this.#ask(
      sql`SELECT revision::text, pruned::text FROM interlock_deny_head`,
    );
    const [head] = rows;
    if (head === undefined) throw new Error("interlock_deny_head has lost its row");
    return { revision: BigInt(head.revision), pruned: BigInt(head.pruned) };
  }

  async #ask<T>(answer: PromiseLike<T>): Promise<T> {
    const { clock, deadlineMs = DEADLINE_MS } = this.#options;
    try {
      return await within(answer, { clock, deadlineMs, asked: "postgres" });
    } catch (error) {
      throw hasNoTables(error) ? new Error(NO_TABLES, { cause: error }) : error;
    }
  }
}

const NO_TABLES = "it has no interlock_deny: run `interlock migrate run --database-url URL`";

/** undefined_table: PostgreSQL's documentation, appendix A. */
function hasNoTables(error: unknown): boolean {
  return error instanceof Error && "errno" in error && error.errno === "42P01";
}

/** The table's own check lets nothing else in. */
function tenantOf(text: string | null): bigint {
  const tenant = readTenant(text ?? "");
  if (tenant === undefined) throw new Error("interlock_deny holds what is no tenant");
  return tenant;
}
