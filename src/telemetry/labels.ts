/** The labels of one series: every name of its family with a value. */
export type Labels<L extends string> = Readonly<Record<L, string>>;

/**
 * Labels as the exposition format spells them, without braces. Escaped, so two different label sets
 * never give the same text: it serves as the series' key too.
 */
export function labelText<L extends string>(names: readonly L[], labels: Labels<L>): string {
  let text = "";
  for (const name of names) {
    text += `${text === "" ? "" : ","}${name}="${escapeLabel(labels[name])}"`;
  }
  return text;
}

/** Prometheus text format 0.0.4: backslash, quote and line feed, nothing else. */
export function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

/** Help text escapes the same but leaves quotes alone. */
export function escapeHelp(help: string): string {
  return help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
