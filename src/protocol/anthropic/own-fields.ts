import { compact, Fields, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Ext } from "../ir/node.ts";

/** `Fields` of this wire: what nobody took of an object inside stays in its place in `ext`. */
export class OwnFields extends Fields {
  readonly #inner = new Map<string, JsonObject>();

  /** Reads the object that `name` holds; undefined when it holds none. */
  inner<T>(name: string, read: (fields: OwnFields) => T): T | undefined {
    const object = this.object(name);
    if (object === undefined) return undefined;
    const fields = new OwnFields(object);
    const value = read(fields);
    const rest = fields.rest();
    // An empty object says nothing, but it was there.
    if (rest !== undefined || Object.keys(object).length === 0) this.#inner.set(name, rest ?? {});
    return value;
  }

  /** A list of objects; not taken when it holds anything else. */
  objects(name: string): readonly JsonObject[] | undefined {
    const value = this.peek(name);
    if (!Array.isArray(value) || !value.every((entry: Json) => isObject(entry))) return undefined;
    return this.list(name) as readonly JsonObject[] | undefined;
  }

  /** What nobody took, of the object and of those inside it. */
  rest(): JsonObject | undefined {
    const rest = this.ext("anthropic")?.anthropic;
    if (this.#inner.size === 0) return rest;
    return compact(Object.fromEntries(this.#inner), rest);
  }

  own(): Ext | undefined {
    const rest = this.rest();
    return rest && { anthropic: rest };
  }
}

/** The object `name` in a node's own `ext` behind `members`; undefined when both are empty. */
export function innerObject(
  members: { readonly [name: string]: Json | undefined },
  { own, name }: { readonly own: JsonObject | undefined; readonly name: string },
): JsonObject | undefined {
  const rest = own?.[name];
  const object = compact(members, isObject(rest) ? rest : undefined);
  return isObject(rest) || Object.keys(object).length > 0 ? object : undefined;
}
