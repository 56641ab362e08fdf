import { isList, isObject } from "../../ir/fields.ts";
import type { Json, JsonObject } from "../../ir/json.ts";

type Kind = "plain" | "count" | "schema" | "list" | "map";
/** Keywords the subset has, with the kind of what stands behind them: protocols.md §3.5. */
const KEPT: Readonly<Record<string, Kind>> = {
  title: "plain",
  description: "plain",
  format: "plain",
  enum: "plain",
  default: "plain",
  example: "plain",
  required: "plain",
  pattern: "plain",
  minimum: "plain",
  maximum: "plain",
  nullable: "plain",
  propertyOrdering: "plain",
  minItems: "count",
  maxItems: "count",
  minLength: "count",
  maxLength: "count",
  minProperties: "count",
  maxProperties: "count",
  items: "schema",
  anyOf: "list",
  properties: "map",
};
/** What says nothing about a value, so that it is no loss. */
const SILENT: ReadonlySet<string> = new Set(["$schema", "$id", "$comment", "$defs", "definitions"]);
/** A schema that refers to itself, or says one thing a thousand times, ends somewhere. */
const REFERENCES_MAX = 200;

interface Walk {
  readonly root: JsonObject;
  /** References that are being followed. */
  readonly open: Set<string>;
  references: number;
  isLossy: boolean;
}

/** A JSON Schema in Google's OpenAPI subset, and whether it says less there. */
export interface OpenApiSchema {
  readonly schema: Json;
  readonly isLossy: boolean;
}

/** For models that take no JSON Schema. Keywords go by place, so a property keeps its name. */
export function toOpenApi(schema: Json): OpenApiSchema {
  if (!isObject(schema)) return { schema, isLossy: true };
  const walk: Walk = { root: schema, open: new Set(), references: 0, isLossy: false };
  return { schema: converted(schema, walk), isLossy: walk.isLossy };
}

function converted(schema: Json, walk: Walk): Json {
  if (!isObject(schema)) {
    if (schema !== true) walk.isLossy = true;
    return {};
  }
  const reference = schema["$ref"];
  if (typeof reference === "string") return followed(reference, schema, walk);
  const result: Record<string, Json> = Object.create(null);
  for (const name of Object.keys(schema)) {
    const value = schema[name]!;
    if (name === "type") putType(result, value, walk);
    else if (name === "const") result["enum"] = [value];
    else if (name === "oneOf" && schema["anyOf"] === undefined) {
      result["anyOf"] = list(value, walk);
    } else if (Object.hasOwn(KEPT, name)) result[name] = kept(KEPT[name]!, value, walk);
    else if (!SILENT.has(name)) walk.isLossy = true;
  }
  return result;
}

function kept(kind: Kind, value: Json, walk: Walk): Json {
  switch (kind) {
    case "schema":
      return converted(value, walk);
    case "list":
      return list(value, walk);
    case "map":
      return map(value, walk);
    case "count":
      return typeof value === "number" ? String(value) : value;
    case "plain":
      return value;
  }
}

function list(value: Json, walk: Walk): Json {
  return isList(value) ? value.map((each) => converted(each, walk)) : value;
}

function map(value: Json, walk: Walk): Json {
  if (!isObject(value)) return value;
  const result: Record<string, Json> = Object.create(null);
  for (const name of Object.keys(value)) result[name] = converted(value[name]!, walk);
  return result;
}

/** One type in capitals; several as alternatives, or as one that may be null. */
function putType(result: Record<string, Json>, value: Json, walk: Walk): void {
  const types = isList(value) ? value : [value];
  const named = types.filter((type) => typeof type === "string" && type !== "null");
  if (types.includes("null")) result["nullable"] = true;
  const [only] = named;
  if (named.length === 1) result["type"] = upper(only!);
  else if (named.length > 1) result["anyOf"] = named.map((type) => ({ type: upper(type) }));
  else walk.isLossy = true;
}

function upper(type: Json): Json {
  return typeof type === "string" ? type.toUpperCase() : type;
}

function followed(reference: string, schema: JsonObject, walk: Walk): Json {
  const target = targetOf(reference, walk.root);
  const isEndless = walk.open.has(reference) || walk.references >= REFERENCES_MAX;
  if (target === undefined || isEndless) {
    walk.isLossy = true;
    return { type: "OBJECT" };
  }
  walk.references += 1;
  walk.open.add(reference);
  const result = converted(target, walk);
  walk.open.delete(reference);
  const { description } = schema;
  return isObject(result) && typeof description === "string" ? { ...result, description } : result;
}

function targetOf(reference: string, root: JsonObject): Json | undefined {
  if (!reference.startsWith("#/")) return undefined;
  let at: Json | undefined = root;
  for (const step of reference.slice(2).split("/")) {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
    at = isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  }
  return at;
}
