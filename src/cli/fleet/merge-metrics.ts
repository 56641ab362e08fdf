import { renderMetrics } from "../../telemetry/exposition.ts";
import type { Registry } from "../../telemetry/registry.ts";

/** One metric as it was exposed: its two comment lines, and its samples by name and labels. */
interface ExposedFamily {
  readonly kind: string;
  readonly heading: string;
  readonly samples: Map<string, number>;
}
/** An exposition that was read back, by family. */
export type Exposition = Map<string, ExposedFamily>;

/**
 * What is put together: `generations` of one configuration after the other in one process, oldest
 * first, or `processes` beside each other.
 */
export type Span = "generations" | "processes";

type Rule = (before: number, next: number) => number;
const sum: Rule = (before, next) => before + next;
const least: Rule = (before, next) => Math.min(before, next);
const most: Rule = (before, next) => Math.max(before, next);
const latest: Rule = (_before, next) => next;

/** Metrics that add up neither as counters nor as most gauges do. */
const RULES: { readonly [name: string]: { readonly [S in Span]: Rule } } = {
  gateway_requests_in_flight: { generations: sum, processes: sum },
  gateway_cache_size_bytes: { generations: latest, processes: sum },
  gateway_log_lines_dropped_total: { generations: latest, processes: sum },
  process_resident_memory_bytes: { generations: latest, processes: sum },
  process_cpu_seconds_total: { generations: latest, processes: sum },
  process_open_fds: { generations: latest, processes: sum },
  process_start_time_seconds: { generations: least, processes: least },
};

function ruleOf(name: string, kind: string, span: Span): Rule {
  const own = RULES[name];
  if (own !== undefined) return own[span];
  if (kind !== "gauge") return sum;
  return span === "generations" ? latest : most;
}

/** Reads what `renderMetrics` wrote. Anything else in the text is left out. */
export function readExposition(text: string): Exposition {
  const found: Exposition = new Map();
  let family: ExposedFamily | undefined;
  let help = "";
  for (const line of text.split("\n")) {
    if (line.startsWith("# HELP ")) help = line;
    else if (line.startsWith("# TYPE ")) {
      const [name = "", kind = ""] = line.slice("# TYPE ".length).split(" ");
      family = { kind, heading: `${help}\n${line}\n`, samples: new Map() };
      found.set(name, family);
    } else if (family !== undefined) {
      const space = line.lastIndexOf(" ");
      if (space > 0) family.samples.set(line.slice(0, space), numberOf(line.slice(space + 1)));
    }
  }
  return found;
}

/** Puts several expositions together by series. */
export function mergeExpositions(all: readonly Exposition[], span: Span): Exposition {
  const merged: Exposition = new Map();
  for (const [name, { kind, heading, samples }] of all.flatMap((each) => [...each])) {
    let family = merged.get(name);
    if (family === undefined) merged.set(name, (family = { kind, heading, samples: new Map() }));
    const rule = ruleOf(name, kind, span);
    for (const [series, value] of samples) {
      const before = family.samples.get(series);
      family.samples.set(series, before === undefined ? value : rule(before, value));
    }
  }
  return merged;
}

/** What outlives a process or a generation: its counts. Its gauges spoke of what is gone. */
export function countsOf(exposition: Exposition, span: Span): Exposition {
  const counts = [...exposition].filter(([name, { kind }]) => {
    return kind !== "gauge" && ruleOf(name, kind, span) === sum;
  });
  return new Map(counts);
}

/** The text for a scraper. */
export function writeExposition(exposition: Exposition): string {
  let text = "";
  for (const { heading, samples } of exposition.values()) {
    if (samples.size > 0) text += heading;
    for (const [series, value] of samples) text += `${series} ${textOf(value)}\n`;
  }
  return text;
}

/** A registry as it would be read back. */
export function expositionOf(registry: Registry): Exposition {
  return readExposition(renderMetrics(registry));
}

/** Go's spelling of infinity; the rest is JavaScript's too. */
function numberOf(text: string): number {
  if (text === "+Inf") return Infinity;
  return text === "-Inf" ? -Infinity : Number(text);
}

function textOf(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}
