import { SQL } from "bun";
import type { Ms } from "../../core/units.ts";
import type { Clock } from "../../runtime/runtime.ts";
import { type Sql, type SqlRow, type SqlRunner, type SqlValue, StoreError } from "./sql.ts";

export interface PostgresOptions {
  readonly url: string;
  readonly clock: Clock;
  /** How long any statement, or all of a transaction, may take. Bun itself has no such limit. */
  readonly deadlineMs: Ms;
  readonly connectionsMax?: number | undefined;
}

const CONNECTIONS_MAX = 4;
/** After a missed deadline nothing is asked for so long: a frozen server costs nothing then. */
const REST_MS: Ms = 1000;

/** A Postgres database. Nothing is dialled before the first question. */
export function openPostgres(options: PostgresOptions): Sql {
  return new PostgresSql(options);
}

class PostgresSql implements Sql {
  readonly engine = "postgres";
  readonly #options: PostgresOptions;
  #pool: SQL;
  #restUntil: Ms = Number.NEGATIVE_INFINITY;
  readonly #ears = new Set<Ear>();

  constructor(options: PostgresOptions) {
    this.#options = options;
    this.#pool = newPool(options);
  }

  rows(text: string, params: readonly SqlValue[] = []): Promise<readonly SqlRow[]> {
    return this.#asked((pool) => ask(pool, text, params));
  }

  transaction<T>(work: (within: SqlRunner) => Promise<T>): Promise<T> {
    return this.#asked((pool) =>
      pool.begin((tx) => work({ rows: (text, params = []) => ask(tx, text, params) })),
    );
  }

  async script(text: string): Promise<void> {
    await this.#asked((pool) => pool.unsafe(text).simple());
  }

  async listen(channel: string, wake: () => void): Promise<() => void> {
    const ear: Ear = { channel, wake, stop: undefined };
    this.#ears.add(ear);
    await this.#asked((pool) => attach(pool, ear));
    return () => {
      this.#ears.delete(ear);
      ear.stop?.();
    };
  }

  async close(): Promise<void> {
    for (const ear of this.#ears) ear.stop?.();
    this.#ears.clear();
    await this.#pool.close({ timeout: 0 });
  }

  async #asked<T>(question: (pool: SQL) => Promise<T>): Promise<T> {
    const { clock, deadlineMs } = this.#options;
    if (clock.now() < this.#restUntil) {
      throw new StoreError("unavailable", "Postgres missed its last deadline: not asked");
    }
    const pool = this.#pool;
    const late = Promise.withResolvers<never>();
    const timer = clock.after(deadlineMs, () => {
      late.reject(new StoreError("deadline", `Postgres did not answer in ${deadlineMs} ms`));
    });
    try {
      return await Promise.race([question(pool), late.promise]);
    } catch (error) {
      if (error instanceof StoreError) {
        if (error.kind === "deadline") this.#leave(pool);
        throw error;
      }
      throw failureOf(error);
    } finally {
      timer.cancel();
    }
  }

  /** A frozen server keeps its connections for good: they are left behind and new ones made. */
  #leave(pool: SQL): void {
    if (pool !== this.#pool) return;
    this.#restUntil = this.#options.clock.now() + REST_MS;
    this.#pool = newPool(this.#options);
    void pool.close({ timeout: 0 }).catch(() => {}); // Whoever waited on it has been told already.
    for (const ear of this.#ears) this.#move(ear);
  }

  /** Hears again on the new connections as soon as they may be asked. */
  #move(ear: Ear): void {
    ear.stop = undefined;
    this.#options.clock.after(REST_MS, () => {
      if (!this.#ears.has(ear)) return;
      // What was said meanwhile is asked for by whoever follows; a new failure comes back here.
      this.#asked((pool) => attach(pool, ear)).catch(() => this.#move(ear));
    });
  }
}

interface Ear {
  readonly channel: string;
  readonly wake: () => void;
  stop: (() => void) | undefined;
}

async function attach(pool: SQL, ear: Ear): Promise<void> {
  // Bun listens again by itself after a lost connection and says so: that may have missed some.
  const registration = await pool.listen(ear.channel, ear.wake, ear.wake);
  ear.stop = () => void registration.unlisten().catch(() => {}); // It is gone either way.
}

function newPool({ url, deadlineMs, connectionsMax }: PostgresOptions): SQL {
  return new SQL(url, {
    max: connectionsMax ?? CONNECTIONS_MAX,
    connectionTimeout: Math.max(1, Math.ceil(deadlineMs / 1000)),
    idleTimeout: 30,
  });
}

async function ask(
  pool: { unsafe(text: string, params: SqlValue[]): Promise<unknown> },
  text: string,
  params: readonly SqlValue[],
): Promise<readonly SqlRow[]> {
  const rows = await pool.unsafe(numbered(text), [...params]);
  return Array.isArray(rows) ? (rows as SqlRow[]) : [];
}

/** `?` becomes `$1`, `$2`, …: none of our statements holds a question mark otherwise. */
export function numbered(text: string): string {
  let count = 0;
  return text.replaceAll("?", () => `$${++count}`);
}

/** A server that answers with an error is there; only the words for "not now" differ. */
function failureOf(error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") {
    return error;
  }
  const state = "errno" in error && typeof error.errno === "string" ? error.errno : "";
  if (state === "53100") return new StoreError("full", error.message, error);
  if (state === "57014") return new StoreError("deadline", error.message, error);
  // PostgreSQL, appendix A: connections, resources, the operator stepped in, a lost race.
  if (/^(08|53|57|40)/.test(state) || state === "") {
    return new StoreError("unavailable", error.message, error);
  }
  return new StoreError("refused", error.message, error);
}
