import type { StoredKeys } from "../ingress/stored-key.ts";
import type { Clock, Log, Random } from "../runtime/runtime.ts";
import { hasKeyFile } from "../state/keys/key-file.ts";
import { KeyFollower } from "../state/keys/key-follower.ts";

export interface StoredKeysRuntime {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** The keys of the state directory, followed as they change; undefined where none was ever made. */
export function storedKeys(
  directory: string | undefined,
  { clock, random, log }: StoredKeysRuntime,
): StoredKeys | undefined {
  if (directory === undefined || !hasKeyFile(directory)) return undefined;
  const follower = new KeyFollower({
    directory,
    clock,
    random,
    onProblem: (problem) => log.line("error", "gateway", "Stored keys", { problem }),
  });
  follower.start();
  return follower;
}
