import type { Ms } from "../core/units.ts";
import type { Clock, Timer } from "../runtime/runtime.ts";

/** Slow enough to be seen as a stream, fast enough not to be waited for. */
export const EVENT_EVERY_MS: Ms = 15;

export interface PaceOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
}

/** Server-sent events, one at a time as they are asked for, with the end marker last. */
export function eventStream(events: readonly object[], options: PaceOptions): Response {
  const texts = events.map((event) => `data: ${JSON.stringify(event)}\n\n`);
  const headers = { "content-type": "text/event-stream; charset=utf-8" };
  return new Response(paced([...texts, "data: [DONE]\n\n"], options), { headers });
}

/** Each text when the one before is taken and its time has come; nothing more once aborted. */
function paced(texts: readonly string[], { clock, signal }: PaceOptions): ReadableStream {
  const encoder = new TextEncoder();
  let at = 0;
  let timer: Timer | undefined;
  let woken: (() => void) | undefined;
  let over = false;

  function end(): void {
    over = true;
    timer?.cancel();
    signal?.removeEventListener("abort", end);
    woken?.();
  }
  function wait(): Promise<void> {
    return new Promise((resolve) => {
      woken = resolve;
      timer = clock.after(EVENT_EVERY_MS, resolve);
    });
  }
  signal?.addEventListener("abort", end, { once: true });
  return new ReadableStream(
    {
      async pull(controller) {
        if (at > 0 && !over) await wait();
        if (signal?.aborted) return controller.error(signal.reason);
        if (over) return; // Cancelled while it waited: nobody is there to give to.
        controller.enqueue(encoder.encode(texts[at++]));
        if (at < texts.length) return;
        end();
        controller.close();
      },
      cancel: end,
    },
    { highWaterMark: 0 }, // Nothing is made before it is asked for.
  );
}
