import { compact, type Fields, isObject } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { Ext, Node } from "../ir/node.ts";

/** What nobody took, of an object and of the objects in it that were read member by member. */
export function restOf(
  fields: Fields,
  nested: { readonly [name: string]: Fields | undefined } = {},
): Ext | undefined {
  const inner: Record<string, JsonObject | undefined> = Object.create(null);
  let hasInner = false;
  for (const name of Object.keys(nested)) {
    inner[name] = nested[name]?.ext("openai")?.openai;
    if (inner[name] !== undefined) hasInner = true;
  }
  const outer = fields.ext("openai");
  return hasInner ? { openai: compact(inner, outer?.openai) } : outer;
}

/** What the source node said beyond what is modelled; undefined where another protocol said it. */
export function ownExt({ ext }: Node): JsonObject | undefined {
  return ext?.openai;
}

/** The same for an object inside the node. */
export function ownExtAt(node: Node, name: string): JsonObject | undefined {
  const value = node.ext?.openai?.[name];
  return isObject(value) ? value : undefined;
}
