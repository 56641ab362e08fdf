import { systemClock } from "../../../src/runtime/clock.ts";
import type { Clock, Timer } from "../../../src/runtime/runtime.ts";

/** Real time, with a count of the timers that are armed. */
export class CountedClock implements Clock {
  armed = 0;
  now(): number {
    return systemClock.now();
  }
  wall(): number {
    return systemClock.wall();
  }
  machine(): bigint {
    return systemClock.machine();
  }
  after(delay: number, wake: () => void): Timer {
    this.armed++;
    let over = false;
    const end = (): void => {
      if (!over) this.armed--;
      over = true;
    };
    const timer = systemClock.after(delay, () => {
      end();
      wake();
    });
    return {
      cancel: () => {
        end();
        timer.cancel();
      },
    };
  }
}
