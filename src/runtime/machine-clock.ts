import { readFileSync } from "node:fs";

let base: bigint | undefined;

/**
 * Nanoseconds since the machine started, by one clock in every process: what processes that share
 * limits must agree on. The runtime's own begins at 0 in each, so the difference is read once, to a
 * hundredth of a second; asking the C library would cost 100 ms of start-up.
 */
export function machineNow(): bigint {
  base ??= uptime() - sinceStart();
  return base + sinceStart();
}

function sinceStart(): bigint {
  return BigInt(Math.round(performance.now() * 1e6));
}

/** proc(5). Where it is missing, one process has no peers to agree with. */
function uptime(): bigint {
  try {
    const [seconds = "0"] = readFileSync("/proc/uptime", "utf8").split(" ");
    return BigInt(Math.round(Number(seconds) * 1000)) * 1_000_000n;
  } catch {
    return sinceStart();
  }
}
