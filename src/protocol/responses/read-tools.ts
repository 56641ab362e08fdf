import type { Rejection } from "../../core/rejection.ts";
import { malformed } from "../envelope-fields.ts";
import { Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Tool, ToolChoice } from "../ir/request.ts";

/** The tools of a request, flat as this wire has them: protocols.md 3.5. */
export function readTools(list: readonly Json[]): readonly Tool[] | Rejection {
  const tools: Tool[] = [];
  for (const [index, tool] of list.entries()) {
    const at = `tools[${index}]`;
    if (!isObject(tool)) return malformed(at, `'${at}' must be an object: send a tool`);
    tools.push(readTool(tool, at));
  }
  return tools;
}

function readTool(tool: JsonObject, at: string): Tool {
  const { type, name } = tool;
  if (typeof name === "string" && type === "function") return readFunction(tool, at);
  if (typeof name === "string" && type === "custom") return readCustom(tool, at);
  return {
    kind: "hosted",
    vendor: "responses",
    type: typeof type === "string" ? type : "",
    name: typeof name === "string" ? name : undefined,
    raw: tool,
    at,
  };
}

function readFunction(tool: JsonObject, at: string): Tool {
  const fields = new Fields(tool);
  fields.skip("type");
  return {
    kind: "function",
    name: fields.text("name")!,
    description: fields.text("description"),
    parameters: fields.object("parameters"),
    schemaDialect: "json-schema",
    strict: fields.flag("strict"),
    at,
    ext: fields.ext("responses"),
  };
}

function readCustom(tool: JsonObject, at: string): Tool {
  const fields = new Fields(tool);
  fields.skip("type");
  return {
    kind: "freeform",
    name: fields.text("name")!,
    description: fields.text("description"),
    format: fields.object("format"),
    at,
    ext: fields.ext("responses"),
  };
}

/** A choice of tool; undefined where it is one that only the vendor's own tools have. */
export function readToolChoice(choice: Json | undefined): ToolChoice | undefined {
  switch (choice) {
    case "auto":
    case "none":
    case "required":
      return { kind: choice, at: "tool_choice" };
  }
  if (!isObject(choice)) return undefined;
  const fields = new Fields(choice);
  const type = fields.text("type");
  switch (type) {
    case "function":
    case "custom":
      return readNamed(fields, type);
    case "allowed_tools":
      return readAllowed(fields);
    default:
      return undefined;
  }
}

function readNamed(fields: Fields, type: "function" | "custom"): ToolChoice | undefined {
  const name = fields.text("name");
  if (name === undefined) return undefined;
  const toolType = type === "custom" ? type : undefined;
  return { kind: "tool", name, toolType, at: "tool_choice", ext: fields.ext("responses") };
}

/** A set with more than plain functions in it keeps its list in `ext`. */
function readAllowed(fields: Fields): ToolChoice | undefined {
  const mode = fields.peek("mode");
  const list = fields.peek("tools");
  if ((mode !== "auto" && mode !== "required") || !isList(list)) return undefined;
  const names = list.map(nameOf);
  if (!names.every((name) => name !== undefined)) return undefined;
  fields.skip("mode");
  if (list.every(isPlain)) fields.skip("tools");
  return { kind: "allowed", mode, names, at: "tool_choice", ext: fields.ext("responses") };
}

function nameOf(tool: Json): string | undefined {
  const name = isObject(tool) ? tool["name"] : undefined;
  return typeof name === "string" ? name : undefined;
}

function isPlain(tool: Json): boolean {
  return isObject(tool) && tool["type"] === "function" && Object.keys(tool).length === 2;
}
