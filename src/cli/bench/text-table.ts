import type { Spread } from "./stats.ts";

const MISSING = "–";

/** Aligned columns: the first to the left, figures to the right. */
export function textTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) =>
    Math.max(...all.map((row) => (row[column] ?? "").length)),
  );
  const line = (row: readonly string[]) =>
    widths
      .map((width, column) => {
        const cell = row[column] ?? "";
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd();
  return all.map((row) => `  ${line(row)}\n`).join("");
}

/** Microseconds, as µs or ms. */
export function time(micros: number | undefined): string {
  if (micros === undefined || Number.isNaN(micros)) return MISSING;
  const size = Math.abs(micros);
  if (size < 1000) return `${micros.toFixed(0)} µs`;
  return `${(micros / 1000).toFixed(size < 100_000 ? 2 : 0)} ms`;
}

/** A difference in microseconds, with its sign. */
export function addedTime(spread: Spread | undefined): string {
  if (spread === undefined) return MISSING;
  return `${spread.median < 0 ? "" : "+"}${time(spread.median)}`;
}

export function timeOf(spread: Spread | undefined): string {
  return time(spread?.median);
}

/** A median with its least and greatest. */
export function rate(spread: Spread | undefined): string {
  if (spread === undefined) return MISSING;
  return `${count(spread.median)} (${count(spread.min)}-${count(spread.max)})`;
}

export function ratio(spread: Spread | undefined): string {
  return spread === undefined ? MISSING : spread.median.toFixed(2);
}

export function percent(spread: Spread | undefined): string {
  return spread === undefined ? MISSING : `${(spread.median * 100).toFixed(0)} %`;
}

export function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? MISSING : `${(bytes / 1e6).toFixed(0)} MB`;
}

/** A whole number with its thousands apart. */
export function count(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ",");
}
