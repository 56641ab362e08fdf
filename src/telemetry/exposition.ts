import { escapeHelp } from "./labels.ts";
import type { Family, Registry } from "./registry.ts";

/** What `renderMetrics` writes, as a content type: Prometheus text format 0.0.4. */
export const METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** All metrics as text for a scraper. A family without series is left out. */
export function renderMetrics(registry: Registry): string {
  let text = "";
  for (const family of registry.families()) text += renderFamily(family);
  return text;
}

function renderFamily({ name, help, kind, emit }: Family): string {
  let samples = "";
  emit((suffix, labels, value) => {
    samples += `${name}${suffix}${labels === "" ? "" : `{${labels}}`} ${numberText(value)}\n`;
  });
  if (samples === "") return "";
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${kind}\n${samples}`;
}

/** The format's numbers are Go's, which JavaScript's are except for the spelling of infinity. */
function numberText(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}
