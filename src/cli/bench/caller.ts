import { systemClock } from "../../runtime/clock.ts";
import { field, MessageReader, statusOf } from "./http1.ts";
import type { MessageParts } from "./http1.ts";
import { askBody, machineMicros, readStamps } from "./payload.ts";
import type { Pace } from "./payload.ts";
import type { Tally } from "./tally.ts";
import { endsWithDone, hasFirstEvent, judge } from "./verdict.ts";
import type { AskKind, Verdict } from "./verdict.ts";

/** A refused connection is not tried again at once: a dead gateway must not become a busy loop. */
const RECONNECT_MS = 20;
/** An answer of ours has 15 KB at most; what is longer cannot be one. */
const BODY_BYTES_MAX = 1 << 20;
const BODY_BYTES_FIRST = 32 * 1024;
/** Enough of a paced stream's text to hold a stamp cut in two, or the end marker. */
const TAIL_CHARS = 40;

/** Where requests go and as whom. Plain HTTP only. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** The base URL's path, without a slash at its end. */
  readonly base: string;
  readonly key: string;
  readonly model: string;
}

/** What every caller of a window sends. */
export interface Errand {
  readonly endpoint: Endpoint;
  readonly kind: AskKind;
  readonly pace: Pace | undefined;
}

/** The request's bytes, made once. */
export function requestBytes({ endpoint, kind, pace }: Errand): Buffer {
  const stream = kind !== "buffered";
  const body = askBody({ model: endpoint.model, stream, usage: kind !== "bare", pace });
  const head = [
    `POST ${endpoint.base}/chat/completions HTTP/1.1`,
    `Host: ${endpoint.host}:${endpoint.port}`,
    `Authorization: Bearer ${endpoint.key}`,
    "Content-Type: application/json",
    `Accept: ${kind === "buffered" ? "application/json" : "text/event-stream"}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`);
}

const HANDLERS: Bun.SocketHandler<Caller> = {
  open: (socket) => socket.data.opened(socket),
  data: (socket, bytes) => socket.data.read(bytes),
  drain: (socket) => socket.data.drain(socket),
  close: (socket) => socket.data.closed(socket),
  error: (socket) => socket.data.closed(socket),
};

/** One connection that asks, checks the answer and asks again: never two requests at a time. */
export class Caller implements MessageParts {
  readonly #errand: Errand;
  readonly #request: Buffer;
  readonly #tally: Tally;
  #reader = new MessageReader("response", this);
  #socket: Bun.Socket<Caller> | undefined;
  #unsent: Buffer | undefined;
  #waiting = false;
  #stopping = false;
  #startedAt = 0;
  #firstEventAt = 0;
  #status = 0;
  /** The peer said it closes the connection after this answer. */
  #lastHere = false;
  #body: Buffer;
  #length = 0;
  #tail = "";
  #events = 0;
  readonly #done = Promise.withResolvers<void>();

  constructor(errand: Errand, request: Buffer, tally: Tally) {
    this.#errand = errand;
    this.#request = request;
    this.#tally = tally;
    this.#body = Buffer.allocUnsafe(errand.kind === "paced" ? 0 : BODY_BYTES_FIRST);
  }

  /** Events of the paced stream at hand so far. */
  get events(): number {
    return this.#events;
  }
  /** Resolves when the caller has no request under way and will send no more. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** Asks, and goes on asking until told to stop. */
  start(): void {
    this.#waiting = true;
    this.#status = 0;
    this.#length = 0;
    this.#tail = "";
    this.#events = 0;
    this.#firstEventAt = 0;
    this.#startedAt = Bun.nanoseconds();
    if (this.#socket === undefined) this.#connect();
    else this.#send(this.#socket, this.#request);
  }
  /** Lets the request under way end and sends no other. */
  stop(): void {
    this.#stopping = true;
    if (!this.#waiting) this.cut();
  }
  /** Ends at once; true when a request was still unanswered. */
  cut(): boolean {
    const left = this.#waiting;
    this.#stopping = true;
    this.#waiting = false;
    this.#socket?.terminate();
    this.#done.resolve();
    return left;
  }

  #connect(): void {
    const { host, port } = this.#errand.endpoint;
    this.#reader = new MessageReader("response", this);
    Bun.connect<Caller>({ hostname: host, port, data: this, socket: HANDLERS }).catch(
      (refusal: Error & { code?: string }) => this.#fail(`no connection: ${refusal.code ?? "?"}`),
    );
  }
  #send(socket: Bun.Socket<Caller>, bytes: Buffer): void {
    const written = Math.max(0, socket.write(bytes));
    this.#unsent = written < bytes.length ? bytes.subarray(written) : undefined;
  }

  opened(socket: Bun.Socket<Caller>): void {
    if (this.#stopping && !this.#waiting) {
      socket.terminate();
      return;
    }
    socket.setNoDelay(true);
    this.#socket = socket;
    this.#send(socket, this.#request);
  }
  drain(socket: Bun.Socket<Caller>): void {
    if (this.#unsent !== undefined) this.#send(socket, this.#unsent);
  }
  read(bytes: Buffer): void {
    if (!this.#waiting) this.#hangUp();
    else if (!this.#reader.feed(bytes)) this.#fail("malformed HTTP");
  }
  closed(socket: Bun.Socket<Caller>): void {
    if (socket !== this.#socket) return;
    this.#socket = undefined;
    if (!this.#waiting) return;
    this.#reader.close();
    if (this.#waiting) this.#fail("connection closed before the end");
  }

  head(lower: string): void {
    this.#status = statusOf(lower);
    this.#lastHere = field(lower, "connection") === "close";
  }
  body(bytes: Buffer): void {
    if (!this.#waiting) return;
    if (this.#errand.kind === "paced" && this.#status === 200) return this.#readPaced(bytes);
    const length = this.#length + bytes.length;
    if (length > BODY_BYTES_MAX) return this.#fail("answer too long");
    if (length > this.#body.length) {
      this.#body = Buffer.concat([this.#body.subarray(0, this.#length)], length * 2);
    }
    bytes.copy(this.#body, this.#length);
    this.#length = length;
    if (this.#firstEventAt === 0 && this.#errand.kind !== "buffered") {
      if (hasFirstEvent(this.#body.subarray(0, length))) this.#firstEventAt = Bun.nanoseconds();
    }
  }
  #readPaced(bytes: Buffer): void {
    const text = this.#tail + bytes.toString("latin1");
    const { sent, end } = readStamps(text);
    if (sent.length > 0) {
      const now = machineMicros();
      for (const at of sent) this.#tally.lagged(now - at);
      this.#events += sent.length;
      if (this.#firstEventAt === 0) this.#firstEventAt = Bun.nanoseconds();
    }
    this.#tail = text.slice(Math.max(end, text.length - TAIL_CHARS));
  }

  end(): void {
    if (!this.#waiting) return;
    if (this.#status !== 200) return this.#fail(`status ${this.#status}`);
    const firstEvent =
      this.#firstEventAt === 0 ? undefined : (this.#firstEventAt - this.#startedAt) / 1000;
    const latency = (Bun.nanoseconds() - this.#startedAt) / 1000;
    this.#tally.answered(this.#verdict(), latency, firstEvent);
    if (this.#lastHere) this.#hangUp();
    this.#next();
  }
  #verdict(): Verdict {
    const { kind, pace } = this.#errand;
    if (kind !== "paced") return judge(kind, this.#body.subarray(0, this.#length));
    const whole = this.#events === pace?.events && endsWithDone(Buffer.from(this.#tail));
    return whole ? "equal" : "wrong";
  }

  /** After a failure the connection's state is unknown, so the next request takes a new one. */
  #fail(reason: string): void {
    this.#tally.failed(reason);
    this.#waiting = false;
    this.#hangUp();
    if (this.#stopping) this.#done.resolve();
    else systemClock.after(RECONNECT_MS, () => this.#next());
  }
  #next(): void {
    this.#waiting = false;
    if (this.#stopping) this.cut();
    else this.start();
  }
  #hangUp(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.terminate();
  }
}
