import type { Ms } from "../core/units.ts";
import type { Clock } from "../runtime/runtime.ts";
import type { AddressRefused, Dialled } from "./egress.ts";

export interface DialOptions {
  readonly clock: Clock;
  readonly connectMs: Ms;
  /** Aborts when the client leaves. */
  readonly client: AbortSignal;
}

/** What a look-up comes to, unless the deadline passes or the client leaves before it ends. */
export async function dialWithin(
  looking: Promise<Dialled | AddressRefused>,
  { clock, connectMs, client }: DialOptions,
): Promise<Dialled | AddressRefused | "late"> {
  const over = Promise.withResolvers<"late">();
  const giveUp = (): void => over.resolve("late");
  const timer = clock.after(connectMs, giveUp);
  client.addEventListener("abort", giveUp, { once: true });
  if (client.aborted) giveUp();
  const found = await Promise.race([looking, over.promise]);
  timer.cancel();
  client.removeEventListener("abort", giveUp);
  return found;
}
