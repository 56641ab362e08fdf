import type { Ms } from "../../core/units.ts";
import { nanoOfDollars } from "../rate-card/money.ts";
import type { NanoAmount } from "../rate-card/prices.ts";
import { readCsv } from "./csv.ts";
import { type ColumnMap, type ExportField, mapColumns, wordsOf } from "./export-columns.ts";

/** What a provider says one model used on one day. Undefined is what its export leaves out. */
export interface ExportLine {
  readonly day: Ms;
  readonly model: string;
  readonly requests: number | undefined;
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
  readonly cacheReadTokens: number | undefined;
  readonly nano: NanoAmount | undefined;
}

export interface ProviderExport {
  readonly lines: readonly ExportLine[];
  /** Which column was taken for what. */
  readonly columns: ReadonlyMap<ExportField, string>;
  /** Rows that could not be read, with their line number; nothing of them is in `lines`. */
  readonly skipped: readonly { readonly row: number; readonly why: string }[];
}

const DAY_MS: Ms = 86_400_000;

/** Reads a provider's export; a sentence when it has no day or no model. */
export function readExport(
  text: string,
  chosen: ReadonlyMap<ExportField, string> = new Map(),
): ProviderExport | string {
  const [header, ...rows] = readCsv(text);
  if (header === undefined) return "the file is empty";
  const columns = mapColumns(header, chosen);
  for (const field of ["day", "model"] as const) {
    if (!columns.has(field)) {
      const names = header.join(", ");
      return `no column is the ${field}: name it with --column ${field}=NAME (${names})`;
    }
  }
  const sums = new Map<string, Mutable>();
  const skipped: { row: number; why: string }[] = [];
  for (const [index, row] of rows.entries()) {
    const why = addRow(sums, row, columns);
    if (why !== undefined) skipped.push({ row: index + 2, why });
  }
  const names = [...columns].map(([field, at]) => [field, header[at] ?? ""] as const);
  return { lines: [...sums.values()], columns: new Map(names), skipped };
}

type Mutable = { -readonly [Name in keyof ExportLine]: ExportLine[Name] };

/** Adds one row to its day and model; a sentence when it cannot be read. */
function addRow(
  sums: Map<string, Mutable>,
  row: readonly string[],
  columns: ColumnMap,
): string | undefined {
  const cell = (field: ExportField): string => row[columns.get(field) ?? -1]?.trim() ?? "";
  const day = dayOf(cell("day"));
  if (day === undefined) return `${cell("day")} is no day`;
  const model = cell("model");
  if (model === "") return "it names no model";
  const counts = countsOf(cell);
  if (typeof counts === "string") return counts;
  const key = `${day} ${model.toLowerCase()}`;
  const line = sums.get(key) ?? { ...EMPTY, day, model };
  sums.set(key, line);
  line.requests = plus(line.requests, counts.requests);
  line.inputTokens = plus(line.inputTokens, counts.inputTokens);
  line.outputTokens = plus(line.outputTokens, counts.outputTokens);
  line.cacheReadTokens = plus(line.cacheReadTokens, counts.cacheReadTokens);
  if (counts.nano !== undefined) line.nano = (line.nano ?? 0n) + counts.nano;
  return undefined;
}

type Counts = Omit<ExportLine, "day" | "model">;
const EMPTY: Counts = {
  requests: undefined,
  inputTokens: undefined,
  outputTokens: undefined,
  cacheReadTokens: undefined,
  nano: undefined,
};

function countsOf(cell: (field: ExportField) => string): Counts | string {
  const numbers = new Map<ExportField, number>();
  for (const field of COUNTED) {
    const text = cell(field);
    if (text === "") continue;
    const value = wholeOf(text);
    if (value === undefined) return `${text} is no number of ${field}`;
    numbers.set(field, value);
  }
  const cost = cell("cost");
  const nano = cost === "" ? undefined : nanoOfCell(cost);
  if (cost !== "" && nano === undefined) return `${cost} is no amount of dollars`;
  return { ...tokensOf(numbers, wordsOf(cell("kind"))), requests: numbers.get("requests"), nano };
}

const COUNTED: readonly ExportField[] = [
  ...(["requests", "input", "input_uncached", "cache_read", "cache_write"] as const),
  ...(["cache_write_1h", "output", "tokens"] as const),
];

/** Every input token once, however the export takes them apart. */
function tokensOf(
  numbers: ReadonlyMap<ExportField, number>,
  kind: string,
): Pick<Counts, "inputTokens" | "outputTokens" | "cacheReadTokens"> {
  const tokens = numbers.get("tokens");
  if (tokens !== undefined && !numbers.has("input") && !numbers.has("output")) {
    const isCacheRead = /cache (read|hit)|cached/.test(kind);
    const isOutput = /output|completion/.test(kind);
    return {
      inputTokens: isOutput ? undefined : tokens,
      outputTokens: isOutput ? tokens : undefined,
      cacheReadTokens: isCacheRead ? tokens : undefined,
    };
  }
  const cacheReadTokens = numbers.get("cache_read");
  const uncached = numbers.get("input_uncached");
  const parts = [cacheReadTokens, numbers.get("cache_write"), numbers.get("cache_write_1h")];
  const whole = uncached === undefined ? undefined : parts.reduce<number>(add, uncached);
  return {
    inputTokens: numbers.get("input") ?? whole,
    outputTokens: numbers.get("output"),
    cacheReadTokens,
  };
}

function add(sum: number, value: number | undefined): number {
  return sum + (value ?? 0);
}

function plus(a: number | undefined, b: number | undefined): number | undefined {
  return b === undefined ? a : (a ?? 0) + b;
}

/** `1,234`, `1234`, `1234.0`. */
function wholeOf(text: string): number | undefined {
  const plain = text.replaceAll(",", "").replace(/\.0+$/, "");
  const value = /^\d{1,15}$/.test(plain) ? Number(plain) : undefined;
  return value;
}

/** `$1,234.56`, `1.2e-5`, `0.00001234567891`: to the nearest nano-dollar. */
function nanoOfCell(text: string): NanoAmount | undefined {
  const plain = text
    .replace(/^\$|USD$/g, "")
    .replaceAll(",", "")
    .trim();
  const value = Number(plain);
  if (plain === "" || !Number.isFinite(value) || value < 0 || value > 1e6) return undefined;
  return nanoOfDollars(value.toFixed(9));
}

/** A date, a date and time, or Unix seconds; always UTC. */
function dayOf(text: string): Ms | undefined {
  const moment = /^\d{9,10}$/.test(text) ? Number(text) * 1000 : dateOf(text);
  return Number.isNaN(moment) ? undefined : Math.floor(moment / DAY_MS) * DAY_MS;
}

function dateOf(text: string): Ms {
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?(?:\.\d+)?))?\s*(.*)$/.exec(
    text,
  );
  if (match === null) return Number.NaN;
  const [, date, time = "00:00", zone = ""] = match;
  const isUtc = zone === "" || /^(Z|UTC|\+00:?00)$/i.test(zone);
  return Date.parse(`${date}T${time}${isUtc ? "Z" : zone}`);
}
