import { isList, isObject } from "./fields.ts";
import type { Json, JsonObject } from "./json.ts";

/** Keywords whose value is one schema. */
const SCHEMAS: ReadonlySet<string> = new Set(["items", "additionalProperties", "not"]);
/** Keywords whose value is a list of schemas. */
const LISTS: ReadonlySet<string> = new Set(["anyOf", "oneOf", "allOf", "prefixItems"]);
/** Keywords whose value names schemas: what stands there is no keyword (features.md b-R51). */
const MAPS: ReadonlySet<string> = new Set(["properties", "patternProperties", "$defs"]);
/** Counts, which protobuf's JSON writes as strings. */
const COUNTS: ReadonlySet<string> = new Set([
  "maxItems",
  "minItems",
  "maxLength",
  "minLength",
  "maxProperties",
  "minProperties",
]);
/** How the server also takes them, and what Vertex calls them. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ["any_of", "anyOf"],
  ["max_items", "maxItems"],
  ["min_items", "minItems"],
  ["max_length", "maxLength"],
  ["min_length", "minLength"],
  ["max_properties", "maxProperties"],
  ["min_properties", "minProperties"],
  ["property_ordering", "propertyOrdering"],
  ["additional_properties", "additionalProperties"],
  ["prefix_items", "prefixItems"],
  ["defs", "$defs"],
  ["ref", "$ref"],
]);

type Members = Record<string, Json>;

/**
 * Google's OpenAPI subset as JSON Schema: small letters for types, numbers for counts, null as a
 * type, properties in the order that was asked for. Nothing else is changed.
 */
export function fromOpenApi(schema: Json): Json {
  if (!isObject(schema)) return schema;
  const result: Members = Object.create(null);
  for (const name of Object.keys(schema)) {
    const keyword = ALIASES.get(name) ?? name;
    const value = schema[name]!;
    if (keyword === "nullable" || keyword === "propertyOrdering") continue;
    if (keyword === "type") putType(result, value);
    else if (keyword === "format" && value === "enum") continue;
    else if (keyword === "example") result["examples"] = [value];
    else if (keyword === "$ref" && typeof value === "string") result["$ref"] = refOf(value);
    else if (COUNTS.has(keyword)) result[keyword] = numberOf(value);
    else result[keyword] = descended(keyword, value, fromOpenApi);
  }
  const ordering = schema["propertyOrdering"] ?? schema["property_ordering"];
  orderProperties(result, ordering);
  const { enum: values, type } = result;
  if (isList(values) && isNumeric(type)) result["enum"] = values.map(numberIn);
  if (schema["nullable"] === true) addNull(result);
  return result;
}

/** What is below a keyword, changed; a value that is no schema stays as it is. */
function descended(keyword: string, value: Json, change: (schema: Json) => Json): Json {
  if (SCHEMAS.has(keyword)) return change(value);
  if (LISTS.has(keyword) && isList(value)) return value.map(change);
  if (!MAPS.has(keyword) || !isObject(value)) return value;
  const named: Members = Object.create(null);
  for (const name of Object.keys(value)) named[name] = change(value[name]!);
  return named;
}

function putType(result: Members, value: Json): void {
  if (value === "TYPE_UNSPECIFIED") return;
  if (isList(value)) result["type"] = value.map(lowered);
  else result["type"] = lowered(value);
}

function lowered(value: Json): Json {
  return typeof value === "string" ? value.toLowerCase() : value;
}

function refOf(value: string): string {
  return value.startsWith("#/defs/") ? `#/$defs/${value.slice("#/defs/".length)}` : value;
}

function numberOf(value: Json): Json {
  const isDigits = typeof value === "string" && /^\d{1,15}$/.test(value);
  return isDigits ? Number(value) : value;
}

function isNumeric(type: Json | undefined): boolean {
  return type === "integer" || type === "number";
}

/** Values of an enumeration are strings there, whatever its type: the type decides. */
function numberIn(value: Json): Json {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : value;
}

/** The order in which a model fills fields is that of the schema: the wire says it apart. */
function orderProperties(result: Members, ordering: Json | undefined): void {
  const properties = result["properties"];
  if (!isList(ordering) || !isObject(properties)) return;
  const ordered: Members = Object.create(null);
  for (const name of ordering) {
    if (typeof name === "string" && properties[name] !== undefined)
      ordered[name] = properties[name];
  }
  for (const name of Object.keys(properties)) ordered[name] ??= properties[name]!;
  result["properties"] = ordered;
}

function addNull(result: Members): void {
  const { type, anyOf } = result;
  if (typeof type === "string") result["type"] = [type, "null"];
  else if (isList(type)) result["type"] = [...type, "null"];
  else if (isList(anyOf)) result["anyOf"] = [...anyOf, { type: "null" }];
  const values = result["enum"];
  if (isList(values) && !values.includes(null)) result["enum"] = [...values, null];
}

/** More parts than any schema has; what references multiply beyond is cut to any object. */
const NODES_MAX = 10_000;
const DEPTH_MAX = 64;
/** Keywords of Google's subset that are copied; what it does not know, it refuses. */
const COPIED: ReadonlySet<string> = new Set([
  "title",
  "description",
  "default",
  "pattern",
  "minimum",
  "maximum",
  "example",
  "nullable",
]);
const FORMATS: ReadonlySet<string> = new Set([
  "date-time",
  "enum",
  "float",
  "double",
  "int32",
  "int64",
]);

/**
 * JSON Schema as Google's OpenAPI subset: references put in place, constants as enumerations, null
 * as `nullable`, capitals for types, strings for counts. What the subset lacks is left out, as
 * keywords only: a property of that name stays (features.md b-R51).
 */
export function toOpenApi(schema: Json): Json {
  return new Subset(schema).convert(schema, 0);
}

class Subset {
  readonly #root: Json;
  /** References that are being put in place: one in itself has no end. */
  readonly #open = new Set<string>();
  #nodes = 0;

  constructor(root: Json) {
    this.#root = root;
  }

  convert(schema: Json, depth: number): JsonObject {
    const result: Members = Object.create(null);
    if (!isObject(schema)) return result;
    if (++this.#nodes > NODES_MAX || depth > DEPTH_MAX) return { type: "OBJECT" };
    const ref = schema["$ref"];
    if (typeof ref === "string") this.#inline(result, ref, depth);
    for (const part of listOf(schema["allOf"])) merge(result, this.convert(part, depth + 1));
    for (const name of Object.keys(schema)) {
      const value = schema[name]!;
      if (COPIED.has(name)) result[name] = value;
      else if (COUNTS.has(name)) result[name] = typeof value === "number" ? String(value) : value;
      else if (name === "additionalProperties" && typeof value === "boolean") result[name] = value;
      else if (name === "format" && FORMATS.has(String(value))) result[name] = value;
    }
    this.#putType(result, schema, depth);
    this.#putProperties(result, schema, depth);
    const items = schema["items"] ?? schema["prefixItems"];
    if (isObject(items)) result["items"] = this.convert(items, depth + 1);
    else if (isList(items)) result["items"] = this.#anyOf(items, depth);
    return result;
  }

  #inline(result: Members, ref: string, depth: number): void {
    if (this.#open.has(ref)) {
      result["type"] = "OBJECT";
      return;
    }
    this.#open.add(ref);
    merge(result, this.convert(pointed(this.#root, ref), depth + 1));
    this.#open.delete(ref);
  }

  #putType(result: Members, schema: JsonObject, depth: number): void {
    const { type } = schema;
    const types = (isList(type) ? type : [type]).filter((each) => typeof each === "string");
    const named = types.filter((each) => each !== "null");
    if (named.length < types.length) result["nullable"] = true;
    if (named.length === 1) result["type"] = named[0]!.toUpperCase();
    const isAnyType = named.length > 1 ? named.map((each): Json => ({ type: each })) : [];
    const variants = [...isAnyType, ...listOf(schema["anyOf"]), ...listOf(schema["oneOf"])];
    if (variants.length > 0) merge(result, this.#anyOf(variants, depth));
    const constant = schema["const"];
    const values = constant === undefined ? schema["enum"] : [constant];
    if (isList(values)) putEnum(result, values);
    if (result["type"] !== undefined || result["anyOf"] !== undefined) return;
    if (isObject(schema["properties"])) result["type"] = "OBJECT";
    else if (schema["items"] !== undefined) result["type"] = "ARRAY";
  }

  /** The one schema, or any of several; null is no schema there. */
  #anyOf(variants: readonly Json[], depth: number): JsonObject {
    const named = variants.filter((each) => !(isObject(each) && each["type"] === "null"));
    const converted = named.map((each) => this.convert(each, depth + 1));
    const nullable = named.length < variants.length ? { nullable: true } : {};
    if (converted.length === 0) return nullable;
    const [only] = converted;
    return converted.length === 1 ? { ...only, ...nullable } : { anyOf: converted, ...nullable };
  }

  #putProperties(result: Members, schema: JsonObject, depth: number): void {
    const { properties, required } = schema;
    if (isObject(properties)) {
      const known = result["properties"];
      const named: Members = Object.create(null);
      if (isObject(known)) for (const name of Object.keys(known)) named[name] = known[name]!;
      for (const name of Object.keys(properties)) {
        named[name] = this.convert(properties[name]!, depth + 1);
      }
      const names = Object.keys(named);
      // An object of no properties may not say so; the order is Google's own unless told.
      if (names.length > 0) result["properties"] = named;
      if (names.length > 1) result["propertyOrdering"] = names;
    }
    const own = result["properties"];
    if (isList(required) && isObject(own)) {
      const all = new Set([...listOf(result["required"]), ...required]);
      result["required"] = [...all].filter((name) => typeof name === "string" && name in own);
    }
  }
}

/** Values of text are kept, numbers as text; of truth values there is no enumeration. */
function putEnum(result: Members, values: readonly Json[]): void {
  const named = values.filter((value) => value !== null);
  if (named.length < values.length) result["nullable"] = true;
  if (named.length === 0) return;
  if (named.every((value) => typeof value === "boolean")) {
    result["type"] ??= "BOOLEAN";
    return;
  }
  if (named.every((value) => typeof value === "number")) {
    result["type"] ??= named.every(Number.isInteger) ? "INTEGER" : "NUMBER";
    result["format"] = "enum";
  } else {
    result["type"] = "STRING";
  }
  result["enum"] = named.map((value) =>
    typeof value === "string" ? value : JSON.stringify(value),
  );
}

/** What a schema says twice: the properties of both, else the first word. */
function merge(result: Members, other: JsonObject): void {
  for (const name of Object.keys(other)) {
    const known = result[name];
    const value = other[name]!;
    if (name === "properties" && isObject(known) && isObject(value)) {
      const both: Members = Object.create(null);
      for (const each of [known, value])
        for (const key of Object.keys(each)) both[key] = each[key]!;
      result[name] = both;
    } else if ((name === "required" || name === "propertyOrdering") && isList(known)) {
      result[name] = [...new Set([...known, ...listOf(value)])];
    } else {
      result[name] ??= value;
    }
  }
}

/** What a reference within the document points to: RFC 6901. */
function pointed(root: Json, ref: string): Json {
  if (!ref.startsWith("#")) return null;
  let at: Json | undefined = root;
  for (const step of ref.slice(1).split("/").slice(1)) {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if (isObject(at)) at = Object.hasOwn(at, name) ? at[name] : undefined;
    else at = isList(at) ? at[Number(name)] : undefined;
  }
  return at ?? null;
}

function listOf(value: Json | undefined): readonly Json[] {
  return isList(value) ? value : [];
}
