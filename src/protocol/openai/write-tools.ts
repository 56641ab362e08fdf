import type { Capabilities } from "../../core/capabilities.ts";
import { compact, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";
import type { FreeformTool, FunctionTool, IrRequest, Tool, ToolChoice } from "../ir/request.ts";
import { marksAnything, writeCacheMark } from "./cache-mark.ts";
import { WEB_SEARCH } from "./read-tools.ts";
import { ownExt, ownExtAt } from "./rest.ts";
import { spellingOf } from "./spelling.ts";

export interface ToolContext {
  readonly capabilities: Capabilities;
  readonly report: Report;
}
type Members = Record<string, Json | undefined>;

/** `tools`, with what stands beside it: the older `functions`, and web search. */
export function writeTools(tools: IrRequest["tools"], context: ToolContext): Members {
  if (tools === undefined) return {};
  const list: JsonObject[] = [];
  const functions: JsonObject[] = [];
  let search: JsonObject | undefined;
  for (const tool of tools) {
    if (tool.kind === "hosted" && tool.type === WEB_SEARCH) search = tool.raw;
    else if (spellingOf(tool).slot === "functions") functions.push(writeFunction(tool));
    else list.push(...writeTool(tool, context));
  }
  return {
    tools: list.length === 0 && tools.length > 0 ? undefined : list,
    functions: functions.length === 0 ? undefined : functions,
    [WEB_SEARCH]: search,
  };
}

function writeTool(tool: Tool, { capabilities, report }: ToolContext): readonly JsonObject[] {
  switch (tool.kind) {
    case "function":
    case "freeform": {
      const { cache } = tool;
      const marks = cache !== undefined && marksAnything(cache, capabilities);
      if (cache !== undefined && !marks) {
        report({ code: "L-CACHE", path: tool.at ?? tool.name, action: "dropped" });
      }
      const mark = marks ? writeCacheMark(cache, capabilities) : {};
      const said = tool.kind === "function" ? functionTool(tool) : customTool(tool);
      return [compact({ ...said, ...mark }, ownExt(tool))];
    }
    case "hosted":
      if (tool.vendor === "openai") return [tool.raw];
      report({
        code: "L-HOSTED",
        path: tool.at ?? tool.type,
        action: "dropped",
        detail: tool.type,
      });
      return [];
    case "cache_mark":
      report({ code: "L-CACHE", path: tool.at ?? "tools", action: "dropped" });
      return [];
  }
}

function functionTool(tool: FunctionTool): Record<string, Json> {
  const said = functionMembers(tool);
  return { type: "function", function: compact(said, ownExtAt(tool, "function")) };
}

function functionMembers({ name, description, parameters, strict }: FunctionTool): Members {
  return { name, description, parameters, strict };
}

function customTool(tool: FreeformTool): Record<string, Json> {
  const { name, description } = tool;
  const { raw } = spellingOf(tool);
  const format = isObject(raw) ? raw : tool.format && nestedFormat(tool.format);
  const said = { name, description, format };
  return { type: "custom", custom: compact(said, ownExtAt(tool, "custom")) };
}

/** Chat has a grammar's members in an object of their own. */
function nestedFormat(format: JsonObject): JsonObject {
  const { type, syntax, definition } = format;
  const isFlat = type === "grammar" && syntax !== undefined && definition !== undefined;
  return isFlat ? { type, grammar: { definition, syntax } } : format;
}

function writeFunction(tool: Tool): JsonObject {
  if (tool.kind === "hosted") return tool.raw;
  return tool.kind === "function" ? compact(functionMembers(tool), ownExt(tool)) : {};
}

/** `tool_choice`, or the older `function_call` where it came as that. */
export function writeToolChoice(choice: ToolChoice | undefined): Members {
  if (choice === undefined) return {};
  const { slot = "tool_choice", raw } = spellingOf(choice);
  return { [slot]: raw ?? choiceOf(choice) };
}

function choiceOf(choice: ToolChoice): Json {
  switch (choice.kind) {
    case "auto":
    case "none":
    case "required":
      return choice.kind;
    case "validated":
      return "auto"; // What it adds is `strict`, which each tool says of itself.
    case "tool": {
      const type = choice.toolType === "custom" ? "custom" : "function";
      return { type, [type]: { name: choice.name } };
    }
    case "allowed": {
      const tools = choice.names.map((name) => ({ type: "function", function: { name } }));
      return { type: "allowed_tools", allowed_tools: { mode: choice.mode, tools } };
    }
  }
}
