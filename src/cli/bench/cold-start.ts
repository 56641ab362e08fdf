import type { Ms } from "../../core/units.ts";
import { requestBytes } from "./caller.ts";
import { exchange, refusalOf } from "./exchange.ts";
import type { Launch } from "./gateway.ts";
import { delay } from "./wait.ts";

const ATTEMPT_MS: Ms = 1;
const COLD_MS_MAX: Ms = 15_000;

/** From just before the spawn to the last byte of the first right answer, in milliseconds. */
export async function timeColdStart(launch: Launch): Promise<number> {
  const { endpoint } = launch;
  const request = requestBytes({ endpoint, kind: "buffered", pace: undefined });
  const startedAt = Bun.nanoseconds();
  const child = launch.start();
  for (;;) {
    // Bounded by COLD_MS_MAX.
    const reply = await exchange(endpoint, request, { timeoutMs: COLD_MS_MAX });
    const passed = (Bun.nanoseconds() - startedAt) / 1e6;
    if (reply.status === 200) {
      await child.kill();
      return passed;
    }
    if (passed > COLD_MS_MAX) {
      throw new Error(`no answer after a cold start: ${refusalOf(reply)} ${child.errors()}`);
    }
    await delay(ATTEMPT_MS);
  }
}
