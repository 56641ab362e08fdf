import { handle } from "../gateway.ts";
import type { Log } from "../runtime/runtime.ts";
import type { Gateway } from "./assemble.ts";
import { logBug } from "./log-bug.ts";

/** The data listener: clients' side of the gateway. */
export interface DataListener {
  readonly url: URL;
  readonly port: number;
  /** No new connections; resolves when the last request has ended. */
  stop(): Promise<void>;
  /** Cuts what is left. */
  cut(): void;
}

export interface ListenOptions {
  /** The gateway that serves a request arriving now; a reload changes the answer. */
  readonly current: () => Gateway;
  /** Told of every answer under way, in the turn in which `current` was asked. */
  readonly watch?: ((answer: Promise<Response>) => void) | undefined;
  /** Instead of the configured one, which may be left to chance. */
  readonly port?: number | undefined;
  /** Whether others may listen on the port too: without, a second process is an error. */
  readonly shared?: boolean | undefined;
  readonly log: Log;
}

/** Bounds a connection that sends nothing, and a small body that drips. Seconds. */
const IDLE_SECONDS = 30;
/** Our own reader caps every body and says so in the caller's protocol; the runtime cannot. */
const BODY_BYTES_MAX = Number.MAX_SAFE_INTEGER;
const BUG_ANSWER = JSON.stringify({
  error: { message: "Internal error.", type: "server_error", param: null, code: "internal_error" },
});

/** @throws when the address cannot be bound (`code` EADDRINUSE, EACCES, EADDRNOTAVAIL). */
export function listen({ current, watch, port, shared, log }: ListenOptions): DataListener {
  const { host, port: configured } = current().config.server;
  const server = Bun.serve({
    hostname: host,
    port: port ?? configured,
    reusePort: shared ?? false, // Or a second process takes half the connections in silence.
    development: false, // The runtime's own error page prints source lines and secrets.
    idleTimeout: IDLE_SECONDS,
    maxRequestBodySize: BODY_BYTES_MAX,
    fetch: (http, front) => {
      const setIdleTimeout = (seconds: number): void => front.timeout(http, seconds);
      const address = (): string => front.requestIP(http)?.address ?? "unknown";
      const answer = handle(current(), http, { setIdleTimeout, address });
      watch?.(answer);
      return answer;
    },
    error(bug) {
      logBug(log, bug);
      return new Response(BUG_ANSWER, {
        status: 500,
        headers: { "content-type": "application/json" },
      });
    },
  });
  return {
    url: server.url,
    port: server.port ?? 0, // A port is missing only on a unix socket.
    stop: () => server.stop(),
    cut: () => void server.stop(true),
  };
}
