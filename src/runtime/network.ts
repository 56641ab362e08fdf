import type { Ms } from "../core/units.ts";
import type { Network, ReachTarget, Session, SessionOptions } from "./runtime.ts";

/** Providers close idle connections after a minute or more; a POST on a dead one is not retried. */
const IDLE_SECONDS = 50;

export const systemNetwork: Network = { resolve, session, reach };

async function resolve(host: string): Promise<readonly string[]> {
  const answers = await Bun.dns.lookup(host);
  return answers.map((answer) => answer.address);
}

function session({ proxy, unix, serverName }: SessionOptions): Session {
  const pool = new Bun.FetchSession({
    keepAlive: { idleTimeout: IDLE_SECONDS },
    ...(proxy && { proxy: { url: proxy.href, respectNoProxy: false } }),
    ...(unix !== undefined && { unix }),
    ...(serverName !== undefined && { tls: { serverName } }),
  });
  return { fetch: pool.fetch, close: () => pool.close() };
}

async function reach(target: ReachTarget, timeout: Ms): Promise<boolean> {
  const { promise, resolve: answer } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => answer(false), timeout);
  const socket = {
    open: () => {
      if (target.tlsServerName === undefined) answer(true);
    },
    handshake: () => answer(true),
    data: () => {},
    error: () => answer(false),
    connectError: () => answer(false),
  };
  const connecting = dial(target, socket);
  const reached = await promise;
  clearTimeout(timer);
  connecting.then((open) => open.end()).catch(() => {}); // It never opened: nothing to close.
  return reached;
}

function dial(
  target: ReachTarget,
  socket: Bun.SocketHandler<undefined>,
): Promise<Bun.Socket<undefined>> {
  const { host, port, unix, tlsServerName } = target;
  if (unix !== undefined) return Bun.connect({ unix, socket });
  if (tlsServerName === undefined) return Bun.connect({ hostname: host, port, socket });
  const tls = { serverName: tlsServerName, rejectUnauthorized: false };
  return Bun.connect({ hostname: host, port, tls, socket });
}
