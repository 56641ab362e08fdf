import type { Clock, Log } from "../runtime/runtime.ts";
import { FileDenials } from "../state/keys/deny-file.ts";
import { DenySet } from "../state/keys/deny-set.ts";

/** The deny-set of each file, made once and followed from then on. */
export function denials({
  clock,
  log,
}: {
  readonly clock: Clock;
  readonly log: Log;
}): (file: string) => DenySet {
  const sets = new Map<string, DenySet>();
  return (path) => {
    let set = sets.get(path);
    if (set === undefined) {
      set = new DenySet(clock, (source, problem) => {
        if (problem === undefined) log.line("info", "gateway", "The deny-set is read", { source });
        else log.line("error", "gateway", "The deny-set cannot be read", { source, problem });
      });
      set.follow(new FileDenials({ path, clock }));
      sets.set(path, set);
    }
    return set;
  };
}
