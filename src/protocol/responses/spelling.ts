import { compact } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";

/**
 * What of a request means the same however it is spelled. It serves identity only: it hangs on the
 * very object the reader made, and whoever changes that makes another without it.
 */
const spellings = new WeakMap<object, JsonObject>();
const USUAL = compact({});

/** The node, remembered with the members that it was spelled by. */
export function spelled<T extends object>(node: T, members: JsonObject): T {
  spellings.set(node, members);
  return node;
}

/** The members a node was spelled by; none where it is not as it was read. */
export function spellingOf(node: object): JsonObject {
  return spellings.get(node) ?? USUAL;
}
