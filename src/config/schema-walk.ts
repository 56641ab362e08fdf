import type * as z from "zod/mini";
import type { Path } from "./path.ts";
import { FILE } from "./schema.ts";

type Schema = z.core.$ZodType;

/** The names that may stand in the mapping at `path`; empty where the operator chooses them. */
export function namesAt(path: Path): readonly string[] {
  let at: Schema | undefined = FILE;
  for (const part of path) at = at && childOf(at, part);
  return at === undefined ? [] : Object.keys(shapeOf(at) ?? {});
}

/** Where a name is at home in the file, so that a lost one can be sent there. */
export function everyPlaceOf(name: string): string | undefined {
  return leafPaths()
    .find((path) => path.at(-1) === name && path.length > 1)
    ?.map(String)
    .join(".");
}

/** Every scalar the file can hold, with `*` for names and numbers of the operator's choice. */
export function leafPaths(from: Schema = FILE, path: Path = []): readonly Path[] {
  const schema = unwrap(from);
  const shape = shapeOf(schema);
  if (shape !== undefined) {
    return Object.entries(shape).flatMap(([name, child]) => leafPaths(child, [...path, name]));
  }
  const element = elementOf(schema);
  return element === undefined ? [path] : leafPaths(element, [...path, "*"]);
}

function childOf(schema: Schema, part: string | number): Schema | undefined {
  const shape = shapeOf(schema);
  if (shape === undefined) return elementOf(unwrap(schema));
  return typeof part === "string" && Object.hasOwn(shape, part) ? shape[part] : undefined;
}

function shapeOf(schema: Schema): Readonly<Record<string, Schema>> | undefined {
  const { def } = unwrap(schema)._zod as unknown as { def: { shape?: Record<string, Schema> } };
  return def.shape;
}

function elementOf(schema: Schema): Schema | undefined {
  const { def } = schema._zod as unknown as { def: { valueType?: Schema; element?: Schema } };
  return def.valueType ?? def.element;
}

/** The schema inside "may be absent" and "may be empty". */
function unwrap(schema: Schema): Schema {
  const { def } = schema._zod as unknown as { def: { innerType?: Schema } };
  return def.innerType === undefined ? schema : unwrap(def.innerType);
}
