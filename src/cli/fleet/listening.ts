/** Why the data port cannot be opened, in a sentence; throws what is no such reason. */
export function listenProblem(cause: unknown, host: string, port: number): string {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (code === "EADDRINUSE") return `port ${port} is in use: choose another with --port`;
  if (code === "EACCES") return `port ${port} needs privileges: choose one above 1023`;
  if (code !== "") return `cannot listen on ${host}:${port} (${code}): check --host and --port`;
  throw cause;
}

/**
 * The port, if nobody listens on it now; 0 gives a free one. Our listeners share their port, for
 * the sake of workers and restarts, so a second gateway would take half the connections of the
 * first in silence: this one look without sharing is what tells.
 *
 * @throws when the address cannot be bound (`code` EADDRINUSE, EACCES, EADDRNOTAVAIL).
 */
export function claimPort(hostname: string, port: number): number {
  const listener = Bun.listen({ hostname, port, socket: { data() {} } });
  const claimed = listener.port;
  listener.stop(true);
  return claimed;
}
