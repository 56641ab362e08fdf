import { isRawNumber } from "../../wire/exact-json.ts";
import type { DialectId } from "../../core/ids.ts";
import type { Json, JsonObject } from "./json.ts";
import type { Ext } from "./node.ts";

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isRaw(value);
}

/** `Array.isArray` that keeps `readonly` lists apart. */
export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** A number too exact for a double: see wire/exact-json.ts. */
function isRaw(value: object): boolean {
  return isRawNumber(value);
}

/**
 * Takes members out of an object one by one; what nobody took is the node's `ext`. A member of
 * another kind than asked for (null above all) is not taken, so it goes back as it came.
 */
export class Fields {
  readonly #object: JsonObject;
  readonly #taken = new Set<string>();

  constructor(object: JsonObject) {
    this.#object = object;
  }

  text(name: string): string | undefined {
    const value = this.#object[name];
    return typeof value === "string" ? this.#take(name, value) : undefined;
  }
  number(name: string): number | undefined {
    const value = this.#object[name];
    return typeof value === "number" ? this.#take(name, value) : undefined;
  }
  flag(name: string): boolean | undefined {
    const value = this.#object[name];
    return typeof value === "boolean" ? this.#take(name, value) : undefined;
  }
  object(name: string): JsonObject | undefined {
    const value = this.#object[name];
    return isObject(value) ? this.#take(name, value) : undefined;
  }
  list(name: string): readonly Json[] | undefined {
    const value = this.#object[name];
    return isList(value) ? this.#take(name, value) : undefined;
  }
  /** Whatever it is, null included; undefined only where there is none. */
  any(name: string): Json | undefined {
    const value = this.#object[name];
    return value === undefined ? undefined : this.#take(name, value);
  }
  /** A look that takes nothing. */
  peek(name: string): Json | undefined {
    return this.#object[name];
  }
  /** Names that carry nothing, or that are read elsewhere. */
  skip(...names: readonly string[]): void {
    for (const name of names) this.#taken.add(name);
  }

  /** What nobody took, as the `ext` of `dialect`; undefined when nothing is left. */
  ext(dialect: DialectId): Ext | undefined {
    const rest: Record<string, Json> = Object.create(null);
    let isEmpty = true;
    for (const name of Object.keys(this.#object)) {
      if (this.#taken.has(name)) continue;
      rest[name] = this.#object[name]!;
      isEmpty = false;
    }
    return isEmpty ? undefined : { [dialect]: rest };
  }

  #take<T>(name: string, value: T): T {
    this.#taken.add(name);
    return value;
  }
}

/** An object of the members that are there, and what `ext` holds for `dialect` behind them. */
export function compact(
  members: { readonly [name: string]: Json | undefined },
  ext?: JsonObject | undefined,
): JsonObject {
  const object: Record<string, Json> = Object.create(null);
  for (const name in members) if (members[name] !== undefined) object[name] = members[name];
  for (const name in ext) object[name] ??= ext[name]!;
  return object;
}
