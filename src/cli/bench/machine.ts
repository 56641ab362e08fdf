import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, type } from "node:os";
import { VERSION } from "../../core/version.ts";
import { systemClock } from "../../runtime/clock.ts";

/** What a figure has to be read with. */
export interface Machine {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
  readonly bun: string;
  readonly interlock: string;
  /** One, five and fifteen minutes, before anything was started. */
  readonly load: readonly number[];
}

/** Which core each side is kept on; undefined when nothing is pinned. */
export interface Cores {
  readonly gateway: number;
  readonly mock: number;
  readonly load: number;
}

/** Swedish writes dates as ISO 8601 does. */
const UTC_DATE = new Intl.DateTimeFormat("sv-SE", {
  dateStyle: "short",
  timeStyle: "medium",
  timeZone: "UTC",
});

/** What is known before anything was started. */
export function describeMachine(): Machine {
  return {
    date: `${UTC_DATE.format(systemClock.wall())} UTC`,
    cpu: cpus()[0]?.model.trim() ?? "unknown CPU",
    cores: availableParallelism(),
    kernel: `${type()} ${release()}`,
    bun: Bun.version,
    interlock: VERSION,
    load: loadavg().map((value) => Math.round(value * 100) / 100),
  };
}

/** Gateway alone on one core, mock and load elsewhere; needs two cores and `taskset`. */
export function planCores(): Cores | undefined {
  if (Bun.which("taskset") === null) return undefined;
  const [gateway, mock, load] = allowedCores();
  if (gateway === undefined || mock === undefined) return undefined;
  return { gateway, mock, load: load ?? mock };
}

function allowedCores(): readonly number[] {
  try {
    const status = readFileSync("/proc/self/status", "utf8");
    return parseCpuList(/^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? "");
  } catch {
    return []; // No /proc here: nothing is pinned, and the report says so.
  }
}

/** The kernel's list format: `0-3,8`. */
export function parseCpuList(text: string): readonly number[] {
  return text.split(",").flatMap((range) => {
    const [first, last] = range.split("-").map(Number);
    if (range === "" || first === undefined) return [];
    return Array.from({ length: (last ?? first) - first + 1 }, (_, index) => first + index);
  });
}
