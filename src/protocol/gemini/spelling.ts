import { compact, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";

/**
 * How a caller spelled what the wire allows to be spelled in two ways, so that it can be spelled so
 * again: a tree beside the document. `k` holds the members and elements that differ below.
 */
interface Spelling {
  /** The member's name as the caller wrote it. */
  readonly n?: string;
  /** The caller's own value. */
  readonly w?: Json;
  /** The caller had no such member. */
  readonly x?: true;
  /** A lone object stood where the wire has a list. */
  readonly s?: true;
  /** Base64 in the URL's alphabet, and how often its padding was left out. */
  readonly b?: number;
  readonly k?: { readonly [name: string]: Spelling };
}

/** A request in the wire's documented spelling, and what that took. */
export interface Plain {
  readonly body: JsonObject;
  /** Undefined when it was spelled so already. */
  readonly spelling: JsonObject | undefined;
}

const SNAKE = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)+$/;
/** What a caller or a schema names stands below: none of it is the wire's to spell. */
const OPAQUE: ReadonlySet<string> = new Set([
  "args",
  "response",
  "parameters",
  "parametersJsonSchema",
  "responseSchema",
  "responseJsonSchema",
  "labels",
  "partMetadata",
]);
/** Lists for which protobuf's JSON takes a lone element. */
const LISTS: ReadonlySet<string> = new Set(["contents", "parts", "tools", "functionDeclarations"]);
const URL_ALPHABET = /[-_]/;

/**
 * Google's servers take snake_case for every name, a lone object for a list, a missing role, the
 * URL's base64 and small letters for a level. The readers need not: they see one spelling.
 */
export function plainSpelling(body: JsonObject): Plain {
  const { value, spelling } = plainObject(body, "");
  return { body: value, spelling: spelling as JsonObject | undefined };
}

/** The body as its caller would have spelled it: undoes `plainSpelling`. */
export function respelled(body: JsonObject, spelling: JsonObject): JsonObject {
  const value = respell(body, spelling as Spelling);
  return isObject(value) ? value : body;
}

interface Spelled<T extends Json> {
  readonly value: T;
  readonly spelling: Spelling | undefined;
}

function plainObject(object: JsonObject, parent: string): Spelled<JsonObject> {
  const value: Record<string, Json> = Object.create(null);
  const below: Record<string, Spelling> = Object.create(null);
  for (const name of Object.keys(object)) {
    const camel = plainName(name, object);
    const plain = value[camel] === undefined ? camel : name;
    const member = plainMember(plain, object[name]!, parent);
    value[plain] = member.value;
    if (plain === name && member.spelling === undefined) continue;
    below[plain] = plain === name ? member.spelling! : { ...member.spelling, n: name };
  }
  fixRole(object["role"], { value, below, parent });
  if (parent === "") dropEmpty(value, below);
  const isSame = Object.keys(below).length === 0;
  return { value: isSame ? object : value, spelling: isSame ? undefined : { k: below } };
}

/** The camel-case name; the name itself where both spellings are there. */
function plainName(name: string, object: JsonObject): string {
  if (!name.includes("_") || !SNAKE.test(name)) return name;
  const camel = name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return object[camel] === undefined ? camel : name;
}

function plainMember(name: string, value: Json, parent: string): Spelled<Json> {
  if (OPAQUE.has(name)) return { value, spelling: undefined };
  if (typeof value === "string") return plainText(name, value, parent);
  if (isList(value)) return plainList(value, name);
  if (!isObject(value)) return { value, spelling: undefined };
  if (!LISTS.has(name)) return plainObject(value, name);
  const { value: list, spelling } = plainList([value], name);
  return { value: list, spelling: { ...spelling, s: true } };
}

function plainList(list: readonly Json[], name: string): Spelled<Json> {
  const below: Record<string, Spelling> = Object.create(null);
  const value = list.map((element, index) => {
    const plain = isObject(element) ? plainObject(element, name) : undefined;
    if (plain?.spelling !== undefined) below[index] = plain.spelling;
    return plain?.value ?? element;
  });
  const isSame = Object.keys(below).length === 0;
  return { value: isSame ? list : value, spelling: isSame ? undefined : { k: below } };
}

function plainText(name: string, text: string, parent: string): Spelled<Json> {
  const isLevel = name === "thinkingLevel" && text !== text.toUpperCase();
  if (isLevel) return { value: text.toUpperCase(), spelling: { w: text } };
  const isData = name === "data" && parent === "inlineData";
  if (!isData || !URL_ALPHABET.test(text)) return { value: text, spelling: undefined };
  const missing = (4 - (text.length % 4)) % 4;
  const value = text.replaceAll("-", "+").replaceAll("_", "/") + "=".repeat(missing);
  const isWhole = urlAlphabet(value, missing) === text; // Else it has both alphabets.
  return { value, spelling: isWhole ? { b: missing } : { w: text } };
}

function urlAlphabet(base64: string, missing: number): string {
  const text = base64.replaceAll("+", "-").replaceAll("/", "_");
  return missing === 0 ? text : text.slice(0, -missing);
}

/** A content without a role is the user's; the role of the system's instruction is ignored. */
function fixRole(role: Json | undefined, { value, below, parent }: Spelt): void {
  if (parent === "contents" && role !== "user" && role !== "model") {
    below["role"] = role === undefined ? { x: true } : { w: role };
    value["role"] = "user";
  }
  if (parent === "systemInstruction" && role !== undefined) {
    below["role"] = { w: role };
    delete value["role"];
  }
}

interface Spelt {
  readonly value: Record<string, Json>;
  readonly below: Record<string, Spelling>;
  /** The member the object stands in. */
  readonly parent: string;
}

/** Settings that set nothing are as good as none. */
function dropEmpty(value: Record<string, Json>, below: Record<string, Spelling>): void {
  for (const name of ["generationConfig", "toolConfig"]) {
    const settings = value[name];
    if (!isObject(settings) || Object.keys(settings).length > 0) continue;
    below[name] = { ...below[name], w: settings };
    delete value[name];
  }
}

function respell(value: Json | undefined, { w, x, s, b, k }: Spelling): Json | undefined {
  if (x) return undefined;
  if (w !== undefined) return w;
  if (b !== undefined) return typeof value === "string" ? urlAlphabet(value, b) : value;
  if (k === undefined) return s && isList(value) ? value[0] : value;
  if (isList(value)) {
    const list = value.map((element, index) => {
      const own = k[index];
      return own === undefined ? element : (respell(element, own) ?? element);
    });
    return s ? list[0] : list;
  }
  return isObject(value) ? respellMembers(value, k) : value;
}

function respellMembers(object: JsonObject, below: NonNullable<Spelling["k"]>): JsonObject {
  const members: Record<string, Json | undefined> = Object.create(null);
  for (const name of Object.keys(object)) {
    const own = below[name];
    members[own?.n ?? name] = own === undefined ? object[name] : respell(object[name], own);
  }
  for (const name of Object.keys(below)) {
    const { n = name, w } = below[name]!;
    if (object[name] === undefined && w !== undefined) members[n] = w;
  }
  return compact(members);
}
