import type { Ms } from "../core/units.ts";
import type { Clock, Timer } from "./runtime.ts";

/** Bun fires a longer timer at once: the delay is a signed 32-bit number of milliseconds. */
const DELAY_MAX: Ms = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(delay, wake): Timer {
    let left = Math.max(0, delay);
    let handle = setTimeout(fire, Math.min(left, DELAY_MAX));
    function fire(): void {
      left -= DELAY_MAX;
      if (left <= 0) wake();
      else handle = setTimeout(fire, Math.min(left, DELAY_MAX));
    }
    return { cancel: () => clearTimeout(handle) };
  },
};
