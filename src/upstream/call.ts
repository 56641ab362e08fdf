import type { Deadlines } from "../core/backend.ts";
import type { Fault } from "../core/fault.ts";
import type { Ms } from "../core/units.ts";
import type { Clock } from "../runtime/runtime.ts";

/** One upstream call until it commits: what may end it, and which deadline did. */
export interface Call {
  readonly signal: AbortSignal;
  /** The deadline that ended it; undefined when none did. */
  readonly expired: Fault | undefined;
  abort(): void;
  /** Bytes came: the wait starts anew. */
  heard(): void;
  /** It committed or failed: its deadlines are over, and the relay sees to a client's leave. */
  settle(): void;
}

export interface CallOptions {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** Aborts when the client leaves. */
  readonly client: AbortSignal;
  /** When the backend was last heard from, by any request. */
  readonly heardAt: () => Ms;
  /** Whether a connection to the backend comes about within `timeout`. */
  readonly reach: (timeout: Ms) => Promise<boolean>;
}

/** A backend heard from this recently is not asked whether it can be reached. */
const HEARD_RECENTLY_MS: Ms = 5000;

/** Arms the deadlines of a call about to be made: one timer, whatever happens. */
export function startCall({ clock, deadlines, client, heardAt, reach }: CallOptions): Call {
  const controller = new AbortController();
  const { connectMs, firstEventMs } = deadlines;
  const startedAt = clock.now();
  let waitingSince = startedAt;
  let expired: Fault | undefined;
  let timer = clock.after(Math.min(connectMs / 2, firstEventMs), checkReach);

  function expire(phase: "connect" | "first_event"): void {
    expired = { kind: "timeout", phase };
    controller.abort();
  }
  function checkSilence(): void {
    const left = firstEventMs - (clock.now() - waitingSince);
    if (left <= 0) expire("first_event");
    else timer = clock.after(left, checkSilence);
  }
  /** fetch does not tell when it connects, so a second connection is tried beside a silent one. */
  function checkReach(): void {
    checkSilence();
    if (expired !== undefined || clock.now() - heardAt() < HEARD_RECENTLY_MS) return;
    void reach(connectMs / 2).then((reached) => {
      if (!reached && heardAt() < startedAt && !controller.signal.aborted) expire("connect");
    });
  }
  const leave = (): void => controller.abort();
  if (client.aborted) leave();
  else client.onabort = leave; // Half the price of a listener, and nobody else listens.

  return {
    signal: controller.signal,
    get expired() {
      return expired;
    },
    abort: leave,
    heard() {
      waitingSince = clock.now();
    },
    settle() {
      timer.cancel();
      client.onabort = null;
    },
  };
}
