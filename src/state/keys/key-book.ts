import type { Ms } from "../../core/units.ts";
import type { Random } from "../../runtime/runtime.ts";
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

/** The keys of one node, in the file of its state directory. @throws KeyStoreError */
export function fileKeyBook(options: {
  readonly directory: string;
  readonly random: Random;
}): KeyBook {
  const store = new KeyStore(options);
  return {
    create: async (wanted, now) => store.create(wanted, now),
    list: async (now) => store.list(now),
    revoke: async (named, now) => store.revoke(named, now),
    rotate: async (named, times) => store.rotate(named, times),
    close: async () => store.close(),
  };
}
