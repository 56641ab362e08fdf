import { beginExchange } from "./exchange.ts";
import type { Connection, LiveExchange } from "./exchange.ts";
import { MalformedRequest, RequestReader } from "./request-reader.ts";
import type { SeenRequest } from "./request-reader.ts";
import { bytesOf } from "./script.ts";
import type { Script } from "./script.ts";
import { stepsOf } from "./steps.ts";
import type { End, Step } from "./steps.ts";

/** What a peer needs of its socket; `Bun.Socket` has it. */
export interface Wire {
  write(bytes: Uint8Array): number;
  shutdown(): void;
  terminate(): void;
}

export interface PeerOptions {
  readonly answer: (request: SeenRequest) => Script;
  readonly began: (exchange: LiveExchange) => void;
}

/** One connection: reads requests, plays their scripts one after the other, keeps the record. */
export class Peer implements Connection {
  readonly closed: Promise<void>;
  received = 0;
  malformed: string | undefined;
  open = true;
  brokeOff = false;

  readonly #wire: Wire;
  readonly #options: PeerOptions;
  readonly #reader = new RequestReader();
  readonly #waiting: SeenRequest[] = [];
  readonly #markClosed: () => void;
  #playing: LiveExchange | undefined;
  #drained = Promise.withResolvers<void>();

  constructor(wire: Wire, options: PeerOptions) {
    this.#wire = wire;
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#markClosed = resolve;
  }

  onData(chunk: Uint8Array): void {
    this.received += chunk.length;
    if (this.malformed !== undefined) return;
    try {
      this.#waiting.push(...this.#reader.feed(chunk));
    } catch (error) {
      if (!(error instanceof MalformedRequest)) throw error;
      this.malformed = error.message;
      this.#wire.write(bytesOf("HTTP/1.1 400 Malformed\r\nContent-Length: 0\r\n\r\n"));
      this.#wire.shutdown();
      return;
    }
    if (this.#playing === undefined) void this.#playAll();
  }

  onDrain(): void {
    this.#drained.resolve();
  }

  onClose(): void {
    this.open = false;
    this.brokeOff = !this.#reader.idle;
    this.#drained.resolve();
    this.#markClosed();
  }

  /** Ends the connection from this side, whatever it is doing. */
  end(): void {
    this.#wire.terminate();
  }

  async #playAll(): Promise<void> {
    for (let request = this.#waiting.shift(); request; request = this.#waiting.shift()) {
      const exchange = beginExchange(request, this);
      this.#playing = exchange;
      this.#options.began(exchange);
      const end = await this.#play(exchange);
      if (end === undefined) return exchange.finish("peer_left");
      exchange.finish("played");
      if (end !== "keep") return;
    }
    this.#playing = undefined;
  }

  /** How the script ended; undefined when the peer was gone before. */
  async #play(exchange: LiveExchange): Promise<End | undefined> {
    for (const step of stepsOf(this.#options.answer(exchange.request))) {
      if (step.kind === "write") await this.#write(step, exchange);
      else if (step.kind === "wait") await this.#wait(step);
      else return await this.#end(step.how);
      if (!this.open) return undefined;
    }
    throw new Error("a script without an end");
  }

  async #write(step: Step & { kind: "write" }, exchange: LiveExchange): Promise<void> {
    const { bytes, bodyBytes } = step;
    for (let from = 0; from < bytes.length && this.open;) {
      const taken = Math.max(0, this.#wire.write(bytes.subarray(from)));
      exchange.sent += taken;
      exchange.bodySent += Math.min(taken, bodyBytes);
      from += taken;
      if (from < bytes.length && this.open) await this.#drain();
    }
  }

  async #drain(): Promise<void> {
    await this.#drained.promise;
    if (this.open) this.#drained = Promise.withResolvers<void>();
  }

  async #wait({ gate }: Step & { kind: "wait" }): Promise<void> {
    gate.arrive();
    await Promise.race([gate.opened, this.closed]);
  }

  async #end(how: End): Promise<End | undefined> {
    if (how === "rst") this.#wire.terminate();
    if (how === "fin" || how === "close") this.#wire.shutdown();
    if (how !== "stall") return how;
    await this.closed;
    return undefined;
  }
}
