import { argsText } from "../ir/args.ts";
import type { ToolCallBlock } from "../ir/block.ts";
import { compact } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";
import type { FunctionTool, IrRequest, Tool } from "../ir/request.ts";
import { withOwn } from "./own.ts";

const NO_PARAMETERS: JsonObject = { type: "object", properties: {} };

/** The members of a request that speak of tools. */
export function writeTools(
  { tools, toolChoice, origin }: IrRequest,
  report: Report,
): { readonly [name: string]: Json | undefined } {
  if (tools === undefined && origin !== "cohere") return {};
  return {
    tools: tools?.flatMap((tool, index) =>
      writeTool(tool, { isOwn: origin === "cohere", path: `tools[${index}]`, report }),
    ),
    strict_tools: writeStrict(tools ?? [], report),
    tool_choice: writeToolChoice(toolChoice),
  };
}

/** A call in the history or in an answer. No arguments are `{}` here, never an empty text. */
export function writeCall(call: ToolCallBlock, isOwn: boolean): JsonObject {
  const text = isOwn && call.argsValue === undefined ? call.args : argsText(call);
  const called = compact({ name: call.name, arguments: text });
  return withOwn({ id: call.callId, type: "function", function: called }, call);
}

interface ToolContext {
  readonly isOwn: boolean;
  readonly path: string;
  readonly report: Report;
}

function writeTool(tool: Tool, { isOwn, path, report }: ToolContext): JsonObject[] {
  switch (tool.kind) {
    case "function":
      return [writeFunction(tool, isOwn)];
    case "hosted":
      if (tool.vendor === "cohere") return [tool.raw];
      report({ code: "L-HOSTED", path: tool.at ?? path, action: "dropped", detail: tool.type });
      return [];
    case "freeform":
      report({ code: "L-FREEFORM", path: tool.at ?? path, action: "dropped" });
      return [];
    case "cache_mark":
      report({ code: "L-CACHE", path: tool.at ?? path, action: "dropped" });
      return [];
  }
}

/** The schema is required: protocols.md 3.5. */
function writeFunction(tool: FunctionTool, isOwn: boolean): JsonObject {
  const { name, description, parameters } = tool;
  const schema = isOwn ? parameters : (parameters ?? NO_PARAMETERS);
  const inner = compact({ name, description, parameters: schema });
  return withOwn({ type: "function", function: inner }, tool);
}

/** One switch for all: what holds for some tools only cannot be said, and would refuse others. */
function writeStrict(tools: readonly Tool[], report: Report): boolean | undefined {
  const functions = tools.filter((tool) => tool.kind === "function");
  const strict = functions.filter((tool) => tool.strict === true);
  if (strict.length === 0) {
    return functions.length > 0 && functions.every((tool) => tool.strict === false)
      ? false
      : undefined;
  }
  if (strict.length === functions.length) return true;
  for (const tool of strict) {
    report({ code: "L-STRICT", path: tool.at ?? tool.name, action: "dropped" });
  }
  return undefined;
}

/** What this wire has no word for, `prepare` has made one it has. */
function writeToolChoice(choice: IrRequest["toolChoice"]): string | undefined {
  switch (choice?.kind) {
    case undefined:
    case "auto":
    case "validated":
      return undefined;
    case "none":
      return "NONE";
    case "required":
    case "tool":
      return "REQUIRED";
    case "allowed":
      return choice.mode === "required" ? "REQUIRED" : undefined;
  }
}
