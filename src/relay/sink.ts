import type { Chunk } from "../core/units.ts";

/**
 * Where an answer goes: the client's side of one request, whatever server stands in front of it.
 *
 * The head was fixed when the sink was made; a server sends it with the first bytes.
 */
export interface Sink {
  /** Undefined when the client takes bytes now; else resolves when it does, or when it is gone. */
  drained(): Promise<void> | undefined;
  write(chunk: Chunk): void;
  /** A clean end of the body. */
  end(): void;
  /** Cuts the connection, so that the client cannot take what it has for the whole. */
  fail(): void;
  /** The client has left; writes go nowhere. */
  readonly gone: boolean;
}
