import type { Ms } from "../core/units.ts";
import type { DataListener } from "../gateway/listener.ts";
import type { Clock } from "../runtime/runtime.ts";
import type { Engine } from "./fleet/engine.ts";
import type { Manner } from "./fleet/serving.ts";
import { connectionsOn } from "./fleet/sockets.ts";
import { closeListener } from "./fleet/steer.ts";

export interface DrainOptions {
  readonly engine: Engine;
  readonly data: DataListener;
  readonly clock: Clock;
  readonly drainMs: Ms;
  readonly manner: Manner;
  /** Resolves when whoever waits has lost patience. */
  readonly hurry: Promise<void>;
}

/** Long enough for a busy connection to be told to close. */
const GOODBYE_MS: Ms = 1000;
/** The listener closes a connection that is idle for 30 s, give or take its clock's 4 s. */
const IDLE_MS: Ms = 35_000;
const LOOK_MS: Ms = 500;
const LOOKS_ALONE = 4;

/**
 * Lets what runs finish: a second of answers that tell each connection to close, then no new ones,
 * then the end. Resolves to how many requests were cut off.
 *
 * Without the first phase, plain `stop()` resets keep-alive connections a client is about to use
 * (bun.md §1.5: 11 of 20,000; with it 0 of 60,000). Where another process takes the new
 * connections, those that are idle stay until they are used once more or too old: then a client
 * that was idle all the while loses nothing either.
 */
export async function drain(options: DrainOptions): Promise<number> {
  const { engine, data, clock, drainMs, manner, hurry } = options;
  engine.sayGoodbye();
  await Promise.race([hurry, pause(clock, GOODBYE_MS)]);
  if (manner.kind === "stop") engine.refuse();
  else if (closeListener(data.port)) {
    await Promise.race([hurry, untilAlone(options)]);
  }
  const finished = data.stop();
  await Promise.race([finished, hurry, pause(clock, drainMs)]);
  const cut = engine.inFlight;
  data.cut();
  return cut;
}

/**
 * Resolves when no connection is idle, so that only requests under way are left. A request may
 * outlive its connection for a moment, and hide an idle one: one look is not enough.
 */
async function untilAlone({ engine, data, clock }: DrainOptions): Promise<void> {
  let alone = 0;
  for (let waited = GOODBYE_MS; waited < IDLE_MS && alone < LOOKS_ALONE; waited += LOOK_MS) {
    const connections = connectionsOn(data.port) ?? 0;
    if (connections === 0) return;
    alone = connections <= engine.inFlight ? alone + 1 : 0;
    await pause(clock, LOOK_MS);
  }
}

function pause(clock: Clock, delay: number): Promise<void> {
  return new Promise((resolve) => clock.after(delay, resolve));
}
