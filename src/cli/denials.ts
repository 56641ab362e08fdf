import type { DenyConfig } from "../config/config.ts";
import type { Clock, Log } from "../runtime/runtime.ts";
import { FileDenials } from "../state/keys/deny-file.ts";
import { DenySet } from "../state/keys/deny-set.ts";
import { denyPlaces, type DenyRoot } from "./deny-places.ts";

export interface DenialsOptions extends DenyRoot {
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The tenants that are shut out, as a process that serves knows them: from files alone. Servers are
 * asked by the master, which writes down what they say (deny-keeper.ts); so all processes say the
 * same, and what was denied last is in force before any server answers.
 */
export function denials(options: DenialsOptions): (deny: DenyConfig) => DenySet {
  const { clock, log } = options;
  const sets = new Map<string, DenySet>();
  return (deny) => {
    const places = denyPlaces(deny, options);
    const key = JSON.stringify([deny.file, places]);
    let set = sets.get(key);
    if (set === undefined) {
      set = new DenySet(clock, (source, problem) => {
        if (problem === undefined || source === "file") return; // The master follows it as well.
        log.line("error", "gateway", "Saved denials cannot be read", { source, problem });
      });
      if (deny.file !== undefined) set.follow(new FileDenials({ path: deny.file, clock }));
      for (const { path, ...of } of places) set.follow(new FileDenials({ path, clock, of }));
      sets.set(key, set);
    }
    return set;
  };
}
