import type { IrRequest } from "../../ir/request.ts";
import type { Fit } from "./fit.ts";

export interface StopStrings {
  /** For the target. */
  readonly stop: readonly string[] | undefined;
  /** For the gateway. */
  readonly cutAt: readonly string[];
}

const NONE: readonly string[] = [];

/** Stop strings the target does not take are cut at the gateway: protocols.md §3.1. */
export function fitStop({ stop }: IrRequest, fit: Fit): StopStrings {
  if (stop === undefined || stop.length === 0) return { stop: undefined, cutAt: NONE };
  const { stopMax, refusesEmptyText } = fit.capabilities;
  const sent: string[] = [];
  const cutAt: string[] = [];
  for (const word of stop) {
    const isTaken = sent.length < stopMax && (!refusesEmptyText || /\S/.test(word));
    if (isTaken) sent.push(word);
    else if (word !== "") cutAt.push(word);
  }
  if (sent.length < stop.length) {
    fit.lose("L-STOP-EMULATED", fit.paths.stop, { action: "emulated" });
  }
  return { stop: sent.length === 0 ? undefined : sent, cutAt };
}
