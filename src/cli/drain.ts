import type { Gateway } from "../gateway/assemble.ts";
import type { DataListener } from "../gateway/listener.ts";
import type { Clock } from "../runtime/runtime.ts";

export interface DrainOptions {
  readonly gateway: Gateway;
  readonly data: DataListener;
  readonly clock: Clock;
}

/**
 * Waits for SIGTERM or SIGINT, then lets what runs finish: a second of answers that tell each
 * connection to close, then no new ones, then the end. Resolves to how many requests were cut off.
 *
 * A second signal ends it at once. Without the first phase, plain `stop()` resets keep-alive
 * connections a client is about to use (bun.md §1.5: 11 of 20,000; with it 0 of 60,000).
 */
export async function drainOnSignal({ gateway, data, clock }: DrainOptions): Promise<number> {
  const { governor, config } = gateway;
  await nextSignal();
  const again = nextSignal();
  governor.sayGoodbye();
  await Promise.race([again, pause(clock, GOODBYE_MS)]);
  governor.drain();
  const finished = data.stop();
  await Promise.race([finished, again, pause(clock, config.server.drainMs)]);
  const cut = governor.inFlight;
  data.cut();
  return cut;
}

const GOODBYE_MS = 1000;

function nextSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGTERM", () => resolve());
    process.once("SIGINT", () => resolve());
  });
}

function pause(clock: Clock, delay: number): Promise<void> {
  return new Promise((resolve) => clock.after(delay, resolve));
}
