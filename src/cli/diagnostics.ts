import type { Diagnostic } from "../config/config.ts";

/** Diagnostics for people: grouped by path, each reason with its fix below. */
export function diagnosticsText(title: string, found: readonly Diagnostic[]): string {
  if (found.length === 0) return "";
  const lines = [`${title} (${found.length}):`];
  const byPath = Map.groupBy(found, (each) => each.path);
  for (const [path, group] of byPath) {
    lines.push(`  ${path}`);
    for (const { reason, fix } of group) lines.push(`    ${reason}`, `    fix: ${fix}`);
  }
  return `${lines.join("\n")}\n`;
}

/** What is read and changes nothing yet. */
export function notActiveText(paths: readonly string[]): string {
  if (paths.length === 0) return "";
  const lines = ["Not active yet (read and checked, changes nothing):"];
  for (const path of paths) lines.push(`  ${path}`);
  return `${lines.join("\n")}\n`;
}
