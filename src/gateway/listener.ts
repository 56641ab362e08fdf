import { handle } from "../gateway.ts";
import type { Log } from "../runtime/runtime.ts";
import type { Gateway } from "./assemble.ts";
import { logBug } from "./log-bug.ts";

/** The data listener: clients' side of the gateway. */
export interface DataListener {
  readonly url: URL;
  /** No new connections; resolves when the last request has ended. */
  stop(): Promise<void>;
  /** Cuts what is left. */
  cut(): void;
}

export interface ListenOptions {
  /** The gateway that serves a request arriving now; a reload changes the answer. */
  readonly current: () => Gateway;
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
export function listen({ current, log }: ListenOptions): DataListener {
  const { host, port } = current().config.server;
  const server = Bun.serve({
    hostname: host,
    port,
    reusePort: false, // By default a second process takes half the connections in silence.
    development: false, // The runtime's own error page prints source lines and secrets.
    idleTimeout: IDLE_SECONDS,
    maxRequestBodySize: BODY_BYTES_MAX,
    fetch: (http, front) =>
      handle(current(), http, { setIdleTimeout: (seconds) => front.timeout(http, seconds) }),
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
    stop: () => server.stop(),
    cut: () => void server.stop(true),
  };
}
