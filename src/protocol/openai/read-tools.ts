import { Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { FreeformTool, FunctionTool, HostedTool, Tool, ToolChoice } from "../ir/request.ts";
import { readCacheMark } from "./cache-mark.ts";
import { restOf } from "./rest.ts";
import { spelled } from "./spelling.ts";

/** The name by which web search is asked for: a member of the request, not one of its tools. */
export const WEB_SEARCH = "web_search_options";

/** `tools`, the older `functions`, and web search; undefined when none of them is there. */
export function readTools(fields: Fields): readonly Tool[] | undefined {
  const older = takeObjects(fields, "functions", 1)?.map(readFunction) ?? [];
  const search = fields.object(WEB_SEARCH);
  const beside = search === undefined ? older : [...older, searchTool(search)];
  // An empty list says nothing beside others, and could not be told from them.
  const tools = takeObjects(fields, "tools", beside.length === 0 ? 0 : 1);
  if (tools === undefined && beside.length === 0) return undefined;
  return [...(tools ?? []).map((tool, index) => readTool(tool, `tools[${index}]`)), ...beside];
}

/** A list of objects; left in its place where an entry is none, or there are too few. */
function takeObjects(
  fields: Fields,
  name: string,
  countMin: number,
): readonly JsonObject[] | undefined {
  const list = fields.peek(name);
  if (!isList(list) || list.length < countMin) return undefined;
  const objects = list.filter(isObject);
  if (objects.length !== list.length) return undefined;
  fields.skip(name);
  return objects;
}

function readTool(tool: JsonObject, at: string): Tool {
  switch (tool["type"]) {
    case "function":
      return readFunctionTool(tool, at) ?? hostedTool(tool, at);
    case "custom":
      return readCustomTool(tool, at) ?? hostedTool(tool, at);
    default:
      return hostedTool(tool, at);
  }
}

function readFunctionTool(tool: JsonObject, at: string): FunctionTool | undefined {
  const fields = new Fields(tool);
  fields.skip("type");
  const given = fields.object("function");
  const inner = given && new Fields(given);
  const name = inner?.text("name");
  if (inner === undefined || name === undefined) return undefined;
  const cache = readCacheMark(fields);
  const said = functionOf(inner, name);
  return { ...said, cache, ext: restOf(fields, { function: inner }), at };
}

function functionOf(fields: Fields, name: string): FunctionTool {
  return {
    kind: "function",
    name,
    description: fields.text("description"),
    parameters: fields.object("parameters"),
    schemaDialect: "json-schema",
    strict: fields.flag("strict"),
  };
}

/** One of OpenAI's first tools: the function without anything round it. */
function readFunction(given: JsonObject, index: number): Tool {
  const at = `functions[${index}]`;
  const fields = new Fields(given);
  const name = fields.text("name");
  if (name === undefined) return spelled(hostedTool(given, at), { slot: "functions" });
  const tool = functionOf(fields, name);
  return spelled({ ...tool, ext: restOf(fields), at }, { slot: "functions" });
}

function readCustomTool(tool: JsonObject, at: string): FreeformTool | undefined {
  const fields = new Fields(tool);
  fields.skip("type");
  const given = fields.object("custom");
  const inner = given && new Fields(given);
  const name = inner?.text("name");
  if (inner === undefined || name === undefined) return undefined;
  const description = inner.text("description");
  const raw = inner.object("format");
  const format = raw && flatFormat(raw);
  const cache = readCacheMark(fields);
  const ext = restOf(fields, { custom: inner });
  return spelled<FreeformTool>(
    { kind: "freeform", name, description, format, cache, ext, at },
    { raw },
  );
}

/** The representation has a grammar's members beside its type, as Responses has them. */
function flatFormat(format: JsonObject): JsonObject {
  const { type, grammar } = format;
  const isNested = type === "grammar" && isObject(grammar);
  if (!isNested) return format;
  const { syntax = null, definition = null } = grammar;
  return { type, syntax, definition };
}

function hostedTool(raw: JsonObject, at: string): HostedTool {
  const { type, name } = raw;
  return {
    kind: "hosted",
    vendor: "openai",
    type: typeof type === "string" ? type : "",
    name: typeof name === "string" ? name : undefined,
    raw,
    at,
  };
}

function searchTool(raw: JsonObject): HostedTool {
  return { kind: "hosted", vendor: "openai", type: WEB_SEARCH, raw, at: WEB_SEARCH };
}

/** Mistral's `any` is everyone else's `required`. */
const WORDS: ReadonlyMap<string, "auto" | "none" | "required"> = new Map([
  ["auto", "auto"],
  ["none", "none"],
  ["required", "required"],
  ["any", "required"],
] as const);

/** `tool_choice`, or the older `function_call`. */
export function readToolChoice(fields: Fields): ToolChoice | undefined {
  for (const slot of ["tool_choice", "function_call"] as const) {
    const given = fields.peek(slot);
    const choice = slot === "tool_choice" ? choiceOf(given) : legacyChoiceOf(given);
    if (choice === undefined) continue;
    fields.skip(slot);
    return spelled(choice, { slot, raw: given });
  }
  return undefined;
}

function choiceOf(given: Json | undefined): ToolChoice | undefined {
  if (typeof given === "string") {
    const kind = WORDS.get(given);
    return kind && { kind };
  }
  if (!isObject(given)) return undefined;
  const type = given["type"];
  if (type === "allowed_tools") return allowedOf(given["allowed_tools"]);
  if (type !== "function" && type !== "custom") return undefined;
  const name = nameOf(given);
  const toolType = type === "custom" ? type : undefined;
  return name === undefined ? undefined : { kind: "tool", name, toolType };
}

function allowedOf(given: Json | undefined): ToolChoice | undefined {
  if (!isObject(given)) return undefined;
  const { mode, tools } = given;
  if ((mode !== "auto" && mode !== "required") || !isList(tools)) return undefined;
  const names = tools.flatMap((tool) => nameOf(tool) ?? []);
  return names.length === tools.length ? { kind: "allowed", mode, names } : undefined;
}

/** The name in `{type, [type]: {name}}`. */
function nameOf(tool: Json): string | undefined {
  if (!isObject(tool)) return undefined;
  const inner = tool[String(tool["type"])];
  const name = isObject(inner) ? inner["name"] : undefined;
  return typeof name === "string" ? name : undefined;
}

function legacyChoiceOf(given: Json | undefined): ToolChoice | undefined {
  if (given === "auto" || given === "none") return { kind: given };
  const name = isObject(given) ? given["name"] : undefined;
  return typeof name === "string" ? { kind: "tool", name } : undefined;
}
