import type { Identity } from "./certificate.ts";
import type { Connection, Exchange } from "./exchange.ts";
import { Peer } from "./peer.ts";
import type { SeenRequest } from "./request-reader.ts";
import type { Script } from "./script.ts";

/**
 * A scripted upstream on a raw socket. It shares no HTTP code with what is under test, so that one
 * bug of a server or a client library cannot hide in both.
 */
export interface Faultd extends Disposable {
  readonly port: number;
  /** `http://127.0.0.1:port`, without a slash. */
  readonly origin: string;
  readonly exchanges: readonly Exchange[];
  readonly connections: readonly Connection[];
  /** What TLS clients called the host, one for each handshake that came to its end. */
  readonly serverNames: readonly string[];
  /** Bytes received on all connections: 0 proves that nobody sent anything here. */
  readonly received: number;
  /** The exchange that begins as number `index`, as soon as it does. */
  exchange(index: number): Promise<Exchange>;
  /** Drops the record of what is over, so that a long run does not fill memory. */
  forget(): void;
  /** Closes the listener and every connection. */
  stop(): void;
}

export interface FaultdOptions {
  /** Serves TLS as these; plain unless given. */
  readonly identity?: Identity;
  /** Where to listen; loopback unless given. */
  readonly address?: string;
}

/** Starts one; `answer` says what each request gets. */
export function startFaultd(
  answer: (request: SeenRequest) => Script,
  { identity, address = "127.0.0.1" }: FaultdOptions = {},
): Faultd {
  let peers: Peer[] = [];
  const serverNames: string[] = [];
  const exchanges: Exchange[] = [];
  const awaited = new Map<number, PromiseWithResolvers<Exchange>>();
  function began(exchange: Exchange): void {
    awaited.get(exchanges.length)?.resolve(exchange);
    exchanges.push(exchange);
  }
  const listener = Bun.listen<Peer>({
    hostname: address,
    port: 0,
    ...(identity && { tls: { key: identity.key, cert: identity.cert } }),
    socket: {
      open(socket) {
        socket.data = new Peer(socket, { answer, began });
        peers.push(socket.data);
      },
      handshake(socket) {
        const name = (socket as unknown as { getServername(): unknown }).getServername();
        serverNames.push(typeof name === "string" ? name : "");
      },
      data: (socket, chunk) => socket.data.onData(chunk),
      drain: (socket) => socket.data.onDrain(),
      // A handshake that failed has had no peer.
      close: (socket) => (socket.data as Peer | undefined)?.onClose(),
      error: (socket) => (socket.data as Peer | undefined)?.onClose(),
    },
  });
  function stop(): void {
    listener.stop(true);
    for (const peer of peers) if (peer.open) peer.end();
  }
  return {
    port: listener.port,
    origin: `${identity === undefined ? "http" : "https"}://${address}:${listener.port}`,
    serverNames,
    exchanges,
    get connections() {
      return peers;
    },
    get received() {
      return peers.reduce((sum, peer) => sum + peer.received, 0);
    },
    exchange(index) {
      const begun = exchanges[index];
      if (begun !== undefined) return Promise.resolve(begun);
      const waiter = awaited.get(index) ?? Promise.withResolvers<Exchange>();
      awaited.set(index, waiter);
      return waiter.promise;
    },
    forget() {
      peers = peers.filter(({ open }) => open);
      exchanges.length = 0;
    },
    stop,
    [Symbol.dispose]: stop,
  };
}
