import { Fields } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Ext } from "../ir/node.ts";

/** What is left of the objects in an object, by their names. */
export interface Inner {
  readonly [name: string]: JsonObject | undefined;
}

/**
 * What nobody took of an object, and of those in it, in the shape of the wire, so that one merge
 * puts it back. An object that was empty stays empty; undefined when nothing is left.
 */
export function leftOf(
  object: JsonObject,
  fields: Fields,
  inner: Inner = {},
): JsonObject | undefined {
  const left: Record<string, Json> = Object.create(null);
  const own = fields.ext("bedrock")?.bedrock;
  for (const name in own) left[name] = own[name]!;
  for (const name in inner) if (inner[name] !== undefined) left[name] = inner[name];
  return isEmpty(left) && !isEmpty(object) ? undefined : left;
}

/** What is left of a node, as its `ext`. */
export function extOf(left: JsonObject | undefined): Ext | undefined {
  return left === undefined ? undefined : { bedrock: left };
}

/** What is left of the object called `name`. */
export function inside(left: JsonObject | undefined, name: string): JsonObject | undefined {
  const value = left?.[name];
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}

/** An object, unless it has no members and none is left of it either. */
export function unlessEmpty(
  object: JsonObject,
  left: JsonObject | undefined,
): JsonObject | undefined {
  return left === undefined && isEmpty(object) ? undefined : object;
}

function isEmpty(object: JsonObject): boolean {
  for (const _ in object) return false;
  return true;
}
