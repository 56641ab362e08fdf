import type { Ms } from "../../core/units.ts";
import { systemClock } from "../../runtime/clock.ts";

/** Waits on the machine's clock. */
export function delay(ms: Ms): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  systemClock.after(ms, resolve);
  return promise;
}

/** Whether `work` ended in time. Leaves no timer behind, which would keep the process alive. */
export async function endsWithin(work: Promise<unknown>, ms: Ms): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = systemClock.after(ms, () => resolve(false));
  const ended = await Promise.race([work.then(() => true), promise]);
  timer.cancel();
  return ended;
}
