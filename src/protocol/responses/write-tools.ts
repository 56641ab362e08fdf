import { compact } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";
import type { FunctionTool, Tool, ToolChoice } from "../ir/request.ts";

interface ToolContext {
  /** Read from this wire, so nothing may be added. */
  readonly own: boolean;
  readonly report: Report;
}

/** The tools as this wire spells them: protocols.md 3.5. */
export function writeTools(tools: readonly Tool[], context: ToolContext): readonly JsonObject[] {
  return tools.map((tool) => writeTool(tool, context)).filter((tool) => tool !== undefined);
}

function writeTool(tool: Tool, context: ToolContext): JsonObject | undefined {
  switch (tool.kind) {
    case "function":
      return writeFunction(tool, context.own);
    case "freeform": {
      const { name, description, format } = tool;
      return compact({ type: "custom", name, description, format }, tool.ext?.responses);
    }
    case "hosted":
      if (tool.vendor === "responses") return tool.raw;
      context.report({
        code: "L-HOSTED",
        path: tool.at ?? "tools",
        action: "dropped",
        detail: tool.type,
      });
      return undefined;
    case "cache_mark":
      context.report({ code: "L-CACHE", path: tool.at ?? "tools", action: "dropped" });
      return undefined;
  }
}

/** Strictness is the default here, so another's tool says that it is not meant to be strict. */
function writeFunction({ name, description, parameters, strict, ext }: FunctionTool, own: boolean) {
  const said = ext?.responses;
  const members = {
    type: "function",
    name,
    description,
    parameters: parameters ?? (own ? undefined : null),
    strict: strict ?? (own ? undefined : false),
  };
  return compact(members, said);
}

/** A choice of tool: protocols.md 3.6. */
export function writeToolChoice(choice: ToolChoice): Json {
  switch (choice.kind) {
    case "auto":
    case "none":
    case "required":
      return choice.kind;
    case "validated": // Strict tools say that here.
      return "auto";
    case "tool": {
      const type = choice.toolType === "custom" ? "custom" : "function";
      return compact({ type, name: choice.name }, choice.ext?.responses);
    }
    case "allowed": {
      const said = choice.ext?.responses;
      const tools = choice.names.map((name) => ({ type: "function", name }));
      const members = { type: "allowed_tools", mode: choice.mode };
      return compact(said?.["tools"] === undefined ? { ...members, tools } : members, said);
    }
  }
}
