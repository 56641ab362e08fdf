import type { Chunk } from "../../src/core/units.ts";
import type { Sink } from "../../src/relay/sink.ts";

/** A client that takes bytes when a test reads, and not before. */
export class SimSink implements Sink {
  readonly body: ReadableStream<Chunk>;
  #controller!: ReadableStreamDefaultController<Chunk>;
  #wanted = false;
  #gone = false;
  #wake: (() => void) | undefined;
  #onGone: (() => void) | undefined;

  constructor() {
    const start = (controller: ReadableStreamDefaultController<Chunk>): void => {
      this.#controller = controller;
    };
    const source = { start, pull: () => this.#pull(), cancel: () => this.#cancel() };
    this.body = new ReadableStream<Chunk>(source, { highWaterMark: 0 });
  }

  onGone(leave: () => void): void {
    this.#onGone = leave;
  }
  get gone(): boolean {
    return this.#gone;
  }
  drained(): Promise<void> | undefined {
    if (this.#wanted || this.#gone) return undefined;
    return new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
  write(chunk: Chunk): void {
    if (this.#gone) return;
    this.#wanted = false;
    this.#controller.enqueue(chunk);
  }
  end(): void {
    if (!this.#gone) this.#controller.close();
  }
  fail(): void {
    if (!this.#gone) this.#controller.error(new Error("cut"));
  }

  #pull(): void {
    this.#wanted = true;
    this.#wake?.();
    this.#wake = undefined;
  }
  #cancel(): void {
    this.#gone = true;
    this.#wake?.();
    this.#wake = undefined;
    this.#onGone?.();
  }
}
