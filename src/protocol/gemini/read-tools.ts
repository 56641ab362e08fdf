import { Rejection } from "../../core/rejection.ts";
import { malformed } from "../envelope-fields.ts";
import { Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Tool, ToolChoice } from "../ir/request.ts";
import { type ToolGroups, usualGroups } from "./tool-groups.ts";

export interface ReadTools {
  readonly tools: readonly Tool[];
  /** How the list was cut into objects, where a writer would cut it otherwise. */
  readonly groups: ToolGroups | undefined;
}

/** An object of the list holds function declarations, and any of the tools that Google runs. */
export function readTools(list: readonly Json[]): ReadTools | Rejection {
  const tools: Tool[] = [];
  const groups: (readonly (readonly [string, number])[])[] = [];
  for (const [index, entry] of list.entries()) {
    const at = `tools[${index}]`;
    if (!isObject(entry)) return malformed(at, `'${at}' must be an object: send its declarations`);
    const group: (readonly [string, number])[] = [];
    for (const name of Object.keys(entry)) {
      const value = entry[name]!;
      if (name === "functionDeclarations" && isList(value)) {
        const read = readDeclarations(value, `${at}.functionDeclarations`);
        if (read instanceof Rejection) return read;
        group.push([name, read.length]);
        tools.push(...read);
      } else {
        group.push([name, -1]);
        const raw: JsonObject = { [name]: value };
        tools.push({ kind: "hosted", vendor: "gemini", type: name, raw, at: `${at}.${name}` });
      }
    }
    groups.push(group);
  }
  const isUsual = JSON.stringify(groups) === JSON.stringify(usualGroups(tools));
  return { tools, groups: isUsual ? undefined : groups };
}

function readDeclarations(list: readonly Json[], at: string): readonly Tool[] | Rejection {
  const tools: Tool[] = [];
  for (const [index, declaration] of list.entries()) {
    const place = `${at}[${index}]`;
    const tool = isObject(declaration) ? readDeclaration(declaration, place) : undefined;
    if (tool === undefined) return malformed(place, `'${place}' must be an object with a 'name'`);
    tools.push(tool);
  }
  return tools;
}

/** `parameters` is Google's OpenAPI subset, `parametersJsonSchema` what every other wire has. */
function readDeclaration(declaration: JsonObject, at: string): Tool | undefined {
  const fields = new Fields(declaration);
  const name = fields.text("name");
  if (name === undefined) return undefined;
  const description = fields.text("description");
  const json = fields.object("parametersJsonSchema");
  const parameters = json ?? fields.object("parameters");
  return {
    kind: "function",
    name,
    description,
    parameters,
    schemaDialect: json === undefined && parameters !== undefined ? "openapi" : "json-schema",
    at,
    ext: fields.ext("gemini"),
  };
}

/** The choice in a `functionCallingConfig`; undefined when it is none that is known. */
export function readToolChoice(config: JsonObject): ToolChoice | undefined {
  const fields = new Fields(config);
  const at = "toolConfig.functionCallingConfig";
  const mode = fields.text("mode");
  const isForced = mode === "ANY" || mode === "VALIDATED";
  const names = isForced ? readNames(fields) : [];
  const [name] = names;
  const node = { at, ext: fields.ext("gemini") };
  switch (mode) {
    case "AUTO":
      return { kind: "auto", ...node };
    case "NONE":
      return { kind: "none", ...node };
    case "ANY":
      if (name === undefined) return { kind: "required", ...node };
      if (names.length === 1) return { kind: "tool", name, ...node };
      return { kind: "allowed", mode: "required", names, ...node };
    case "VALIDATED":
      if (name === undefined) return { kind: "validated", ...node };
      return { kind: "allowed", mode: "auto", names, ...node };
    default:
      return undefined;
  }
}

function readNames(fields: Fields): readonly string[] {
  const names = fields.peek("allowedFunctionNames");
  if (!isList(names) || names.length === 0 || !names.every(isText)) return [];
  fields.skip("allowedFunctionNames");
  return names;
}

function isText(value: Json): value is string {
  return typeof value === "string";
}
