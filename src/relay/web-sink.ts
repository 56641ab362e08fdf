import type { Chunk } from "../core/units.ts";
import type { Sink } from "./sink.ts";

export interface WebSink {
  readonly sink: Sink;
  readonly body: ReadableStream<Chunk>;
}

/** The message of a deliberate cut. It is fixed: the runtime prints it. */
const CUT = "the answer was cut short";

/**
 * A sink that is the body of a web `Response`, moved by the client's reads alone: with nothing
 * queued, a slow client slows the upstream instead of filling memory.
 */
export function webSink(onGone: () => void): WebSink {
  let controller: ReadableStreamDefaultController<Chunk>;
  let wanted = false;
  let gone = false;
  let wake: (() => void) | undefined;

  const body = new ReadableStream<Chunk>(
    {
      start(given) {
        controller = given;
      },
      pull() {
        wanted = true;
        wake?.();
        wake = undefined;
      },
      cancel() {
        gone = true;
        wake?.();
        wake = undefined;
        onGone();
      },
    },
    { highWaterMark: 0 },
  );
  const sink: Sink = {
    drained() {
      if (wanted || gone) return undefined;
      return new Promise<void>((resolve) => {
        wake = resolve;
      });
    },
    write(chunk) {
      if (gone) return;
      wanted = false;
      controller.enqueue(chunk);
    },
    end() {
      if (!gone) controller.close();
    },
    fail() {
      if (!gone) controller.error(new Error(CUT));
    },
    get gone() {
      return gone;
    },
  };
  return { sink, body };
}
