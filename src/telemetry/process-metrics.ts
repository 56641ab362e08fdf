import { readdirSync } from "node:fs";
import type { Ms } from "../core/units.ts";
import type { Registry } from "./registry.ts";

/** The usual `process_*` metrics. `startedWall` is when this process began, since the epoch. */
export function registerProcessMetrics(registry: Registry, startedWall: Ms): void {
  registry.sampled({
    kind: "gauge",
    name: "process_resident_memory_bytes",
    help: "Resident memory of this process.",
    labels: [],
    read: () => [[{}, residentBytes()]],
  });
  registry.sampled({
    kind: "counter",
    name: "process_cpu_seconds_total",
    help: "User and system CPU time this process has used.",
    labels: [],
    read: () => [[{}, cpuSeconds()]],
  });
  registry.sampled({
    kind: "gauge",
    name: "process_open_fds",
    help: "File descriptors this process holds open.",
    labels: [],
    read: openFiles,
  });
  registry.sampled({
    kind: "gauge",
    name: "process_start_time_seconds",
    help: "When this process started, in seconds since the epoch.",
    labels: [],
    read: () => [[{}, startedWall / 1000]],
  });
}

/** Resident memory right now; health shows it too. */
export function residentBytes(): number {
  return process.memoryUsage.rss();
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Nothing where the system does not list them: no sample is better than a wrong one. */
function openFiles(): (readonly [Record<never, string>, number])[] {
  try {
    // Reading the folder holds one descriptor open that is gone by the time anyone looks.
    return [[{}, readdirSync("/proc/self/fd").length - 1]];
  } catch {
    return []; // Only Linux has this folder; elsewhere the metric is left out.
  }
}
