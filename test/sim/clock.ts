import type { Clock, Timer } from "../../src/runtime/runtime.ts";

interface Sleeper {
  readonly due: number;
  readonly wake: () => void;
}

/** Time that moves when told to. Timers fire in the order they are due. */
export class SimClock implements Clock {
  #now = 0;
  readonly #sleepers = new Set<Sleeper>();

  now(): number {
    return this.#now;
  }
  wall(): number {
    return Date.UTC(2030, 0, 1) + this.#now;
  }
  machine(): bigint {
    return BigInt(Math.round(this.#now * 1e6));
  }
  after(delay: number, wake: () => void): Timer {
    const sleeper = { due: this.#now + Math.max(0, delay), wake };
    this.#sleepers.add(sleeper);
    return { cancel: () => void this.#sleepers.delete(sleeper) };
  }
  /** How many timers are armed. None when all requests are over, or something leaked. */
  get armed(): number {
    return this.#sleepers.size;
  }
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await microtasks();
      const [next] = [...this.#sleepers].filter((s) => s.due <= end).sort((a, b) => a.due - b.due);
      if (next === undefined) break;
      this.#sleepers.delete(next);
      this.#now = next.due;
      next.wake();
    }
    this.#now = end;
    await microtasks();
  }
}

/** Lets everything that is ready run. */
export async function microtasks(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}
