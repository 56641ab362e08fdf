import type { Config, StateConfig } from "../config/config.ts";
import type { Environment } from "../config/env.ts";
import { noFindings } from "../config/findings.ts";
import { readState } from "../config/state.ts";
import type { StoredKeys } from "../ingress/stored-key.ts";
import type { Clock, Log, Random } from "../runtime/runtime.ts";
import { hasKeyFile, holdsKeys } from "../state/keys/key-file.ts";
import { KEY_POLL_MS, KeyFollower } from "../state/keys/key-follower.ts";
import { sharedDirectory } from "../state/keys/shared-directory.ts";
import { stateDirectory } from "./fleet/state-directory.ts";

export interface StoredKeysRuntime {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * Whether keys were ever made in the state directory, or copied there from the database that the
 * environment names: then callers are asked for one.
 */
export function hasStoredKeys(env: Environment): boolean {
  const directory = stateDirectory(env);
  if (directory === undefined) return false;
  if (hasKeyFile(directory)) return true;
  const { databaseUrl } = readState({}, env, noFindings());
  return databaseUrl !== undefined && holdsKeys(placeOf(directory, { databaseUrl }));
}

/**
 * The keys of the state directory, or the copy there of those that a database shares, followed as
 * they change; undefined until the first is made, unless callers are asked for one anyway.
 * `onFirst` is called when somebody makes the first one while nobody was asked for any.
 */
export function storedKeys(
  options: StoredKeysOptions,
  { clock, random, log }: StoredKeysRuntime,
  onFirst: () => void,
): () => StoredKeys | undefined {
  const { directory, config } = options;
  if (directory === undefined) return () => undefined;
  const place = placeOf(directory, config.state);
  const { databaseUrl, peers } = config.state;
  const isShared = databaseUrl !== undefined || peers !== undefined;
  // The copy is there before its first key is.
  const needsOne = isShared && !config.keyed;
  let follower: KeyFollower | undefined;
  const find = (): StoredKeys | undefined => {
    if (follower === undefined && ((isShared && config.keyed) || hasKeyFile(place))) {
      follower = new KeyFollower({
        directory: place,
        clock,
        random,
        onProblem: (problem) => log.line("error", "gateway", "Stored keys", { problem }),
      });
      follower.start();
    }
    return needsOne && follower?.size === 0 ? undefined : follower;
  };
  const look = (): void => {
    if (find() === undefined) clock.after(KEY_POLL_MS, look);
    else onFirst();
  };
  if (find() === undefined) clock.after(KEY_POLL_MS, look);
  return find;
}

export interface StoredKeysOptions {
  readonly directory: string | undefined;
  readonly config: Pick<Config, "state" | "keyed">;
}

function placeOf(directory: string, { databaseUrl }: Pick<StateConfig, "databaseUrl">): string {
  return databaseUrl === undefined ? directory : sharedDirectory(directory, databaseUrl.expose());
}
