import type { Bytes, Chunk } from "../core/units.ts";
import type { Sink } from "./sink.ts";

/**
 * A first write of this size passes the runtime's buffer by, and each of the headers it still owes
 * then goes out by itself: ten system calls in place of one. A short write first prevents that.
 */
const UNBUFFERED_BYTES: Bytes = 16 * 1024;
const FIRST_BYTES: Bytes = 1024;

/** The message of a deliberate cut. It is fixed: the runtime prints it. */
const CUT = "the answer was cut short";

/**
 * A sink that is the body of a web `Response`. A direct stream takes a third of a default one's
 * memory, and is as safe only because every write that says "not yet" is waited for: `drained`.
 */
export class WebSink implements Sink {
  readonly body: ReadableStream<Chunk>;
  #controller: ReadableStreamDirectController | undefined;
  /** Ends the wait of `drained` for a client that has not begun to read. */
  #begin: (() => void) | undefined;
  /** Ends the runtime's wait for more: the body is over. */
  #finish: (() => void) | undefined;
  #draining: Promise<void> | undefined;
  #gone = false;
  #hasBegun = false;
  #onGone: (() => void) | undefined;

  constructor() {
    this.body = new ReadableStream<Chunk>({
      type: "direct",
      pull: (controller) => this.#open(controller),
      cancel: () => this.#leave(),
    });
  }

  /** What to do when the client leaves. */
  onGone(leave: () => void): void {
    this.#onGone = leave;
  }
  get gone(): boolean {
    return this.#gone;
  }
  drained(): Promise<void> | undefined {
    if (this.#gone) return undefined;
    if (this.#controller !== undefined) return this.#draining;
    return new Promise<void>((resolve) => {
      this.#begin = resolve;
    });
  }
  write(chunk: Chunk): void {
    if (this.#gone || this.#controller === undefined) return;
    const splits = !this.#hasBegun && chunk.byteLength >= UNBUFFERED_BYTES;
    this.#hasBegun = true;
    if (splits) this.#pass(this.#controller, chunk.subarray(0, FIRST_BYTES));
    this.#pass(this.#controller, splits ? chunk.subarray(FIRST_BYTES) : chunk);
  }

  end(): void {
    if (!this.#gone) this.#controller?.close();
    this.#finish?.();
  }
  fail(): void {
    if (!this.#gone) this.#controller?.close(new Error(CUT));
    this.#finish?.();
  }

  #pass(controller: ReadableStreamDirectController, chunk: Chunk): void {
    const taken = controller.write(chunk);
    if (typeof taken === "number") void controller.flush();
    else
      this.#draining = taken.then(
        () => this.#drain(),
        () => this.#drain(),
      );
  }
  #open(controller: ReadableStreamDirectController): Promise<void> {
    this.#controller = controller;
    this.#begin?.();
    this.#begin = undefined;
    return new Promise<void>((resolve) => {
      this.#finish = resolve;
    });
  }
  #drain(): void {
    this.#draining = undefined;
  }
  #leave(): void {
    this.#gone = true;
    this.#begin?.();
    this.#finish?.();
    this.#onGone?.();
  }
}
