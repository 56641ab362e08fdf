import { readFileSync } from "node:fs";
import { FETCH_CAP_VARIABLE } from "../reexec.ts";

/** What the runtime allows without the variable, or with one it cannot read. */
const DEFAULT_CAP = 256;
/** The runtime reads the number into 16 bits (a value of 70000 left 256, tried on Bun 1.4.4). */
const CAP_MAX = 65_535;

/**
 * Why this process may run no more than 256 fetches at once, or undefined when it may: 257 real
 * ones would take a third of a cold start. The runtime reads the variable before any of our code,
 * so what counts is the environment the process was started with.
 */
export function fetchCapProblem(startedWith: string | undefined): string | undefined {
  const fix = `unset it, or set it to a whole number from ${DEFAULT_CAP + 1} to ${CAP_MAX}`;
  if (startedWith === undefined) {
    return `${FETCH_CAP_VARIABLE} was not set when this process started: ${fix}`;
  }
  const isRead = /^\d{1,5}$/.test(startedWith) && Number(startedWith) <= CAP_MAX;
  if (isRead && Number(startedWith) > DEFAULT_CAP) return undefined;
  const meaning = isRead && Number(startedWith) > 0 ? startedWith : String(DEFAULT_CAP);
  return `${FETCH_CAP_VARIABLE}=${startedWith} lets only ${meaning} requests run at once: ${fix}`;
}

/** The variable as the kernel handed it to this process, whatever was done to it since. */
export function fetchCapAtStart(
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  try {
    return variableIn(readFileSync("/proc/self/environ", "utf8"));
  } catch {
    return env[FETCH_CAP_VARIABLE]; // Only Linux has this file.
  }
}

function variableIn(environ: string): string | undefined {
  const prefix = `${FETCH_CAP_VARIABLE}=`;
  return environ
    .split("\0")
    .find((line) => line.startsWith(prefix))
    ?.slice(prefix.length);
}
