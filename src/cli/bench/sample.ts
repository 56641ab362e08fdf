import { readdirSync, readFileSync } from "node:fs";

/** Linux reports process time to user space in hundredths of a second on every architecture. */
const TICK_MS = 10;

/** What some processes have used together. */
export interface ProcessSample {
  readonly cpuMs: number;
  readonly rssBytes: number;
}

/** A process and all its descendants: a gateway may be a supervisor with workers. */
export function processTree(root: number): readonly number[] {
  const parents = new Map<number, number>();
  for (const entry of list("/proc")) {
    const stat = /^\d+$/.test(entry) ? parseStat(read(`/proc/${entry}/stat`) ?? "") : undefined;
    if (stat !== undefined) parents.set(Number(entry), stat.parent);
  }
  const tree = [root];
  for (const member of tree) {
    for (const [pid, parent] of parents) if (parent === member) tree.push(pid);
  }
  return tree;
}

/** CPU time and memory of these processes; undefined when one is gone or there is no /proc. */
export function sample(pids: readonly number[]): ProcessSample | undefined {
  let cpuMs = 0;
  let rssBytes = 0;
  for (const pid of pids) {
    const stat = parseStat(read(`/proc/${pid}/stat`) ?? "");
    const rss = parseRss(read(`/proc/${pid}/status`) ?? "");
    if (stat === undefined || rss === undefined) return undefined;
    cpuMs += stat.cpuMs;
    rssBytes += rss;
  }
  return pids.length === 0 ? undefined : { cpuMs, rssBytes };
}

/** Time all cores together have spent on anything since the machine started. */
export function machineBusyMs(): number | undefined {
  return parseBusy(read("/proc/stat") ?? "");
}

/** The first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal. */
export function parseBusy(text: string): number | undefined {
  const [user, nice, system, , , irq, soft, steal] = text.slice(5).split(/\s/, 8).map(Number);
  if (!text.startsWith("cpu  ") || user === undefined || nice === undefined) return undefined;
  return (user + nice + (system ?? 0) + (irq ?? 0) + (soft ?? 0) + (steal ?? 0)) * TICK_MS;
}

/** The fields of /proc/PID/stat that matter here. The name may hold spaces and parentheses. */
export function parseStat(
  text: string,
): { readonly parent: number; readonly cpuMs: number } | undefined {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [parent, user, system] = [fields[1], fields[11], fields[12]].map(Number);
  if (parent === undefined || user === undefined || system === undefined) return undefined;
  if (Number.isNaN(parent + user + system)) return undefined;
  return { parent, cpuMs: (user + system) * TICK_MS };
}

/** Resident memory in /proc/PID/status. */
export function parseRss(text: string): number | undefined {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // The process ended, or there is no /proc: callers have a value for it.
  }
}

function list(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return []; // No /proc here: the figures that need it are left out.
  }
}
