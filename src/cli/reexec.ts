/** Bun allows 256 fetches in flight unless told otherwise before it starts. */
export const FETCH_CAP_VARIABLE = "BUN_CONFIG_MAX_HTTP_REQUESTS";
const FETCH_CAP = "60000";

/** Variables that change where bytes go, print secrets or load code; Bun reads them at any time. */
const SCRUBBED = [
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "ALL_PROXY",
  "NO_PROXY",
  "BUN_CONFIG_VERBOSE_FETCH",
  "BUN_OPTIONS",
  "BUN_INSPECT",
  "NODE_OPTIONS",
  "NODE_TLS_REJECT_UNAUTHORIZED",
  "SSLKEYLOGFILE",
];

/** The environment a gateway runs in: the fetch cap raised, the variables above gone. */
export function servingEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const gone = new Set(SCRUBBED.flatMap((name) => [name, name.toLowerCase()]));
  const kept: Record<string, string> = { [FETCH_CAP_VARIABLE]: FETCH_CAP };
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !gone.has(name)) kept[name] = value;
  }
  return kept;
}

/** Whether this process must start itself again to get that environment. */
export function mustReexec(env: Readonly<Record<string, string | undefined>>): boolean {
  if (env[FETCH_CAP_VARIABLE] === undefined) return true;
  return SCRUBBED.some((name) => env[name] !== undefined || env[name.toLowerCase()] !== undefined);
}

/** Replaces this process by itself with another environment; the process id stays. */
export function reexec(env: Readonly<Record<string, string | undefined>>): void {
  const script = Bun.main.startsWith("/$bunfs/") ? [] : [Bun.main];
  const argv = [process.execPath, ...script, ...process.argv.slice(2)];
  process.execve?.(process.execPath, argv, servingEnvironment(env));
}
