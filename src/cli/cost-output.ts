import { writeCsv } from "../state/ledger/csv.ts";
import { rangeOf } from "../state/ledger/window.ts";
import { textTable } from "./bench/text-table.ts";
import type { LedgerQuestion } from "./cost-arguments.ts";
import { EXIT, type Io } from "./io.ts";

/** One column of a report: how machines read it, and how people do. */
export interface Column<Row> {
  /** In JSON and CSV. */
  readonly name: string;
  /** In the table. */
  readonly title: string;
  readonly value: (row: Row) => string | number | undefined;
  /** Undefined where the value reads well as it is. */
  readonly text?: ((row: Row) => string) | undefined;
  /** People read it in the title. */
  readonly machineOnly?: true;
}

const MISSING = "–";

/** Rows as the question wants them put. */
export function report<Row>(
  io: Pick<Io, "stdout">,
  question: Pick<LedgerQuestion, "output">,
  { columns, rows, total, title, notes }: Report<Row>,
): void {
  switch (question.output) {
    case "json":
      io.stdout(`${JSON.stringify(rows.map((row) => objectOf(columns, row)))}\n`);
      return;
    case "csv": {
      const lines = rows.map((row) => columns.map(({ value }) => value(row) ?? ""));
      io.stdout(writeCsv([columns.map(({ name }) => name), ...lines]));
      return;
    }
    case "text": {
      const shown = columns.filter(({ machineOnly }) => machineOnly !== true);
      const cells = (row: Row): string[] =>
        shown.map(({ value, text }) => text?.(row) ?? String(value(row) ?? MISSING));
      const lines = rows.map(cells);
      if (total !== undefined) lines.push(["total", ...cells(total).slice(1)]);
      const table = textTable(
        shown.map((column) => column.title),
        lines,
      );
      io.stdout(`${title}\n\n${table}${notes.map((note) => `\n${note}\n`).join("")}`);
    }
  }
}

export interface Report<Row> {
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  /** Shown below the rows, to people only. */
  readonly total: Row | undefined;
  readonly title: string;
  readonly notes: readonly string[];
}

/** Nothing is known: said so, and never filled with samples. */
export function noData(io: Pick<Io, "stdout">, { output }: Pick<LedgerQuestion, "output">): number {
  if (output === "json") io.stdout("[]\n");
  if (output === "text") io.stdout("no data\n");
  return EXIT.ok;
}

/** `the last 24h, to 2030-01-15 12:30 UTC`. */
export function windowText({ window, windowMs }: LedgerQuestion, now: number): string {
  const until = `to ${minuteText(now)} UTC`;
  if (windowMs === Number.POSITIVE_INFINITY) return `all time, ${until}`;
  return `the last ${window}, ${minuteText(rangeOf(windowMs, now).from)} ${until}`;
}

/** Says on standard error what was asked for in vain. */
export function warnUnused(io: Pick<Io, "stderr">, unused: readonly string[]): void {
  for (const name of unused) {
    io.stderr(`interlock: --${name} is not used here: this reads the ledger of this machine\n`);
  }
}

function minuteText(wall: number): string {
  return new Date(wall).toISOString().slice(0, 16).replace("T", " ");
}

function objectOf<Row>(columns: readonly Column<Row>[], row: Row): Record<string, unknown> {
  return Object.fromEntries(columns.map(({ name, value }) => [name, value(row) ?? null]));
}
