import type { Json, JsonObject } from "../ir/json.ts";

/**
 * How a node was spelled where this wire can say the same in several ways. It serves identity only:
 * it hangs on the object the reader made, so whoever changes the node changes a copy without it.
 */
export interface Spelling {
  /** The member it stood in, where that is not the usual one. */
  readonly slot?: string | undefined;
  /** The value as it came, where the representation keeps its meaning only. */
  readonly raw?: Json | undefined;
  /** Members that say again what others say. */
  readonly beside?: JsonObject | undefined;
}

const spellings = new WeakMap<object, Spelling>();
const USUAL: Spelling = {};

/** The node, remembered with its spelling. */
export function spelled<T extends object>(node: T, spelling: Spelling): T {
  spellings.set(node, spelling);
  return node;
}

/** How a node was spelled; nothing in it where it was not read from this wire as it is now. */
export function spellingOf(node: object): Spelling {
  return spellings.get(node) ?? USUAL;
}
