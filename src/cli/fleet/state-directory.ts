import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

type Variables = Readonly<Record<string, string | undefined>>;

/** Where a service that nobody configured keeps its state. */
const SYSTEM_DIRECTORY = "/var/lib/interlock";
/** A unix socket's address holds 108 bytes, a zero among them. */
const SOCKET_PATH_MAX = 107;

/**
 * The directory of everything that outlives a process: the operator's word, systemd's
 * (`StateDirectory=`), the desktop's (XDG base directory specification). Undefined without a home.
 */
export function stateDirectory(env: Variables): string | undefined {
  const set = (name: string): string | undefined => env[name] || undefined;
  const own = set("INTERLOCK_STATE_DIR") ?? set("STATE_DIRECTORY")?.split(":")[0];
  if (own !== undefined) return own;
  const base = set("XDG_STATE_HOME") ?? (set("HOME") && join(set("HOME")!, ".local/state"));
  return base === undefined ? undefined : join(base, "interlock");
}

/** Where a command looks for running gateways: its own directory first. */
export function candidateDirectories(env: Variables): readonly string[] {
  const own = stateDirectory(env);
  return own === undefined ? [SYSTEM_DIRECTORY] : [own, SYSTEM_DIRECTORY];
}

/** The files of one running gateway. */
export interface RunFiles {
  readonly socket: string;
  readonly pid: string;
  /** Pids of the workers, so that a successor knows whose port it finds in use. */
  readonly workers: string;
}

export function runFiles(directory: string, address: RunAddress): RunFiles {
  const host = address.host.replace(/[^A-Za-z0-9.]/g, "_");
  const stem = join(directory, "run", `${host}-${address.port}`);
  return { socket: `${stem}.sock`, pid: `${stem}.pid`, workers: `${stem}.workers` };
}
export interface RunAddress {
  readonly host: string;
  readonly port: number;
}

/** Makes the directory of the run files, for its owner alone; a sentence when it cannot be had. */
export function prepareRunFiles({ socket }: RunFiles): string | undefined {
  if (Buffer.byteLength(socket) > SOCKET_PATH_MAX) {
    return `${socket} is too long for a socket: set INTERLOCK_STATE_DIR to a shorter path`;
  }
  try {
    mkdirSync(join(socket, ".."), { recursive: true, mode: 0o700 });
    chmodSync(join(socket, ".."), 0o700); // Whoever may write here may stop the gateway.
    return undefined;
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown error";
    return `${join(socket, "..")} cannot be used (${code}): set INTERLOCK_STATE_DIR`;
  }
}

/** Sockets of gateways that run, or ran, with this directory. */
export function socketsIn(directory: string): readonly string[] {
  try {
    const names = readdirSync(join(directory, "run")).filter((name) => name.endsWith(".sock"));
    return names.sort().map((name) => join(directory, "run", name));
  } catch {
    return []; // No gateway has run with it.
  }
}

/** Written aside and renamed, so that nobody reads half a number. */
export function writePids(path: string, pids: readonly number[]): void {
  const aside = `${path}.${process.pid}`;
  writeFileSync(aside, pids.map((pid) => `${pid}\n`).join(""), { mode: 0o600 });
  renameSync(aside, path);
}

export function readPids(path: string): readonly number[] {
  try {
    return readFileSync(path, "utf8").split("\n").filter(Boolean).map(Number);
  } catch {
    return []; // Nothing was written: nobody ran, or it ended in order.
  }
}

export function removeRunFiles({ pid, workers }: RunFiles): void {
  rmSync(pid, { force: true });
  rmSync(workers, { force: true });
}

/** Whether a process is there, ours or another's. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return cause instanceof Error && "code" in cause && cause.code === "EPERM";
  }
}
