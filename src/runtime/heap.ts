import type { Bytes, Ms } from "../core/units.ts";
import type { Clock } from "./runtime.ts";

/** How often the process's size is looked at. */
const LOOK_MS: Ms = 1000;
/** Growth that is worth a collection: this share of what there was, and at least so much. */
const GROWTH_BYTES_MIN: Bytes = 48 * 1024 * 1024;
const GROWTH_SHARE = 0.1;

export interface HeapKeeper {
  /** Looks once; for the timer and for tests. */
  look(): void;
  stop(): void;
}
export interface HeapSource {
  rssBytes(): Bytes;
  /** Collects now: about 6 ms for each thousand open streams. */
  collect(): void;
}

const system: HeapSource = {
  rssBytes: () => process.memoryUsage.rss(),
  collect: () => Bun.gc(true),
};

/**
 * Collects garbage when the process has grown. The runtime counts 64 KB and more for every body
 * being read, which takes a tenth of that, so with thousands of streams its collector would wait
 * for hundreds of megabytes of garbage.
 */
export function keepHeap(clock: Clock, source: HeapSource = system): HeapKeeper {
  let floor = source.rssBytes();
  let settling = false;
  let timer = clock.after(LOOK_MS, tick);

  function look(): void {
    const now = source.rssBytes();
    if (settling || now < floor) {
      floor = now; // What is left after a collection, or after streams have ended, is needed.
      settling = false;
    } else if (now - floor > Math.max(GROWTH_BYTES_MIN, floor * GROWTH_SHARE)) {
      source.collect();
      settling = true;
    }
  }
  function tick(): void {
    look();
    timer = clock.after(LOOK_MS, tick);
  }
  return { look, stop: () => timer.cancel() };
}
