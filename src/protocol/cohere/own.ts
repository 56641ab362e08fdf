import { compact, type Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Node } from "../ir/node.ts";

/**
 * How a node was spelled where that says nothing by itself: nulls, empty lists, one of two ways to
 * write the same. It serves identity only, and hangs on the very object the reader made, so whoever
 * changes a node changes a copy that has none.
 */
export interface Spelling {
  /** Members that were there and held nothing. */
  readonly beside?: JsonObject | undefined;
  /** The value as it came. */
  readonly raw?: Json | undefined;
  /** Members that the writer would add, and that were not there. */
  readonly without?: readonly string[] | undefined;
}

/** What a reader takes of an object, and of the objects in it; `true` takes whatever is there. */
export interface Shape {
  readonly [name: string]: "text" | "number" | true | Shape;
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

/** The node with what nobody took of its fields, and of those of the objects inside. */
export function owned<T extends Node>(
  node: T,
  fields: Fields,
  inner: { readonly [name: string]: Fields | undefined } = {},
): T {
  const said: Record<string, Json> = Object.create(null);
  const beside: Record<string, Json> = Object.create(null);
  const left = fields.ext("cohere")?.cohere;
  for (const name in left) (isNothing(left[name]!) ? beside : said)[name] = left[name]!;
  for (const name of Object.keys(inner)) {
    const rest = inner[name]?.ext("cohere")?.cohere;
    if (rest !== undefined) said[name] = rest;
  }
  const whole = hasMembers(said) ? { ...node, ext: { cohere: said } } : node;
  return hasMembers(beside) ? spelled(whole, { beside }) : whole;
}

/** The members of a node behind those that only this wire knows. */
export function withOwn(
  members: { readonly [name: string]: Json | undefined },
  node: Node,
): JsonObject {
  const whole = merged(compact(members), node.ext?.cohere);
  return merged(whole, spellingOf(node).beside);
}

/** What `shape` does not take of an object, each thing in its place; undefined when nothing. */
export function leftover(object: JsonObject, shape: Shape): JsonObject | undefined {
  let left: Record<string, Json> | undefined;
  for (const name of Object.keys(object)) {
    const rest = unread(object[name]!, Object.hasOwn(shape, name) ? shape[name] : undefined);
    if (rest === undefined) continue;
    left ??= Object.create(null) as Record<string, Json>;
    left[name] = rest;
  }
  return left;
}

/** Both objects as one; where both have a text, a number or a list, the first one's stands. */
export function merged(first: JsonObject, second: JsonObject | undefined): JsonObject {
  if (second === undefined) return first;
  const both = compact(first);
  const whole: Record<string, Json> = both as Record<string, Json>;
  for (const name of Object.keys(second)) {
    const mine = whole[name];
    const other = second[name]!;
    if (mine === undefined) whole[name] = other;
    else if (isObject(mine) && isObject(other)) whole[name] = merged(mine, other);
  }
  return both;
}

function unread(value: Json, shape: Shape[string] | undefined): Json | undefined {
  switch (shape) {
    case true:
      return undefined;
    case "text":
      return typeof value === "string" ? undefined : value;
    case "number":
      return typeof value === "number" ? undefined : value;
    case undefined:
      return value;
  }
  return isObject(value) ? leftover(value, shape) : value;
}

/** Null and an empty list ask for nothing, whatever their name. */
function isNothing(value: Json): boolean {
  return value === null || (isList(value) && value.length === 0);
}

function hasMembers(object: JsonObject): boolean {
  for (const _ in object) return true;
  return false;
}
