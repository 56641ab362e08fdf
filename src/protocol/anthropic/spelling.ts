import type { JsonObject } from "../ir/json.ts";

/**
 * How a node was spelled where this wire can say the same in several ways. It serves identity only:
 * it hangs on the very object the reader made; who changes the node changes a copy without it.
 */
export interface Spelling {
  /** Members that say nothing more than their absence would. */
  readonly beside?: JsonObject | undefined;
  /** The member it stood in, where that is not the usual one. */
  readonly slot?: string | undefined;
  /** A member that is written for every node was not there. */
  readonly without?: string | undefined;
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
