import { readFileSync } from "node:fs";
import { claimPort, listenProblem } from "./listening.ts";
import { isAlive, readPids, runFiles } from "./state-directory.ts";

export interface PortChoice {
  readonly host: string;
  /** 0 leaves it to chance. */
  readonly port: number;
  /** The port of the gateway whose place we take. */
  readonly heir: number | undefined;
  readonly directory: string | undefined;
}

/** The port to listen on, shared with nobody but our own kind; a sentence when it is taken. */
export function choosePort({ host, port, heir, directory }: PortChoice): number | string {
  if (heir !== undefined && (port === 0 || port === heir)) return heir;
  try {
    return claimPort(host, port);
  } catch (cause) {
    // A supervisor that was killed leaves workers behind, which are about to end: we share with
    // them, or nobody would be answered until they have.
    const orphaned = directory !== undefined && hasOrphans(directory, host, port);
    return orphaned ? port : listenProblem(cause, host, port);
  }
}

function hasOrphans(directory: string, host: string, port: number): boolean {
  const { pid, workers } = runFiles(directory, { host, port });
  return !readPids(pid).some(isAlive) && readPids(workers).some(isWorker);
}

/** A number may have gone to another program since. */
function isWorker(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0").includes("worker");
  } catch {
    return false; // It is gone.
  }
}
