/** What a column of a provider's export can say. */
export type ExportField =
  | "day"
  | "model"
  | "requests"
  /** Every input token. */
  | "input"
  /** Input that no cache had anything to do with. */
  | "input_uncached"
  | "cache_read"
  | "cache_write"
  | "cache_write_1h"
  | "output"
  | "cost"
  /** One row for each kind of token, which this column names. */
  | "kind"
  | "tokens";

/**
 * Names of columns, as providers and spreadsheets write them, by words only: `Input Tokens`,
 * `input_tokens` and `inputTokens` are one. The first that fits counts.
 */
const NAMES: Readonly<Record<ExportField, readonly string[]>> = {
  day: [
    ...["date", "day", "usage date utc", "usage date", "start time iso", "start time", "timestamp"],
    ...["time", "created at", "bucket start", "bucket start time", "utc date", "period start"],
  ],
  model: ["model", "model version", "model name", "model id", "snapshot id", "line item"],
  requests: [
    ...["requests", "num model requests", "num requests", "n requests", "request count", "calls"],
    "api requests",
  ],
  input: [
    ...["input tokens", "prompt tokens", "n context tokens total", "tokens prompt", "input"],
    ...["total input tokens", "input token count", "tokens in"],
  ],
  input_uncached: [
    ...["usage input tokens no cache", "uncached input tokens", "input tokens no cache"],
    ...["cache miss tokens", "prompt cache miss tokens", "input uncached tokens"],
  ],
  cache_read: [
    ...["input cached tokens", "cached input tokens", "usage input tokens cache read"],
    ...["cache read input tokens", "cache read tokens", "cached tokens", "cache hit tokens"],
    ...["prompt cache hit tokens", "n cached context tokens total", "tokens cached"],
  ],
  cache_write: [
    ...["usage input tokens cache write 5 m", "cache creation input tokens", "cache write tokens"],
    ...["cache write 5 m tokens", "cache creation tokens", "input cache write tokens"],
  ],
  cache_write_1h: ["usage input tokens cache write 1 h", "cache write 1 h tokens"],
  output: [
    ...["output tokens", "completion tokens", "n generated tokens total", "usage output tokens"],
    ...["tokens completion", "output", "total output tokens", "tokens out"],
  ],
  cost: [
    ...["cost usd", "cost", "amount value", "amount", "amount usd", "total cost", "usd", "spend"],
    "cost in usd",
  ],
  kind: ["token type", "usage type", "type"],
  tokens: ["tokens", "token count", "quantity"],
};

export type ColumnMap = ReadonlyMap<ExportField, number>;

/** Which column says what; `chosen` names columns by hand and goes before every guess. */
export function mapColumns(
  header: readonly string[],
  chosen: ReadonlyMap<ExportField, string>,
): ColumnMap {
  const words = header.map(wordsOf);
  const found = new Map<ExportField, number>();
  for (const field of Object.keys(NAMES) as ExportField[]) {
    const names = chosen.has(field) ? [wordsOf(chosen.get(field) ?? "")] : NAMES[field];
    const at = names.map((name) => words.indexOf(name)).find((index) => index >= 0);
    if (at !== undefined) found.set(field, at);
  }
  return found;
}

export const EXPORT_FIELDS = Object.keys(NAMES) as readonly ExportField[];

/** `usage_inputTokens (5m)` is `usage input tokens 5 m`. */
export function wordsOf(name: string): string {
  return name
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .replace(/(\d)([a-z])/g, "$1 $2")
    .replace(/[^a-z0-9]+/g, " ")
    .trim();
}
