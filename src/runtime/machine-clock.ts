import { readFileSync } from "node:fs";
import type { Ms } from "../core/units.ts";

let base: bigint | undefined;

/**
 * Nanoseconds since the machine started, by one clock in every process: what processes that share
 * limits must agree on. The runtime's own begins at 0 in each, so the difference is read once, to a
 * hundredth of a second; asking the C library would cost 100 ms of start-up.
 */
export function machineNow(): bigint {
  base ??= (uptime() ?? sinceStart()) - sinceStart(); // Without it, nobody is to agree with.
  return base + sinceStart();
}

/**
 * Since the machine started, the time it slept included, to a hundredth of a second; undefined
 * where no file says it.
 */
export function sinceBoot(): Ms | undefined {
  const up = uptime();
  return up === undefined ? undefined : Number(up / 1_000_000n);
}

function sinceStart(): bigint {
  return BigInt(Math.round(performance.now() * 1e6));
}

/** proc(5). */
function uptime(): bigint | undefined {
  try {
    const [seconds = "0"] = readFileSync("/proc/uptime", "utf8").split(" ");
    return BigInt(Math.round(Number(seconds) * 1000)) * 1_000_000n;
  } catch {
    return undefined;
  }
}
