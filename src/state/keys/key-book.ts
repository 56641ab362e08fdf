import type { Ms } from "../../core/units.ts";
import type { Random } from "../../runtime/runtime.ts";
import type { Store } from "../store/store.ts";
import { type Actor, createDetail, keyAudit, type KeyChange, rotateDetail } from "./key-audit.ts";
import { hasKeyFile, KeyStoreError } from "./key-file.ts";
import { makeKeyId } from "./stored-key.ts";
import {
  type KeyRefusal,
  KeyStore,
  type ListedKey,
  type NewKey,
  type ShownKey,
} from "./key-store.ts";

/** The stored keys for whoever changes them, wherever they are kept. */
export interface KeyBook {
  create(wanted: NewKey, now: Ms): Promise<ShownKey>;
  /** Every key, the oldest first. Nothing here gives a text or a digest away. */
  list(now: Ms): Promise<readonly ListedKey[]>;
  /** Ends a key and all its texts, for good. Named by its id, or by its name if one has it. */
  revoke(named: string, now: Ms): Promise<{ readonly id: string } | KeyRefusal>;
  /** Gives a key a new text; the present ones end after `overlap`. */
  rotate(named: string, times: RotateTimes): Promise<RotatedKey | KeyRefusal>;
  close(): Promise<void>;
}

export interface RotateTimes {
  readonly now: Ms;
  readonly overlap: Ms;
}
export type RotatedKey = ShownKey & { readonly overlapEnds: Ms };

export interface FileBookOptions {
  readonly directory: string;
  readonly random: Random;
  /** Who changes them. */
  readonly by: Actor;
  /** Where it is written down, or a sentence why it cannot be. */
  readonly audit: () => Promise<Pick<Store, "audit"> | string>;
}

const UNKNOWN: KeyRefusal = { refused: "unknown" };

/**
 * The keys of one node, in the file of its state directory. It is made with the first key: from
 * then on callers are asked for one. @throws KeyStoreError from every method.
 */
export function fileKeyBook({ directory, random, by, audit }: FileBookOptions): KeyBook {
  let opened: KeyStore | undefined;
  const open = (): KeyStore => (opened ??= new KeyStore({ directory, random }));
  const found = (): KeyStore | undefined => (hasKeyFile(directory) ? open() : undefined);
  /** A change is written down first: one that nobody can be told of is not made. */
  async function witnessed<T>(change: KeyChange, act: () => T): Promise<T> {
    const log = await audit();
    if (typeof log === "string") {
      throw new KeyStoreError(`nothing is changed, for the audit log cannot be written: ${log}`);
    }
    await log.audit(keyAudit(change, by));
    const failed = (): Promise<unknown> =>
      log.audit({ ...keyAudit(change, by), action: `${change.action}.failed` });
    try {
      const done = act();
      if (isRefusal(done)) await failed(); // Somebody else was quicker.
      return done;
    } catch (error) {
      await failed();
      throw error;
    }
  }
  return {
    async create(wanted, now) {
      found(); // One that cannot be opened is told before anything is written.
      const id = makeKeyId(random);
      const change = { action: "key.create", id, at: now, detail: createDetail(wanted) } as const;
      return witnessed(change, () => open().create(wanted, now, id));
    },
    list: async (now) => found()?.list(now) ?? [],
    async revoke(named, now) {
      const store = found();
      if (store === undefined) return UNKNOWN;
      const key = store.canRevoke(named);
      if ("refused" in key) return key;
      const { id } = key;
      const change = { action: "key.revoke", id, at: now, detail: {} } as const;
      return witnessed(change, () => store.revoke(id, now));
    },
    async rotate(named, times) {
      const store = found();
      if (store === undefined) return UNKNOWN;
      const key = store.canRotate(named, times.now);
      if ("refused" in key) return key;
      const { id } = key;
      const detail = rotateDetail(times.now + times.overlap);
      const change = { action: "key.rotate", id, at: times.now, detail } as const;
      return witnessed(change, () => store.rotate(id, times));
    },
    close: async () => opened?.close(),
  };
}

function isRefusal(done: unknown): boolean {
  return typeof done === "object" && done !== null && "refused" in done;
}
