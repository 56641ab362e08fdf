import type { SeenRequest } from "./request-reader.ts";

/** One request and what became of its answer. The counters are live. */
export interface Exchange {
  readonly request: SeenRequest;
  readonly connection: Connection;
  /** Bytes of the answer the kernel took, framing included. */
  readonly sent: number;
  /** The part of `sent` that is body. */
  readonly bodySent: number;
  readonly finished: Promise<Finish>;
}

/** `played`: the script ran to its end. `peer_left`: the peer closed first, or during a stall. */
export type Finish = "played" | "peer_left";

export interface Connection {
  /** Everything received, requests that were never whole included. */
  readonly received: number;
  /** What the peer sent that no HTTP/1.1 client may send. */
  readonly malformed: string | undefined;
  readonly open: boolean;
  /** True when it ended inside a request. */
  readonly brokeOff: boolean;
  readonly closed: Promise<void>;
}

/** The writable side of an exchange: only the connection that plays it holds one. */
export interface LiveExchange extends Exchange {
  sent: number;
  bodySent: number;
  readonly finish: (how: Finish) => void;
}

/** Begins the record of one exchange. */
export function beginExchange(request: SeenRequest, connection: Connection): LiveExchange {
  const { promise, resolve } = Promise.withResolvers<Finish>();
  return { request, connection, sent: 0, bodySent: 0, finished: promise, finish: resolve };
}
