import type { Ms } from "../core/units.ts";
import { machineNow } from "./machine-clock.ts";
import type { Clock, Timer } from "./runtime.ts";

/** Bun fires a longer timer at once: the delay is a signed 32-bit number of milliseconds. */
const DELAY_MAX: Ms = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  machine: machineNow,
  after: (delay, wake) => new SystemTimer(delay, wake),
};

/** One timer of the runtime, or as many in a row as a long delay needs. */
class SystemTimer implements Timer {
  #handle: ReturnType<typeof setTimeout>;

  constructor(delay: Ms, wake: () => void) {
    this.#handle = delay <= DELAY_MAX ? setTimeout(wake, delay) : this.#chain(delay, wake);
  }
  cancel(): void {
    clearTimeout(this.#handle);
  }
  #chain(delay: Ms, wake: () => void): ReturnType<typeof setTimeout> {
    if (delay <= DELAY_MAX) return setTimeout(wake, delay);
    const next = (): void => {
      this.#handle = this.#chain(delay - DELAY_MAX, wake);
    };
    return setTimeout(next, DELAY_MAX);
  }
}
