/** How this program starts itself: a binary is its own command, a source run needs `bun`. */
export function selfCommand(): readonly string[] {
  const compiled = Bun.main.startsWith("/$bunfs/") || Bun.main.includes("~BUN");
  return compiled ? [process.execPath] : [process.execPath, Bun.main];
}

/** A proxy from the environment would carry loopback traffic off the machine. */
const PROXY_NAMES = [
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "ALL_PROXY",
  "http_proxy",
  "https_proxy",
  "all_proxy",
];

export interface LaunchOptions {
  /** The core to keep the process on; undefined leaves it free. */
  readonly core: number | undefined;
  /** Variables added to the inherited environment, as `NAME=value`. */
  readonly variables: readonly string[];
}

/** The whole command line. `taskset` and `env` replace themselves, so the pid is the child's. */
export function launchCommand(command: readonly string[], options: LaunchOptions): string[] {
  const pin = options.core === undefined ? [] : ["taskset", "-c", String(options.core)];
  const clear = PROXY_NAMES.flatMap((name) => ["-u", name]);
  return [...pin, "env", ...clear, ...options.variables, ...command];
}
