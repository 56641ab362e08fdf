import type { Ms } from "../../core/units.ts";

/** JSON as it is stored. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

/** A place in the log: 1 for the first event, and one more for each, without gaps. */
export type Revision = number;

/** Something an operator or a node did, to be kept for good. */
export interface NewEvent {
  /** Made by whoever appends; the same one twice is the same event. */
  readonly id: string;
  /** `key.created`: a view and what happened to one of its rows. */
  readonly kind: string;
  /** The row's id. */
  readonly subject: string;
  readonly body: JsonObject;
  /** Wall clock. */
  readonly at: Ms;
  readonly node: string;
}
export interface StoredEvent extends NewEvent {
  readonly revision: Revision;
}

/** Reads stored JSON as an object without a prototype. @throws when it is none. */
export function parseObject(text: string): JsonObject {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error("a stored object was expected");
  }
  return bare(value as JsonObject);
}

/** A copy that no member's name can change the nature of. */
export function bare(value: JsonObject, over?: JsonObject): JsonObject {
  const copy: { [name: string]: Json } = Object.create(null);
  for (const [name, member] of Object.entries(value)) copy[name] = member;
  for (const [name, member] of Object.entries(over ?? {})) copy[name] = member;
  return copy;
}
