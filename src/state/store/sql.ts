/** A value of a column: integers come as whatever the engine gives them as. */
export type SqlValue = string | number | bigint | null;
export type SqlRow = { readonly [column: string]: SqlValue };

/**
 * The little of SQL that both engines share: `?` for parameters, one statement a call, and
 * statements that are written once for both.
 */
export interface SqlRunner {
  rows(text: string, params?: readonly SqlValue[]): Promise<readonly SqlRow[]>;
}

export interface Sql extends SqlRunner {
  readonly engine: Engine;
  /** All of it or nothing. Transactions that write are one after the other, in every process. */
  transaction<T>(work: (within: SqlRunner) => Promise<T>): Promise<T>;
  /** Several statements at once, without parameters: for migrations. */
  script(text: string): Promise<void>;
  /** Calls `wake` when another process may have appended; returns how to stop. */
  listen(channel: string, wake: () => void): Promise<() => void>;
  close(): Promise<void>;
}
export type Engine = "sqlite" | "postgres";

/** A store that did not do what it was asked, and whether asking again may help. */
export class StoreError extends Error {
  readonly kind: StoreFailure;
  constructor(kind: StoreFailure, message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}
/** `deadline`: nothing is known about what became of it; every write here may be asked again. */
export type StoreFailure = "deadline" | "unavailable" | "full" | "refused";

/** @throws when the column is missing or no whole number that a number holds exactly. */
export function int(value: SqlValue | undefined): number {
  const whole = Number(big(value));
  if (!Number.isSafeInteger(whole)) throw new Error(`${value} is too large for a number`);
  return whole;
}

/** @throws when the column is missing or no whole number. */
export function big(value: SqlValue | undefined): bigint {
  if (value === undefined || value === null) throw new Error("a number was expected, not null");
  return BigInt(value);
}

/** @throws when the column is missing or not text. */
export function str(value: SqlValue | undefined): string {
  if (typeof value !== "string") throw new Error(`text was expected, not ${value}`);
  return value;
}

export function orNull<T>(
  value: SqlValue | undefined,
  read: (value: SqlValue) => T,
): T | undefined {
  return value === null || value === undefined ? undefined : read(value);
}

/** The only row of a query that always has one. @throws when it has none. */
export function only(rows: readonly SqlRow[]): SqlRow {
  const [row] = rows;
  if (row === undefined) throw new Error("a query that always answers one row answered none");
  return row;
}

/** `(?, ?), (?, ?)`: places for `rowCount` rows of `columnCount` values. */
export function places(rowCount: number, columnCount: number): string {
  const row = `(${Array(columnCount).fill("?").join(", ")})`;
  return Array(rowCount).fill(row).join(", ");
}
