import type { Ms } from "../../core/units.ts";
import type { Clock, Timer } from "../../runtime/runtime.ts";
import type { Revision, StoredEvent } from "./event.ts";
import type { Store } from "./store.ts";

export interface FollowOptions {
  readonly clock: Clock;
  /** The last event that was dealt with already. */
  readonly after: Revision;
  /** Called with each event once, in order; the next waits until it is done with. */
  readonly onEvents: (events: readonly StoredEvent[]) => void | Promise<void>;
  /** Called when the store cannot be read; it is asked again later. */
  readonly onError: (error: unknown) => void;
  /** How long at most until an event is seen that nobody announced. */
  readonly pollMs?: Ms | undefined;
}

const POLL_MS: Ms = 1000;
const PAGE = 500;

/**
 * Reads the log from a revision on, for as long as it is followed. Announcements only make it
 * quicker: what is read goes by the cursor alone, so nothing is skipped and nothing comes twice.
 */
export function follow(
  store: Pick<Store, "events" | "onChange">,
  options: FollowOptions,
): () => void {
  const { clock, onEvents, onError, pollMs = POLL_MS } = options;
  let cursor = options.after;
  let ended = false;
  let reading = false;
  let again = false;
  let timer: Timer | undefined;
  let deafen: (() => void) | undefined;

  const read = async (): Promise<void> => {
    for (;;) {
      const page = await store.events(cursor, PAGE);
      if (ended || page.length === 0) return;
      await onEvents(page);
      cursor = page.at(-1)?.revision ?? cursor;
    }
  };
  const wake = (): void => {
    if (ended) return;
    again = true;
    if (reading) return;
    reading = true;
    void readAll();
  };
  const readAll = async (): Promise<void> => {
    while (again && !ended) {
      again = false;
      try {
        await read();
      } catch (error) {
        onError(error);
      }
    }
    reading = false;
  };
  const poll = (): void => {
    timer = clock.after(pollMs, () => {
      wake();
      poll();
    });
  };
  const hear = async (): Promise<void> => {
    try {
      const stop = await store.onChange(wake);
      if (ended) stop();
      else deafen = stop;
    } catch (error) {
      onError(error);
      if (!ended) clock.after(pollMs, () => void hear());
    }
  };

  wake();
  poll();
  void hear();
  return () => {
    ended = true;
    timer?.cancel();
    deafen?.();
  };
}
