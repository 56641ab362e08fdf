import type { Environment } from "../config/env.ts";
import type { StoredKeys } from "../ingress/stored-key.ts";
import type { Clock, Log, Random } from "../runtime/runtime.ts";
import { hasKeyFile } from "../state/keys/key-file.ts";
import { KEY_POLL_MS, KeyFollower } from "../state/keys/key-follower.ts";
import { stateDirectory } from "./fleet/state-directory.ts";

export interface StoredKeysRuntime {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Whether keys were ever made in the state directory: then callers are asked for one. */
export function hasStoredKeys(env: Environment): boolean {
  const directory = stateDirectory(env);
  return directory !== undefined && hasKeyFile(directory);
}

/**
 * The keys of the state directory, followed as they change; undefined until the first is made.
 * `onFirst` is called when somebody makes the first one while nobody was asked for any.
 */
export function storedKeys(
  directory: string | undefined,
  { clock, random, log }: StoredKeysRuntime,
  onFirst: () => void,
): () => StoredKeys | undefined {
  let follower: KeyFollower | undefined;
  const find = (): StoredKeys | undefined => {
    if (follower !== undefined || directory === undefined) return follower;
    if (!hasKeyFile(directory)) return undefined;
    follower = new KeyFollower({
      directory,
      clock,
      random,
      onProblem: (problem) => log.line("error", "gateway", "Stored keys", { problem }),
    });
    follower.start();
    return follower;
  };
  const look = (): void => {
    if (find() === undefined) clock.after(KEY_POLL_MS, look);
    else onFirst();
  };
  if (directory !== undefined && find() === undefined) clock.after(KEY_POLL_MS, look);
  return find;
}
